"""Seats with languages, hours, capacity and budgets of a day; what earns autonomy, and what takes it back."""

from infra.migrations.statements import run_sql_beside

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    run_sql_beside(__file__)
