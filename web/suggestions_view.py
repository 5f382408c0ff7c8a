"""Suggestions as pages show them: why now, what would be done, what it rests on, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.db import Tx
from crm.approvals.models import ToolApproval
from crm.approvals.queries import list_tool_approvals
from crm.records.models import RecordRef
from crm.suggestions.models import Evidence, ProposedCall, Suggestion, SuggestionKind, SuggestionStatus
from crm.suggestions.queries import list_suggestions
from events.ids import ConversationId, SuggestionId
from web.i18n import Words
from web.phrases import N_
from web.tool_cards import PLACES, CardField, CardMark, doing, fields_of, marks_of, state_of

# So many stand on a page of something else; all of them have a page of their own.
FEW = 5
KINDS = {
    SuggestionKind.PROMISE: N_("A promise is due"),
    SuggestionKind.STALLED_DEAL: N_("A deal stands still"),
}
# Told by the title of the suggestion or by its sources.
_TOLD = frozenset({"evidence", "flags", "language", "intents"})


@dataclass(frozen=True)
class _Asked:
    """A proposed call as a card reads it."""

    tool: str
    arguments: dict[str, Any]
    records: list[dict[str, Any]]
    marks: list[dict[str, Any]]
    bidi_name: str
    conversation_id: ConversationId | None


@dataclass(frozen=True)
class Step:
    """One thing that would be done, or was: `state` says what became of it."""

    doing: str
    fields: list[CardField]
    state: str = ""
    is_done: bool = False


@dataclass(frozen=True)
class Basis:
    """One thing that it rests on, with the place where it stands."""

    label: str
    quote: str
    href: str


@dataclass(frozen=True)
class SuggestionCard:
    suggestion: Suggestion
    reason: str
    record_href: str
    steps: list[Step]
    marks: list[CardMark]
    basis: list[Basis]
    state: str

    @property
    def id(self) -> str:
        return str(self.suggestion.id)


async def load_cards(
    tx: Tx,
    words: Words,
    *,
    status: SuggestionStatus | None = SuggestionStatus.OPEN,
    record: RecordRef | None = None,
    limit: int = FEW,
) -> list[SuggestionCard]:
    """What waits, or what was decided, of everything or of one record."""
    page = await list_suggestions(tx, status=status, record=record, limit=limit)
    return await cards_of(tx, words, page.items)


async def cards_of(tx: Tx, words: Words, found: Sequence[Suggestion]) -> list[SuggestionCard]:
    ids = [one.id for one in found if one.status is SuggestionStatus.ACCEPTED]
    made: dict[SuggestionId | None, list[ToolApproval]] = {}
    for call in await list_tool_approvals(tx, suggestion_ids=ids, limit=5 * len(ids)) if ids else []:
        made.setdefault(call.suggestion_id, []).append(call)
    return [_card(one, made.get(one.id, []), words) for one in found]


def _card(suggestion: Suggestion, made: list[ToolApproval], words: Words) -> SuggestionCard:
    asked = [_asked(call, suggestion) for call in suggestion.proposed]
    place = PLACES[suggestion.record_kind]
    return SuggestionCard(
        suggestion=suggestion,
        reason=words.gettext(KINDS[suggestion.kind]),
        record_href=place.format(id=suggestion.record_id),
        steps=[_step(call, made[n] if n < len(made) else None, words) for n, call in enumerate(asked)],
        marks=[mark for call in asked for mark in marks_of(call, words) if mark.is_weighty],
        basis=[_basis(one) for one in suggestion.rests_on],
        state=_state(suggestion, words),
    )


def _asked(call: ProposedCall, suggestion: Suggestion) -> _Asked:
    arguments = {name: value for name, value in call.arguments.items() if name not in _TOLD}
    return _Asked(
        call.tool, arguments, call.records, call.marks, suggestion.bidi_name, suggestion.conversation_id
    )


def _step(call: _Asked, made: ToolApproval | None, words: Words) -> Step:
    state = state_of(made, words) if made else ""
    is_done = made is not None and made.call_status == "done"
    return Step(doing(call.tool, words), fields_of(call, words), state, is_done)


def _basis(one: Evidence) -> Basis:
    if one.kind in ("message", "memory") and one.conversation_id is not None:
        return Basis(one.label, one.quote, f"/inbox/{one.conversation_id}?folder=all#message-{one.id}")
    return Basis(one.label, one.quote, PLACES[one.kind].format(id=one.id) if one.kind in PLACES else "")


def _state(suggestion: Suggestion, words: Words) -> str:
    name = suggestion.decider_name or words.gettext("a person")
    when = words.when(suggestion.decided_at) if suggestion.decided_at else ""
    match suggestion.status:
        case SuggestionStatus.ACCEPTED:
            return words.gettext("Accepted by %(name)s, %(when)s", name=name, when=when)
        case SuggestionStatus.DISMISSED:
            return words.gettext("Dismissed by %(name)s, %(when)s", name=name, when=when)
        case SuggestionStatus.EXPIRED:
            return words.gettext("No longer needed")
        case _:
            return ""
