"""Pipelines with rules, leads, deals with stakeholders."""

from infra.migrations.statements import run_sql_beside

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run_sql_beside(__file__)
