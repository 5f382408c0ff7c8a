"""Running a finished run again from one of its steps, dry: asking for it, and what came of it."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import In, Out, example
from api.nouns import Noun
from core.errors import NotFound
from crm.runs import replays, traces
from crm.runs.replays import MAX_PROMPT, NewReplay, ReplayStatus
from events.ids import ReplayId, RunId, UserId

router = Noun(tags=["runs"])
_PromptText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PROMPT)]


class ReplayIn(In):
    model_config = example(step="draft", model="offline")

    step: str = Field(
        max_length=50,
        description="A node of the run's graph, as its steps tell them; `think.2` is the third thought of a copilot's run.",
    )
    model: str | None = Field(
        default=None,
        max_length=100,
        description="The name of a language model; the seat's own when left out.",
    )
    prompts: dict[str, _PromptText] = Field(
        default_factory=dict,
        max_length=10,
        description="Texts that stand in for prompts of the step, by their names; the others are those in force.",
        examples=[{"inbox/draft": "You are {{ seat }}. Answer in one sentence."}],
    )


class DryCallOut(Out):
    """A tool call of a replay: judged, and never done."""

    tool: str = Field(examples=["draft_reply"])
    arguments: JsonValue
    decision: str = Field(description="allow, ask or deny")
    status: str = Field(description="done, asked, refused or failed: how it ended, or would have.")
    error: str
    is_made: bool = Field(description="It was called in truth now; it only reads.")
    is_recorded: bool = Field(description="It was answered as it was the first time.")


class ReplayOut(Out):
    """A run that was run again from a step, without any effect."""

    id: ReplayId
    run_id: RunId
    step: str
    model: str | None = Field(description="Null: the seat's own.")
    prompts: dict[str, str] = Field(description="The texts that differ from those in force.")
    asked_by: UserId
    asked_at: datetime
    status: ReplayStatus
    outcome: str
    reason: str
    body: str = Field(description="The reply or answer that somebody would have read.")
    flags: list[dict[str, str]] = Field(description="What a person would have had to check.")
    calls: list[DryCallOut]
    answered_by: str
    tokens_in: int
    tokens_out: int
    cost_usd_micros: int
    ended_at: datetime | None


@router.get(
    "/runs/{run_id}/replays",
    operation_id="list_replays",
    summary="List what came of a run that was run again, the newest first",
    responses=problems(404),
)
async def list_replays(tx: ApiTx, run_id: RunId) -> list[ReplayOut]:
    await traces.get_run_line(tx, run_id)
    return [ReplayOut.model_validate(one) for one in await replays.list_replays(tx, run_id)]


@router.post(
    "/runs/{run_id}/replays",
    operation_id="replay_run",
    summary="Run a finished run again from one of its steps, without any effect",
    status_code=202,
    responses=problems(404, 409, *BODY),
)
async def replay_run(tx: ApiTx, run_id: RunId, wanted: ReplayIn) -> ReplayOut:
    new = NewReplay(run_id, wanted.step, wanted.model, wanted.prompts)
    return ReplayOut.model_validate(await replays.ask_replay(tx, new))


@router.get(
    "/runs/{run_id}/replays/{replay_id}",
    operation_id="get_replay",
    summary="Read what came of running a run again",
    responses=problems(404),
)
async def get_replay(tx: ApiTx, run_id: RunId, replay_id: ReplayId) -> ReplayOut:
    await traces.get_run_line(tx, run_id)
    replay = await replays.get_replay(tx, replay_id)
    if replay.run_id != run_id:
        raise NotFound("No such replay of this run.")
    return ReplayOut.model_validate(replay)
