"""A tool call may wait for a person; an organization tightens the policy; seats on autopilot have limits."""

from infra.migrations.statements import run_sql_beside

revision = "0028"
down_revision = "0029"


def upgrade() -> None:
    run_sql_beside(__file__)
