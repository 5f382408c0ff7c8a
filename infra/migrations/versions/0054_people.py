"""Invitations, members who are disabled or have left, and the organizations of one person."""

from infra.migrations.statements import run_sql_beside

revision = "0054"
down_revision = "0051"


def upgrade() -> None:
    run_sql_beside(__file__)
