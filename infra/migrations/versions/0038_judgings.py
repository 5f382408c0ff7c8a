"""What language models as judges said about evaluations."""

from infra.migrations.statements import run_sql_beside

revision = "0038"
down_revision = "0032"


def upgrade() -> None:
    run_sql_beside(__file__)
