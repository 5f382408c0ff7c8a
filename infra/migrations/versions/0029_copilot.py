"""Runs that serve no conversation, and the copilot's chats."""

from infra.migrations.statements import run_sql_beside

revision = "0029"
down_revision = "0026"


def upgrade() -> None:
    run_sql_beside(__file__)
