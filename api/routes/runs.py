"""Runs: what agents did and are doing, asking for one and stopping one."""

from datetime import datetime
from uuid import UUID

from pydantic import Field, JsonValue

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Out, PageOut, Text, example
from api.nouns import Noun
from crm.runs import actions as runs
from crm.runs import queries
from crm.runs.models import RunStatus
from crm.runs.tool_calls import list_tool_calls as calls_of
from events.ids import BidiId, ConversationId, RunId, TriggerId

router = Noun(tags=["runs"])


class RunIn(In):
    model_config = example(feedback="Offer a call on Thursday.")

    bidi_id: BidiId | None = Field(default=None, description="The seat; the last one here when left out.")
    feedback: Text = ""


class RunOut(Out):
    id: RunId
    conversation_id: ConversationId | None = Field(description="The one that it serves, if it serves one.")
    bidi_id: BidiId
    agent: str = Field(examples=["inbox"])
    trigger_id: TriggerId | None
    status: RunStatus
    due_at: datetime
    feedback: str
    based_on_seq: int | None = Field(description="Up to which message it may have read.")
    steps: int
    tokens_in: int
    tokens_out: int
    cost_usd_micros: int
    model: str
    outcome: str
    reason: str


class ToolCallOut(Out):
    id: UUID
    tool: str = Field(examples=["draft_reply"])
    arguments: JsonValue
    decision: str = Field(description="allow, ask or deny")
    is_tainted: bool = Field(description="Whether the run had read text from outside before.")
    status: str = Field(description="running, done, refused or failed")
    result: JsonValue
    error: str


@router.get("/runs", operation_id="list_runs", summary="List runs, the newest first")
async def list_runs(
    tx: ApiTx,
    status: RunStatus | None = None,
    conversation_id: ConversationId | None = None,
    cursor: Cursor = None,
    limit: Limit = 25,
) -> PageOut[RunOut]:
    page = await queries.list_runs(
        tx, status=status, conversation_id=conversation_id, cursor=cursor, limit=limit
    )
    return PageOut[RunOut].of(page)


@router.get("/runs/{run_id}", operation_id="get_run", summary="Read one run", responses=problems(404))
async def get_run(tx: ApiTx, run_id: RunId) -> RunOut:
    return RunOut.model_validate(await queries.get_run(tx, run_id))


@router.get(
    "/runs/{run_id}/tool-calls",
    operation_id="list_tool_calls",
    summary="List what a run called, in order",
    responses=problems(404),
)
async def list_tool_calls(tx: ApiTx, run_id: RunId) -> list[ToolCallOut]:
    await queries.get_run(tx, run_id)
    return [ToolCallOut.model_validate(call) for call in await calls_of(tx, run_id)]


@router.post(
    "/conversations/{conversation_id}/runs",
    operation_id="ask_for_run",
    summary="Let an agent look at a conversation now",
    status_code=202,
    responses=problems(404, 409, *BODY),
)
async def ask_for_run(tx: ApiTx, conversation_id: ConversationId, wanted: RunIn) -> RunOut:
    run_id = await runs.ask_for_run(tx, conversation_id, bidi_id=wanted.bidi_id, feedback=wanted.feedback)
    return RunOut.model_validate(await queries.get_run(tx, run_id))


@router.post(
    "/runs/{run_id}/cancellation",
    operation_id="cancel_run",
    summary="Stop a run",
    responses=problems(404, 409),
)
async def cancel_run(tx: ApiTx, run_id: RunId) -> RunOut:
    return RunOut.model_validate(await runs.stop_run(tx, run_id))
