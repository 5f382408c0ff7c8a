"""Members are told of webhooks that were switched off."""

from infra.migrations.statements import run_sql_beside

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    run_sql_beside(__file__)
