"""The tables of the walking skeleton, with row level security."""

from infra.migrations.statements import run_sql_beside

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_sql_beside(__file__)
