"""The trash is read in the order in which things came into it."""

from infra.migrations.statements import run_sql_beside

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    run_sql_beside(__file__)
