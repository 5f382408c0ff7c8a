"""A second factor for whoever turns it on, with recovery codes."""

from infra.migrations.statements import run_sql_beside

revision = "0052"
down_revision = "0056"


def upgrade() -> None:
    run_sql_beside(__file__)
