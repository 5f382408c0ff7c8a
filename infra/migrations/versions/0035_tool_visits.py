"""Programs call tools: their seat, and whose calls belong together."""

from infra.migrations.statements import run_sql_beside

revision = "0035"
down_revision = "0038"


def upgrade() -> None:
    run_sql_beside(__file__)
