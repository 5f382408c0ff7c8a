"""Runs that are run again from one of their steps, dry: a row of its own says what would have come of it.

What a replay reads and answers is nobody's work: no list of runs, no figure, no budget of a seat and no revert knows it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from core import clock, jsons
from core.db import Tx
from core.errors import Conflict, Unprocessable
from core.ids import uuid7
from crm.language_models.models import BUILT_IN
from crm.language_models.queries import find_language_model
from crm.runs import traces
from crm.runs.graphs import SHAPES
from crm.runs.traces import RunLine
from events import due
from events.ids import ReplayId, RunId, UserId
from events.outbox import emit
from events.types import RunReplayAsked
from prompts import library

WORK = "run.replay"
SCOPE = "bidi:instruct"
MAX_PROMPT = 20_000
GONE = "The checkpoint of this run is gone, so nothing can be run again from its steps."
NEVER_THERE = "This run never came to that step, so it cannot go on from there."


class ReplayStatus(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class DryCall:
    """A tool call of a replay. `status` is how it ended, or would have; only what `is_made` was called in truth, and it
    read. What `is_recorded` was answered as it was the first time."""

    tool: str
    arguments: Any
    decision: str
    status: str
    error: str = ""
    is_made: bool = False
    is_recorded: bool = False


@dataclass(frozen=True)
class Replay:
    """`step` is a node of the graph, or `node.2` for the third visit of one in a loop. `prompts` are texts that stand in
    for those in force; `model` is None for the seat's own."""

    id: ReplayId
    run_id: RunId
    step: str
    model: str | None
    prompts: dict[str, str]
    asked_by: UserId
    asked_at: datetime
    status: ReplayStatus
    outcome: str
    reason: str
    body: str
    flags: list[dict[str, str]]
    calls: list[dict[str, Any]]
    answered_by: str
    tokens_in: int
    tokens_out: int
    cost_usd_micros: int
    ended_at: datetime | None


@dataclass(frozen=True)
class NewReplay:
    run_id: RunId
    step: str
    model: str | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReplayResult:
    """What came of a replay; with `is_failed` it did not come to an end, and `reason` says why."""

    outcome: str = ""
    reason: str = ""
    body: str = ""
    flags: Sequence[Mapping[str, str]] = ()
    calls: Sequence[DryCall] = ()
    answered_by: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd_micros: int = 0
    is_failed: bool = False


def prompts_at(run: RunLine, step: str) -> dict[str, str]:
    """The texts in force of the prompts that are asked next from a step. Raises: Conflict."""
    shape = SHAPES.get(run.agent)
    if shape is None or not shape.may_fork(step):
        raise Conflict("A run cannot be run again from there.")
    return {name: library.in_force(name).text for name in shape.prompts[node_of(step)]}


async def check_replayable(tx: Tx, run_id: RunId, step: str) -> RunLine:
    """The run, if it can be run again from this step.

    Raises: Forbidden; NotFound; Conflict for a step of no use, while it works, when its checkpoint is gone, or when it never came there.
    """
    tx.principal.require(SCOPE)
    run = await traces.get_run_line(tx, run_id)
    prompts_at(run, step)
    if run.finished_at is None:
        raise Conflict("This run still works; it can be run again when it has ended.")
    visited = await traces.list_visited_nodes(tx, run_id)
    if not visited:
        raise Conflict(GONE)
    if node_of(step) not in visited:
        raise Conflict(NEVER_THERE)
    return run


def node_of(step: str) -> str:
    """Where in the graph a step stands: `think.2` at think."""
    return step.partition(".")[0]


async def ask_replay(tx: Tx, new: NewReplay) -> Replay:
    """Run a run again from a step, with other prompts or another model; a worker does it.

    Raises: as `check_replayable`; Unprocessable for a prompt that is none of that step or cannot be used, or a model
    that nobody has set up.
    """
    run = await check_replayable(tx, new.run_id, new.step)
    replay_id = ReplayId(uuid7())
    await tx.execute(
        """
        INSERT INTO run_replays (organization_id, id, run_id, step, model, prompts, asked_by)
        VALUES (%(organization_id)s, %(id)s, %(run_id)s, %(step)s, %(model)s, %(prompts)s::jsonb, %(asked_by)s)
        """,
        organization_id=tx.organization_id,
        id=replay_id,
        run_id=new.run_id,
        step=new.step,
        model=await _model(tx, new.model),
        prompts=jsons.dumps(_changed(prompts_at(run, new.step), new.prompts)),
        asked_by=tx.principal.id,
    )
    await due.schedule(tx, WORK, replay_id, clock.now())
    await emit(tx, RunReplayAsked(new.run_id, replay_id))
    return await get_replay(tx, replay_id)


async def _model(tx: Tx, name: str | None) -> str | None:
    if not name:
        return None
    if name not in BUILT_IN and await find_language_model(tx, name) is None:
        raise Unprocessable(f"There is no language model {name!r}.")
    return name


def _changed(current: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """The texts that differ from those in force."""
    changed = {}
    for name, text in wanted.items():
        # a form sends the line ends of the network
        text = text.replace("\r\n", "\n").strip() + "\n"
        if name not in current:
            raise Unprocessable(f"The prompt {name} is not asked at that step.")
        if not text.strip() or len(text) > MAX_PROMPT:
            raise Unprocessable(f"The prompt {name} needs a text of at most {MAX_PROMPT} characters.")
        if text != current[name]:
            try:
                library.edited(name, text)
            except library.PromptError as err:
                raise Unprocessable(f"The prompt {name} cannot be used: {err}") from err
            changed[name] = text
    return changed


_COLUMNS = """
        SELECT id, run_id, step, model, prompts, asked_by, asked_at, status, outcome, reason, body, flags, calls,
               answered_by, tokens_in, tokens_out, cost_usd_micros, ended_at
          FROM run_replays
"""


async def get_replay(tx: Tx, replay_id: ReplayId) -> Replay:
    """Raises: NotFound; Forbidden."""
    tx.principal.require(SCOPE)
    return await tx.one(Replay, _COLUMNS + "WHERE id = %(id)s", id=replay_id)


async def list_replays(tx: Tx, run_id: RunId) -> list[Replay]:
    """Those of a run, the newest first."""
    tx.principal.require(SCOPE)
    return await tx.all(
        Replay, _COLUMNS + "WHERE run_id = %(run_id)s ORDER BY id DESC LIMIT 50", run_id=run_id
    )


async def record_replay(tx: Tx, replay_id: ReplayId, result: ReplayResult) -> None:
    """Keep what came of it, once."""
    await tx.execute(
        """
        UPDATE run_replays
           SET status = %(status)s, outcome = %(outcome)s, reason = %(reason)s, body = %(body)s, flags = %(flags)s::jsonb,
               calls = %(calls)s::jsonb, answered_by = %(answered_by)s, tokens_in = %(tokens_in)s,
               tokens_out = %(tokens_out)s, cost_usd_micros = %(cost_usd_micros)s, ended_at = now()
         WHERE id = %(id)s
           AND status = 'waiting'
        """,
        id=replay_id,
        status=ReplayStatus.FAILED if result.is_failed else ReplayStatus.DONE,
        outcome=result.outcome,
        reason=result.reason[:500],
        body=result.body,
        flags=jsons.dumps([dict(flag) for flag in result.flags]),
        calls=jsons.dumps([vars(call) for call in result.calls]),
        answered_by=result.answered_by,
        tokens_in=result.tokens_in,
        tokens_out=result.tokens_out,
        cost_usd_micros=result.cost_usd_micros,
    )
