"""The language models of an organization, and what each call used."""

from infra.migrations.statements import run_sql_beside

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql_beside(__file__)
