"""Tables of leads are imported."""

from infra.migrations.statements import run_sql_beside

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    run_sql_beside(__file__)
