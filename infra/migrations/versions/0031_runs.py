"""Runs by seat, what they changed, and whether that was taken back."""

from infra.migrations.statements import run_sql_beside

revision = "0031"
down_revision = "0027"


def upgrade() -> None:
    run_sql_beside(__file__)
