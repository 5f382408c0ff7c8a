"""Users are seen by their own organizations only; inside a tenant's transaction a worker writes for that tenant only."""

from infra.migrations.statements import run_sql_beside

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_sql_beside(__file__)
