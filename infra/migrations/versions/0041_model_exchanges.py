"""What went into the calls of language models, and what came out."""

from infra.migrations.statements import run_sql_beside

revision = "0041"
down_revision = "0060"


def upgrade() -> None:
    run_sql_beside(__file__)
