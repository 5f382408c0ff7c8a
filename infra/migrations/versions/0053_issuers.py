"""People who are let in by an issuer of OpenID Connect, and sign-ins that lead where somebody was last."""

from infra.migrations.statements import run_sql_beside

revision = "0053"
down_revision = "0061"


def upgrade() -> None:
    run_sql_beside(__file__)
