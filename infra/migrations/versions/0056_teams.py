"""Teams of members, and the first steps of an organization until they are put away."""

from infra.migrations.statements import run_sql_beside

revision = "0056"
down_revision = "0055"


def upgrade() -> None:
    run_sql_beside(__file__)
