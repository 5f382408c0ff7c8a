"""From where somebody acted, and the chain that the events of an organization are sealed into."""

from infra.migrations.statements import run_sql_beside

revision = "0060"
down_revision = "0039"


def upgrade() -> None:
    run_sql_beside(__file__)
