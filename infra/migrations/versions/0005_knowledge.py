"""The organization's own documents and their versions."""

from infra.migrations.statements import run_sql_beside

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_sql_beside(__file__)
