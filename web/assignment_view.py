"""Rules of assignment as their page shows them, a trial in words, and the form of a rule read back."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.datastructures import FormData

from core.db import Tx
from core.errors import Unprocessable
from crm.assignment.models import Assigned, AssignmentRule, Case, Considered, Verdict, Way
from crm.assignment.queries import judge, list_rules, list_unassigned, reassigns_paused
from crm.bidi.models import Bidi, BidiKind
from crm.bidi.queries import list_bidi
from crm.contacts.queries import get_contact
from crm.segments.queries import segment_names
from events.ids import ContactId, RecordKind
from web.i18n import Words
from web.phrases import N_
from web.pickers import suggest

CHANNELS = {"": N_("any channel"), "telegram": N_("Telegram"), "email": N_("Email"), "webchat": N_("Chat")}
WAYS = {
    Way.IN_TURN: N_("in turn"),
    Way.LEAST_LOADED: N_("to whom has the least in hand"),
}
WHY_NOT = {
    "": N_("could take it"),
    "archived": N_("archived"),
    "paused": N_("paused"),
    "left": N_("has just been paused"),
    "agent": N_("an agent; this is for a person"),
    "observes": N_("only observes"),
    "language": N_("does not speak %(language)s"),
    "account": N_("works on other accounts"),
    "hours": N_("outside its working hours"),
    "full": N_("full: %(load)s of %(capacity)s"),
}
SKIPPED = {
    "off": N_("switched off"),
    "channel": N_("for another channel"),
    "segment": N_("not in its segment"),
    "broken": N_("its segment cannot be read any more"),
}
UNASSIGNED = {
    "no_rule": N_("No rule is about it"),
    "nobody_free": N_("Nobody whom the rules name can take it now"),
}


@dataclass(frozen=True)
class Line:
    """A rule in the list; `up` is the place that a press moves it to, or None for the first."""

    rule: AssignmentRule
    number: int
    seats: list[Bidi]
    segment: str
    up: int | None


@dataclass(frozen=True)
class Tried:
    """What became of a trial, in words."""

    contact_name: str
    language: str
    verdict: Verdict


async def load(tx: Tx, words: Words, contact: str, channel: str) -> dict[str, Any]:
    """Everything on the page; a contact is named by words that the search finds."""
    rules = await list_rules(tx)
    seats = {seat.id: seat for seat in await list_bidi(tx)}
    segments = await segment_names(tx, RecordKind.CONTACT)
    lines: dict[str, list[Line]] = {kind: [] for kind in Assigned}
    for rule in rules:
        same = lines[rule.record_kind]
        named = [seats[one] for one in rule.bidi_ids if one in seats]
        segment = segments.get(UUID(str(rule.segment_id)), "") if rule.segment_id else ""
        same.append(Line(rule, len(same) + 1, named, segment, len(same) or None))
    return {
        "lines": lines,
        "seats": [one for one in seats.values() if _can_take(one)],
        "segments": segments,
        "unassigned": await list_unassigned(tx),
        "reassigns_paused": await reassigns_paused(tx),
        "channels": CHANNELS,
        "contact": contact,
        "channel": channel,
        "tried": await _try(tx, contact, channel) if contact else None,
        "why_not": lambda one, language: why_not_text(one, language, words),
        "skipped": SKIPPED,
        "why_unassigned": UNASSIGNED,
        "way_texts": WAYS,
    }


def _can_take(seat: Bidi) -> bool:
    is_in_use = seat.archived_at is None
    return is_in_use and (seat.kind is not BidiKind.AI or seat.serves_conversations)


async def _try(tx: Tx, contact: str, channel: str) -> Tried | None:
    """Who would get a conversation with the contact who is found first; None when nobody is."""
    found = await suggest(tx, RecordKind.CONTACT, contact)
    if not found:
        return None
    person = await get_contact(tx, ContactId(found[0].id))
    case = Case(Assigned.CONVERSATION, person.id, person.language, channel)
    return Tried(person.name, person.language, await judge(tx, case))


def why_not_text(one: Considered, language: str, words: Words) -> str:
    """Why a seat does not take what was tried, or that it could."""
    return words.gettext(
        WHY_NOT[one.why_not],
        language=words.language(language),
        load=words.number(one.load),
        capacity=words.number(one.seat.capacity or 0),
    )


def values_of(form: FormData | None) -> dict[str, Any]:
    """What stands in the form of a new rule: nothing yet, or what was sent and not taken."""
    if form is None:
        return {"name": "", "way": Way.LEAST_LOADED, "channel": "", "segment_id": "", "record_kind": "",
                "bidi_ids": set()}  # fmt: skip
    sent = {name: str(form.get(name, "")) for name in ("name", "way", "channel", "segment_id", "record_kind")}
    return {**sent, "bidi_ids": {str(one) for one in form.getlist("bidi_ids")}}


def read_form(form: FormData) -> dict[str, Any]:
    """The fields that a form has. Raises: Unprocessable for what is not written as it should be."""
    fields: dict[str, Any] = {name: str(form[name]) for name in ("name", "channel") if name in form}
    try:
        if "segment_id" in form:
            fields["segment_id"] = UUID(str(form["segment_id"])) if form["segment_id"] else None
        if "way" in form:
            # boxes that nobody ticked are not sent, so they are read with what always is
            fields |= {
                "way": Way(str(form["way"])),
                "bidi_ids": sorted(UUID(str(one)) for one in form.getlist("bidi_ids")),
            }
    except ValueError as err:
        raise Unprocessable("This is not there any more; reload the page.", field="bidi_ids") from err
    return fields
