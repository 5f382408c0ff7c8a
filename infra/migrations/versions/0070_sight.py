"""What a member with the role bidi, and its seat, can see: policies that no query can forget."""

from infra.migrations.statements import run_sql_beside

revision = "0070"
down_revision = "0081"


def upgrade() -> None:
    run_sql_beside(__file__)
