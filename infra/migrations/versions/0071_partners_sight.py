"""What a partner, who sits on an external seat, does not see of those whom they have not talked with."""

from infra.migrations.statements import run_sql_beside

revision = "0071"
down_revision = "0070"


def upgrade() -> None:
    run_sql_beside(__file__)
