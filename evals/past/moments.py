"""A talk at one of its moments, as a case: what the contact had written, what was known, what one of us then did."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import JsonValue

from agents.llm.offline.intents import Intent, read_burst
from core.jsons import dumps, loads
from core.languages import Language, language_of_sender
from evals.cases import Case, Decided, Expect
from evals.scene import DealAtHand, Paper, Person, Said, Scene, Seat, Statement

# An agent reads the last forty messages of a thread; what came before them changes nothing.
_REMEMBERED = 48
# As `agents.context` has it: what was left unanswered longer than this is history by now.
_BURST_GAP = timedelta(hours=12)
_TRIFLES = (Intent.GREETING, Intent.THANKS, Intent.OTHER)


@dataclass(frozen=True)
class Spoken:
    """One message of a talk. `is_by_person` tells what a colleague wrote from what a program sent."""

    is_ours: bool
    text: str
    at: datetime
    is_by_person: bool = True


@dataclass(frozen=True)
class Known:
    """What the team knew at a moment besides the talk itself."""

    facts: tuple[Statement, ...] = ()
    deals: tuple[DealAtHand, ...] = ()
    notes: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    documents: tuple[Paper, ...] = ()
    seat: Seat = field(default_factory=Seat)


@dataclass(frozen=True)
class Talk:
    """A talk with one person, oldest message first; `key` names it the same whenever it is read."""

    key: str
    person: Person
    lines: tuple[Spoken, ...]


@dataclass(frozen=True)
class Moment:
    """When an answer was due: what waited for it, and everything before."""

    at: datetime
    burst: tuple[str, ...]
    history: tuple[Spoken, ...]


@dataclass(frozen=True)
class Reply:
    """What one of us then wrote."""

    moment: Moment
    text: str


def replies(talk: Sequence[Spoken]) -> list[Reply]:
    """Every point of a talk at which a colleague answered, with the whole answer until the contact wrote again."""
    found: list[Reply] = []
    position = 0
    while position < len(talk):
        if talk[position].is_ours:
            end = position
            while end < len(talk) and talk[end].is_ours:
                end += 1
            said = talk[position:end]
            moment = moment_of(talk[:position])
            if moment is not None and all(line.is_by_person for line in said):
                found.append(Reply(moment, "\n".join(line.text for line in said)))
            position = end
        else:
            position += 1
    return found


def moment_of(talk: Sequence[Spoken]) -> Moment | None:
    """The moment after the last message, if that is the contact's: then the burst that ends with it waits."""
    start = len(talk)
    while start and not talk[start - 1].is_ours and _goes_with(talk, start):
        start -= 1
    burst = tuple(line.text for line in talk[start:] if line.text.strip())
    if not burst:
        return None
    return Moment(talk[-1].at, burst, tuple(talk[max(0, start - _REMEMBERED) : start]))


def _goes_with(talk: Sequence[Spoken], start: int) -> bool:
    return start == len(talk) or talk[start].at - talk[start - 1].at < _BURST_GAP


def case_of(
    key: str, moment: Moment, person: Person, known: Known, *, reply: str, decided: Decided | None = None
) -> Case:
    """The case: it is played at the moment itself, with nothing that is younger."""
    language = language_of_sender(" ".join(moment.burst), person.language)
    scene = Scene(
        contact=person.model_copy(update={"language": language}),
        facts=known.facts,
        deals=known.deals,
        notes=known.notes,
        tasks=known.tasks,
        documents=known.documents,
        history=tuple(_said(line, moment.at) for line in moment.history),
        seat=known.seat,
        now=moment.at,
    )
    told: dict[str, JsonValue] = loads(dumps(scene.model_dump(mode="json", exclude_defaults=True)))
    return Case(
        id=key,
        language=language,
        stratum=intent_of(moment.burst, language),
        scene=told,
        burst=moment.burst,
        expect=Expect(reply=reply),
        decided=decided,
    )


def _said(line: Spoken, now: datetime) -> Said:
    minutes = max(0, int((now - line.at).total_seconds() // 60))
    return Said(by="us" if line.is_ours else "contact", text=line.text, minutes_ago=minutes)


def intent_of(burst: Sequence[str], language: Language) -> str:
    """What a burst is about, by rules alone, so that it is the same for every model: the surest of its wishes."""
    parts = read_burst(burst, language)
    weighty = [part for part in parts if part.intent not in _TRIFLES] or parts
    best = max(weighty, key=lambda part: part.score, default=None)
    return str(best.intent) if best is not None else str(Intent.OTHER)
