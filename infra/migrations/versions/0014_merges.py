"""Scored matches, merges that can be undone."""

from infra.migrations.statements import run_sql_beside

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    run_sql_beside(__file__)
