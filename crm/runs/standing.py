"""What a seat answers by itself, how far it is from answering more, and what keeps it from it right now."""

from dataclasses import dataclass
from datetime import datetime

from core import clock
from core.db import Tx
from crm.bidi import hours
from crm.bidi.earned import Record
from crm.bidi.models import Autonomy, Bidi
from crm.drafts import earning
from crm.identity.models import Organization
from crm.policy.matrix import Case, decide
from crm.policy.models import Decision, Impact, Reach, Risk
from crm.policy.queries import get_overrides
from crm.runs import day_budgets, tool_calls

# The tool with which an agent answers without a person; tools/drafts.py has it.
ANSWERING = "send_reply"


@dataclass(frozen=True)
class Standing:
    """One intent of a seat: what people decided since the last incident on it, and whether it is given."""

    record: Record
    is_on_autopilot: bool
    last_incident_at: datetime | None = None

    @property
    def intent(self) -> str:
        return self.record.intent


@dataclass(frozen=True)
class Autopilot:
    """Whether a seat answers anything by itself now.

    `hindrances` are codes, the weightiest first: archived, paused, autonomy, policy, intents, spent, capped, off_hours.
    `sent_today` counts what it sent by itself since midnight in its zone; `opens_at` is when its hours begin again, if
    they are over.
    """

    hindrances: tuple[str, ...]
    sent_today: int
    opens_at: datetime | None

    @property
    def is_on(self) -> bool:
        return not self.hindrances


async def list_standings(tx: Tx, bidi: Bidi) -> list[Standing]:
    """Every intent that people decided about, that the seat answers by itself, or that it lost; the nearest first."""
    records = {one.intent: one for one in await earning.list_records(tx, bidi.id)}
    incidents = await earning.last_incidents(tx, bidi.id)
    standings = [
        Standing(
            records.get(intent, Record(intent, 0, 0)), intent in bidi.autopilot_intents, incidents.get(intent)
        )
        for intent in sorted({*records, *incidents, *bidi.autopilot_intents})
    ]
    return sorted(standings, key=lambda one: (not one.is_on_autopilot, one.record.to_go))


async def get_autopilot(tx: Tx, bidi: Bidi, organization: Organization) -> Autopilot:
    """What stands between this seat and a reply of its own; the text of a reply is looked at when it is there."""
    zone = hours.zone_of(bidi, organization.time_zone)
    now = clock.now().astimezone(zone)
    sent = await tool_calls.count_calls_of_seat(tx, bidi.id, ANSWERING, hours.midnight(zone))
    is_at_work = hours.is_at_work(bidi, now, organization)
    hindered = {
        "archived": bidi.archived_at is not None,
        "paused": bidi.is_paused and bidi.archived_at is None,
        "autonomy": bidi.autonomy is not Autonomy.AUTOPILOT,
        "policy": not await _is_allowed(tx),
        "intents": not bidi.autopilot_intents,
        "spent": bool(await day_budgets.why_spent(tx, bidi)),
        "capped": sent >= bidi.daily_cap,
        "off_hours": not is_at_work,
    }
    opens_at = None if is_at_work else hours.next_opening(bidi, now, organization)
    return Autopilot(tuple(code for code, is_so in hindered.items() if is_so), sent, opens_at)


async def _is_allowed(tx: Tx) -> bool:
    """Whether policy lets an agent on autopilot answer into the thread."""
    case = Case(
        risk=Risk.EXTERNAL,
        reach=Reach.THREAD,
        impact=Impact.ORDINARY,
        is_tainted=True,
        autonomy=Autonomy.AUTOPILOT,
        is_counterpart_scoped=True,
        is_counterpart_safe=True,
    )
    return decide(case, await get_overrides(tx)) is Decision.ALLOW
