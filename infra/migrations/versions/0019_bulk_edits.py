"""Edits of many records at once."""

from infra.migrations.statements import run_sql_beside

revision = "0019"
down_revision = "0017"


def upgrade() -> None:
    run_sql_beside(__file__)
