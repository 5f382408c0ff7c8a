"""Mails of the product itself, sign-ups that wait for their address, and links for a new password."""

from infra.migrations.statements import run_sql_beside

revision = "0051"
down_revision = "0050"


def upgrade() -> None:
    run_sql_beside(__file__)
