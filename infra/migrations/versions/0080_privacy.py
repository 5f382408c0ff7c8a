"""What people ask us for about themselves, and the addresses of those who were erased."""

from infra.migrations.statements import run_sql_beside

revision = "0080"
down_revision = "0053"


def upgrade() -> None:
    run_sql_beside(__file__)
