"""What somebody sees, in a third of the time."""

from infra.migrations.statements import run_sql_beside

revision = "0073"
down_revision = "0072"


def upgrade() -> None:
    run_sql_beside(__file__)
