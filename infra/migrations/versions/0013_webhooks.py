"""Scopes of API keys, saved answers, outgoing webhooks."""

from infra.migrations.statements import run_sql_beside

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_sql_beside(__file__)
