"""Plays one case and judges it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import JsonValue

from agents.llm.base import LanguageModel
from core.errors import AppError
from crm.evaluations.models import CaseResult
from evals.arena import Arena
from evals.cases import Case
from evals.scorers.base import Score
from evals.suites.base import Suite
from evals.traces import trace_of
from prompts import library
from prompts.library import Prompt


@dataclass(frozen=True)
class Setup:
    """What a case is played with: the model that every seat asks, and prompts in place of those in force."""

    model: LanguageModel
    prompts: Sequence[Prompt] = ()


async def play_case(arena: Arena, suite: Suite, case: Case, setup: Setup) -> CaseResult:
    """Play a case in an organization of its own. What the product refuses to do is a failed case, not an error."""
    started = time.perf_counter()
    try:
        with library.using(setup.prompts):
            played = await suite.play(arena, case, setup.model)
    except AppError as err:
        return CaseResult(False, {}, error=err.detail, latency_ms=_milliseconds(started))
    judged = {scorer.name: scorer(case, played) for scorer in (*suite.deciding, *suite.looking)}
    scores = {name: score for name, score in judged.items() if score is not None}
    deciding = [scores[scorer.name] for scorer in suite.deciding if scorer.name in scores]
    return CaseResult(
        is_passed=all(score.is_passed for score in deciding),
        scores={name: _told(score) for name, score in scores.items()},
        trace=trace_of(played),
        agent_run_id=UUID(str(played.run.id)) if played.run else None,
        cost_usd_micros=played.used.cost_usd_micros if played.used else 0,
        latency_ms=_milliseconds(started),
    )


def _milliseconds(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


def _told(score: Score) -> JsonValue:
    return {"value": round(score.value, 4), "is_passed": score.is_passed, "why": score.why[:500]}
