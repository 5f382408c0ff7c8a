"""Runs of evaluation suites and what became of each of their cases."""

from infra.migrations.statements import run_sql_beside

revision = "0027"
down_revision = "0028"


def upgrade() -> None:
    run_sql_beside(__file__)
