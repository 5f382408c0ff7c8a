"""What the product remembers: turns, summaries, chunks and their vectors."""

from infra.migrations.statements import run_sql_beside

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql_beside(__file__)
