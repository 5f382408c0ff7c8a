"""How long an organization keeps each kind of what it has."""

from infra.migrations.statements import run_sql_beside

revision = "0081"
down_revision = "0058"


def upgrade() -> None:
    run_sql_beside(__file__)
