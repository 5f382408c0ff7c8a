"""What every scorer is, and what it says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from pydantic import JsonValue

from evals.arena import Played
from evals.cases import Case


@dataclass(frozen=True)
class Score:
    """How good, from 0 to 1, and whether that is good enough; `why` is for who looks at a failure."""

    value: float
    is_passed: bool
    why: str = ""


class Scorer(Protocol):
    """Judges one thing about a case; None where the case says nothing about it."""

    @property
    def name(self) -> str: ...

    def __call__(self, case: Case, played: Played) -> Score | None: ...


@dataclass(frozen=True)
class Named:
    """A plain function as a scorer."""

    name: str
    judge: Callable[[Case, Played], Score | None]

    def __call__(self, case: Case, played: Played) -> Score | None:
        return self.judge(case, played)


def all_of(found: Sequence[bool], why: str = "") -> Score:
    """The share of things that are right; good enough when all are."""
    value = sum(found) / len(found) if found else 1.0
    return Score(value, value == 1.0, "" if value == 1.0 else why)


def reply_of(played: Played) -> str:
    """What the contact got, or would get: the proposed draft and whatever went out after the last inbound message.

    Where a colleague asked, what they were answered.
    """
    if played.answer is not None:
        return played.answer.answer
    said = [message.body for message in played.messages if _is_new(played, message.seq, message.direction)]
    return "\n".join([*said, played.draft.body] if played.draft else said)


def _is_new(played: Played, seq: int, direction: str) -> bool:
    last = played.conversation.last_inbound_seq if played.conversation else 0
    return direction == "out" and seq > last


def named(value: JsonValue, ids: Mapping[str, UUID]) -> JsonValue:
    """A value of a case: `@deal` is the id of what has this name, everything else is itself."""
    if isinstance(value, str) and value.startswith("@") and value[1:] in ids:
        return str(ids[value[1:]])
    return value
