"""Partners: external seats with a rate, and the commission of each deal that they won."""

from infra.migrations.statements import run_sql_beside

revision = "0058"
down_revision = "0057"


def upgrade() -> None:
    run_sql_beside(__file__)
