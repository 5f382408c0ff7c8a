"""Companies that may be one are suggested too."""

from infra.migrations.statements import run_sql_beside

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    run_sql_beside(__file__)
