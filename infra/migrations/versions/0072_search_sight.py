"""What somebody who sees only their own may find: also notes, files, tasks, meetings and documents."""

from infra.migrations.statements import run_sql_beside

revision = "0072"
down_revision = "0071"


def upgrade() -> None:
    run_sql_beside(__file__)
