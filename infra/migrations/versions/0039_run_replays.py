"""Runs that were run again from one of their steps, dry."""

from infra.migrations.statements import run_sql_beside

revision = "0039"
down_revision = "0040"


def upgrade() -> None:
    run_sql_beside(__file__)
