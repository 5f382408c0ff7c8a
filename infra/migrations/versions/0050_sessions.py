"""Sessions that say where they are used, sessions of programs, and what ends all of a person's at once."""

from infra.migrations.statements import run_sql_beside

revision = "0050"
down_revision = "0041"


def upgrade() -> None:
    run_sql_beside(__file__)
