"""What agents suggest, the promises that were made in conversations, and what a run without a thread is about."""

from infra.migrations.statements import run_sql_beside

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    run_sql_beside(__file__)
