"""Custom fields that are required and have a currency; tags that are edited."""

from infra.migrations.statements import run_sql_beside

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    run_sql_beside(__file__)
