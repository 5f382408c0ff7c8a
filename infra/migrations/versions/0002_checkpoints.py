"""The four tables of LangGraph's checkpointer, with a tenant."""

from infra.migrations.statements import run_sql_beside

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql_beside(__file__)
