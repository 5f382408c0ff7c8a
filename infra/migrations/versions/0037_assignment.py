"""Rules that give new conversations and leads to seats, and what becomes of those that nobody can take."""

from infra.migrations.statements import run_sql_beside

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    run_sql_beside(__file__)
