"""Mailboxes, mail threads and possible matches of contacts."""

from infra.migrations.statements import run_sql_beside

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql_beside(__file__)
