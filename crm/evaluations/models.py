"""Runs of evaluation suites, their cases, and what is to be known of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import JsonValue

from events.ids import EvalCaseId, EvalRunId

Json = dict[str, JsonValue]


class EvalStatus(StrEnum):
    RUNNING = "running"
    FINISHED = "finished"


class CaseStatus(StrEnum):
    WAITING = "waiting"
    DONE = "done"


@dataclass(frozen=True)
class NewEvalCase:
    """A case to be played: `key` is its name in the data set, `definition` what is played and expected."""

    key: str
    language: str
    definition: Json


@dataclass(frozen=True)
class NewEvalRun:
    """What is going to be measured, with everything that another run needs to be the same."""

    suite: str
    model: str
    prompts: Json
    code_version: str
    dataset_sha256: str
    seed: int
    cases: Sequence[NewEvalCase]


@dataclass(frozen=True)
class EvalRun:
    id: EvalRunId
    suite: str
    status: EvalStatus
    model: str
    prompts: Json
    code_version: str
    dataset_sha256: str
    seed: int
    cases: int
    figures: Json
    is_passed: bool | None
    cost_usd_micros: int
    started_by: UUID
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class EvalCase:
    """One case of a run; `trace` is what the agent did, read back from its throw-away organization."""

    id: EvalCaseId
    run_id: EvalRunId
    position: int
    key: str
    language: str
    definition: Json
    status: CaseStatus
    is_passed: bool | None
    scores: Json
    trace: Json | None
    agent_run_id: UUID | None
    error: str
    cost_usd_micros: int
    latency_ms: int


@dataclass(frozen=True)
class CaseResult:
    """What became of a case. `error` says what broke: a case that broke has failed."""

    is_passed: bool
    scores: Mapping[str, JsonValue]
    trace: Mapping[str, JsonValue] = field(default_factory=dict)
    agent_run_id: UUID | None = None
    error: str = ""
    cost_usd_micros: int = 0
    latency_ms: int = 0
