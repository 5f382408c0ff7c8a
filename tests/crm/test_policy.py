"""An organization tightens what its agents may do; what the matrix does not offer is refused."""

import pytest

from core.db import Database
from core.errors import Forbidden, Unprocessable
from core.principal import Principal
from crm.bidi.models import Autonomy
from crm.identity.models import Role, member_principal
from crm.policy.actions import set_decision
from crm.policy.models import Decision
from crm.policy.queries import get_overrides, list_overrides
from events.ids import OrganizationId, UserId
from tests.support.changes import changes_of


async def _set(db: Database, who: Principal, rule: str, autonomy: Autonomy, decision: Decision) -> None:
    async with db.transaction(who, "test") as tx:
        await set_decision(tx, rule, autonomy, decision)


async def test_a_cell_is_tightened_and_given_back(database: Database, organization: Principal) -> None:
    await _set(database, organization, "write", Autonomy.ASSIST, Decision.ASK)
    async with database.transaction(organization, "test") as tx:
        tightened = await get_overrides(tx)
    await _set(database, organization, "write", Autonomy.ASSIST, Decision.ALLOW)

    async with database.transaction(organization, "test") as tx:
        assert await list_overrides(tx) == []
        changes = [one.changes for one in await changes_of(tx, organization.organization_id)
                   if one.type == "policy.updated"]  # fmt: skip
    assert tightened == {("write", Autonomy.ASSIST): Decision.ASK}
    assert changes == [{"write.assist": ["allow", "ask"]}, {"write.assist": ["ask", "allow"]}]


@pytest.mark.parametrize(
    ("rule", "autonomy", "decision"),
    [
        ("write_sensitive_tainted", Autonomy.AUTOPILOT, Decision.ALLOW),
        ("send_new", Autonomy.AUTOPILOT, Decision.ALLOW),
        ("system_tainted", Autonomy.AUTOPILOT, Decision.ASK),
        ("read_own", Autonomy.ASSIST, Decision.ASK),
        ("no_such_rule", Autonomy.ASSIST, Decision.DENY),
    ],
)
async def test_what_the_matrix_does_not_offer_is_refused(
    database: Database, organization: Principal, rule: str, autonomy: Autonomy, decision: Decision
) -> None:
    with pytest.raises(Unprocessable):
        await _set(database, organization, rule, autonomy, decision)


async def test_where_it_says_so_the_matrix_may_be_loosened(
    database: Database, organization: Principal
) -> None:
    await _set(database, organization, "write_low_tainted", Autonomy.SUGGEST, Decision.ALLOW)

    async with database.transaction(organization, "test") as tx:
        assert await get_overrides(tx) == {("write_low_tainted", Autonomy.SUGGEST): Decision.ALLOW}


async def test_only_who_manages_the_policy_changes_it(database: Database, organization: Principal) -> None:
    supervisor = member_principal(
        UserId(organization.id), OrganizationId(organization.organization_id), Role.SUPERVISOR
    )

    with pytest.raises(Forbidden):
        await _set(database, supervisor, "write", Autonomy.ASSIST, Decision.ASK)


async def test_another_organization_is_not_touched(
    database: Database, organization: Principal, other_organization: Principal
) -> None:
    await _set(database, organization, "write", Autonomy.ASSIST, Decision.DENY)

    async with database.transaction(other_organization, "test") as tx:
        assert await get_overrides(tx) == {}
