"""Which of a rule's seats takes a case: who can at all, and who of them should."""

from collections.abc import Sequence
from datetime import UTC, datetime

from crm.assignment.models import Candidate, Case, Way
from crm.bidi import hours
from crm.bidi.models import Autonomy, BidiKind
from crm.identity.models import Organization

_NEVER = datetime.min.replace(tzinfo=UTC)


def why_not(candidate: Candidate, case: Case, *, now: datetime, organization: Organization) -> str:
    """Why a seat cannot take a case, as a code; empty when it can.

    The codes: archived, paused, left, agent (only people can), observes, language, account, hours, full.
    """
    seat = candidate.seat
    local = now.astimezone(hours.zone_of(seat, organization.time_zone))
    is_agent = seat.kind is BidiKind.AI
    reasons = {
        "archived": seat.archived_at is not None,
        "paused": seat.is_paused,
        "left": seat.id == case.without,
        "agent": is_agent and case.is_for_person,
        "observes": is_agent and seat.autonomy is Autonomy.OBSERVE,
        "language": bool(seat.languages) and case.language not in seat.languages,
        "account": _is_elsewhere(candidate, case),
        "hours": not hours.is_at_work(seat, local, organization),
        "full": seat.capacity is not None and candidate.load >= seat.capacity,
    }
    return next((code for code, is_so in reasons.items() if is_so), "")


def _is_elsewhere(candidate: Candidate, case: Case) -> bool:
    """Whether the case came over an account that is not the seat's, or is another seat's own."""
    if case.account_id is None:
        return False
    own = candidate.seat.account_ids
    return case.account_id not in own if own else case.account_id in candidate.account_ids


def choose(way: Way, free: Sequence[Candidate]) -> Candidate | None:
    """One of those who can; of equals the one who has waited longest, then the oldest seat."""
    if not free:
        return None
    if way is Way.IN_TURN:
        return min(free, key=_turn)
    return min(free, key=lambda one: (one.load, *_turn(one)))


def _turn(candidate: Candidate) -> tuple[datetime, str]:
    return candidate.assigned_at or _NEVER, str(candidate.seat.id)
