"""How well what was said is read: facts and promises found in short messages, counted against what is in them.

Every message stands alone and was written on Wednesday, 25 November 2026, at ten o'clock. Any model may be measured; it
is asked as the memory writer asks it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from agents.llm.base import LanguageModel, ModelMessage, ModelRequest
from agents.llm.exchange import Budget, Exchange, Limits, ModelFailed, ask
from agents.memory_writer.contract import Found, Line, Talk
from agents.memory_writer.nodes import EXTRACT, TASK, problem_of
from prompts import library

DATASETS = Path(__file__).parent / "datasets"
WRITTEN_AT = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
LANGUAGES = ("en", "ru")
_NO_LIMITS = Limits(steps=10, tokens=10**9, cost_usd_micros=10**9, seconds=600, model_seconds=300)


# The rules of the offline model were mended with the tuning part in sight; the test part was written and measured after.
Part = Literal["tuning", "test"]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Says(_Line):
    """A fact that is in a message: its predicate, and words that the statement has to have."""

    predicate: str
    says: str


class FactCase(_Line):
    id: str
    text: str
    facts: tuple[Says, ...]
    part: Part


class PromiseCase(_Line):
    """`due_at` is None where nobody binds themselves to a time."""

    id: str
    author: Literal["contact", "us"]
    text: str
    due_at: datetime | None
    part: Part


def fact_cases(language: str) -> list[FactCase]:
    return [
        TypeAdapter(FactCase).validate_json(line) for line in _lines(DATASETS / f"facts.{language}.jsonl")
    ]


def promise_cases(language: str) -> list[PromiseCase]:
    return [
        TypeAdapter(PromiseCase).validate_json(line)
        for line in _lines(DATASETS / f"promises.{language}.jsonl")
    ]


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


@dataclass(frozen=True)
class Count:
    """What was found rightly, what wrongly, and what was missed; `slips` names the cases, for people."""

    right: int
    wrong: int
    missed: int
    slips: tuple[str, ...] = ()

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.right + other.right,
            self.wrong + other.wrong,
            self.missed + other.missed,
            self.slips + other.slips,
        )


async def count_facts(model: LanguageModel, cases: Sequence[FactCase]) -> Count:
    """A fact is right when its predicate is, and it has the words that tell it."""
    total = Count(0, 0, 0)
    for case in cases:
        found = await read(model, "contact", case.text)
        wanted = list(case.facts)
        wrong = []
        for fact in found.facts:
            hit = next(
                (
                    one
                    for one in wanted
                    if one.predicate == fact.predicate and one.says.casefold() in fact.text.casefold()
                ),
                None,
            )
            if hit is None:
                wrong.append(fact.predicate)
            else:
                wanted.remove(hit)
        slips = [f"{case.id}: +{name}" for name in wrong] + [f"{case.id}: -{one.predicate}" for one in wanted]
        total += Count(len(case.facts) - len(wanted), len(wrong), len(wanted), tuple(slips))
    return total


async def count_promises(model: LanguageModel, cases: Sequence[PromiseCase]) -> Count:
    """A promise is right when it is due at the very minute."""
    total = Count(0, 0, 0)
    for case in cases:
        found = await read(model, case.author, case.text)
        times = [promise.due_at for promise in found.promises]
        is_found = case.due_at is not None and case.due_at in times
        wrong = len(times) - is_found
        missed = case.due_at is not None and not is_found
        slips = [f"{case.id}: {time:%d.%m %H:%M}" for time in times if time != case.due_at]
        slips += [f"{case.id}: missed"] if missed and not times else []
        total += Count(int(is_found), wrong, int(missed), tuple(slips))
    return total


async def read(model: LanguageModel, author: Literal["contact", "us"], text: str) -> Found:
    """One message as the memory writer reads it; what no model can answer is nothing found."""
    talk = Talk(contact="Vera Lind", lines=(Line(n=1, author=author, text=text, at=WRITTEN_AT),))
    request = ModelRequest(
        task=TASK,
        messages=(
            ModelMessage("system", library.load(EXTRACT).render()),
            ModelMessage("user", talk.model_dump_json()),
        ),
        schema=Found.model_json_schema(),
    )
    try:
        exchange = Exchange(model, Budget(_NO_LIMITS), request)
        return await ask(exchange, Found, lambda answer: problem_of(answer, talk))
    except ModelFailed:
        return Found()
