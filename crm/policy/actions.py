"""Tightening what agents may do by themselves, and loosening it where the product lets one."""

from core import clock
from core.db import Tx
from core.errors import Unprocessable
from crm.bidi.models import Autonomy
from crm.policy.matrix import BY_NAME
from crm.policy.models import Decision
from crm.policy.queries import get_overrides
from events.ids import OrganizationId
from events.outbox import emit
from events.types import PolicyUpdated


async def set_decision(tx: Tx, rule_name: str, autonomy: Autonomy, decision: Decision) -> None:
    """Decide one cell of the matrix for this organization; what the product does anyway is not kept.

    Raises:
        Forbidden: the principal may not.
        Unprocessable: there is no such rule, or it may not be decided so.
    """
    tx.principal.require("policy:manage")
    rule = BY_NAME.get(rule_name)
    if rule is None or decision not in rule.choices(autonomy):
        raise Unprocessable(
            "The policy cannot be set to this; choose one of what the page offers.", field="decision"
        )
    # administrators take turns, so that the event tells what was there before
    await tx.execute("SELECT FROM organizations FOR UPDATE")
    before = (await get_overrides(tx)).get((rule_name, autonomy), rule.decision(autonomy))
    if before is decision:
        return
    if decision is rule.decision(autonomy):
        await tx.execute(
            "DELETE FROM policy_overrides WHERE rule = %(rule)s AND autonomy = %(autonomy)s",
            rule=rule_name,
            autonomy=autonomy,
        )
    else:
        await tx.execute(
            """
            INSERT INTO policy_overrides (organization_id, rule, autonomy, decision, set_by, set_at)
            VALUES (%(organization_id)s, %(rule)s, %(autonomy)s, %(decision)s, %(set_by)s, %(now)s)
            ON CONFLICT (organization_id, rule, autonomy)
            DO UPDATE SET decision = EXCLUDED.decision, set_by = EXCLUDED.set_by, set_at = EXCLUDED.set_at
            """,
            organization_id=tx.organization_id,
            rule=rule_name,
            autonomy=autonomy,
            decision=decision,
            set_by=tx.principal.id,
            now=clock.now(),
        )
    changes = {f"{rule_name}.{autonomy}": (before.value, decision.value)}
    await emit(tx, PolicyUpdated(OrganizationId(tx.organization_id)), changes=changes)
