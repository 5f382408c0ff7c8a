"""Looking events up by who did them, and verifications that somebody asked for."""

from infra.migrations.statements import run_sql_beside

revision = "0061"
down_revision = "0052"


def upgrade() -> None:
    run_sql_beside(__file__)
