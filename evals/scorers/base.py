"""What every scorer is, and what it says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

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
    """What the contact got, or would get: the proposed draft and whatever went out after the last inbound message."""
    said = [message.body for message in played.messages if _is_new(played, message.seq, message.direction)]
    return "\n".join([*said, played.draft.body] if played.draft else said)


def _is_new(played: Played, seq: int, direction: str) -> bool:
    return direction == "out" and seq > played.conversation.last_inbound_seq
