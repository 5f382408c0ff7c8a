"""Members are told of conversations that were given to them."""

from infra.migrations.statements import run_sql_beside

revision = "0074"
down_revision = "0073"


def upgrade() -> None:
    run_sql_beside(__file__)
