"""Members are told of approvals that are theirs to decide about."""

from infra.migrations.statements import run_sql_beside

revision = "0040"
down_revision = "0037"


def upgrade() -> None:
    run_sql_beside(__file__)
