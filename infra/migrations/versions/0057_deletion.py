"""Organizations that are closed and, once their time has come, removed from every table."""

from infra.migrations.statements import run_sql_beside

revision = "0057"
down_revision = "0080"


def upgrade() -> None:
    run_sql_beside(__file__)
