"""What holds for a whole organization: its working hours, its holidays, and how long it keeps what."""

from infra.migrations.statements import run_sql_beside

revision = "0055"
down_revision = "0054"


def upgrade() -> None:
    run_sql_beside(__file__)
