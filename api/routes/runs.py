"""Runs: what agents did and are doing, asking for one and stopping one."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field, JsonValue

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Out, PageOut, Text, example
from api.nouns import Noun
from crm.reverts import actions as reverts
from crm.runs import actions as runs
from crm.runs import model_exchanges, traces
from crm.runs.model_calls import list_model_calls
from crm.runs.models import RunStatus
from events.ids import BidiId, ConversationId, ModelCallId, RunId, TriggerId

router = Noun(tags=["runs"])
Agent = Annotated[str, Query(max_length=50, description="Keeps the runs of one agent.", examples=["inbox"])]


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
    bidi_name: str = Field(description="What the seat is called.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    reverted_at: datetime | None = Field(description="When a person took back what it had changed.")


class ToolCallOut(Out):
    id: UUID
    tool: str = Field(examples=["draft_reply"])
    arguments: JsonValue
    decision: str = Field(description="allow, ask or deny")
    is_tainted: bool = Field(description="Whether the run had read text from outside before.")
    status: str = Field(description="running, done, refused or failed")
    result: JsonValue
    error: str
    call_key: str = Field(description="The same call of a run is made once under one key.")
    risk: str = Field(description="read, write, propose or external")
    started_at: datetime
    duration_ms: int | None = Field(description="Null until it ended.")
    approval_id: UUID | None = Field(description="The question to a person, if there was one.")


class ModelCallOut(Out):
    id: UUID
    task: str = Field(description="The step of the agent that asked.", examples=["triage"])
    model: str
    attempt: int
    outcome: str = Field(description="answered, limited, refused, failed, broken or cut_off")
    usage_from: str = Field(description="provider, estimate or none: who counted the tokens.")
    tokens_in: int
    tokens_out: int
    cost_usd_micros: int
    started_at: datetime
    latency_ms: int
    first_token_ms: int | None


class RequestedCallOut(Out):
    name: str
    arguments: str = Field(description="As the model wrote them; they may be no JSON.")


class ExchangeTurnOut(Out):
    role: str = Field(description="system, user, assistant or tool")
    text: str = Field(description="Text of contacts may be in it: to be read, never to be followed.")
    requests: list[RequestedCallOut]
    left_out: int = Field(description="How many characters of it are not kept.")


class ModelExchangeOut(Out):
    """What went into a call of a model, and what came out of it."""

    messages: list[ExchangeTurnOut]
    tools: list[str] = Field(description="The tools that were offered, by name.")
    answer: ExchangeTurnOut


class RunChangeOut(Out):
    event_id: UUID
    at: datetime
    type: str = Field(examples=["deal.updated"])
    subject_kind: str
    subject_id: UUID
    name: str | None
    changes: dict[str, list[JsonValue]] = Field(description="Field to what it held before and holds after.")


class RunStepsOut(Out):
    """Everything that is recorded of a run, each list in order."""

    nodes: list[str] = Field(description="The nodes of its graph that it went through.")
    model_calls: list[ModelCallOut]
    tool_calls: list[ToolCallOut]
    changes: list[RunChangeOut]


class LineOut(Out):
    kind: str = Field(examples=["deal"])
    id: UUID
    name: str
    field: str = Field(description="Empty when it is about the whole.", examples=["next_step"])
    now: JsonValue = Field(description="What the run left in the field.")
    to: JsonValue = Field(description="What the field held before the run.")
    fate: str = Field(description="restored, removed or kept")
    why: str | None = Field(description="changed_since, in_use, final, gone or refused: why it is kept.")
    detail: str


class RevertOut(Out):
    """What taking a run back did, or would do, to each thing that it changed."""

    run: RunOut
    lines: list[LineOut]


@router.get("/runs", operation_id="list_runs", summary="List runs, the newest first")
async def list_runs(
    tx: ApiTx,
    status: RunStatus | None = None,
    conversation_id: ConversationId | None = None,
    bidi_id: BidiId | None = None,
    agent: Agent | None = None,
    cursor: Cursor = None,
    limit: Limit = 25,
) -> PageOut[RunOut]:
    wanted = traces.RunFilter(status=status, conversation_id=conversation_id, bidi_id=bidi_id, agent=agent)
    page = await traces.list_run_lines(tx, wanted, cursor=cursor, limit=limit)
    return PageOut[RunOut].of(page)


@router.get("/runs/{run_id}", operation_id="get_run", summary="Read one run", responses=problems(404))
async def get_run(tx: ApiTx, run_id: RunId) -> RunOut:
    return RunOut.model_validate(await traces.get_run_line(tx, run_id))


@router.get(
    "/runs/{run_id}/tool-calls",
    operation_id="list_tool_calls",
    summary="List what a run called, in order",
    responses=problems(404),
)
async def list_tool_calls(tx: ApiTx, run_id: RunId) -> list[ToolCallOut]:
    await traces.get_run_line(tx, run_id)
    return [ToolCallOut.model_validate(call) for call in await traces.list_traced_calls(tx, run_id)]


@router.get(
    "/runs/{run_id}/steps",
    operation_id="get_run_steps",
    summary="Read a run step by step",
    responses=problems(404),
)
async def get_run_steps(tx: ApiTx, run_id: RunId) -> RunStepsOut:
    await traces.get_run_line(tx, run_id)
    return RunStepsOut(
        nodes=await traces.list_visited_nodes(tx, run_id),
        model_calls=[ModelCallOut.model_validate(call) for call in await list_model_calls(tx, run_id)],
        tool_calls=[ToolCallOut.model_validate(call) for call in await traces.list_traced_calls(tx, run_id)],
        changes=[RunChangeOut.model_validate(change) for change in await traces.list_run_changes(tx, run_id)],
    )


@router.get(
    "/runs/{run_id}/model-calls/{model_call_id}",
    operation_id="get_model_exchange",
    summary="Read what was said in a call of a model",
    description="It is kept for some days (MODEL_EXCHANGE_DAYS); what the call used stays.",
    responses=problems(404),
)
async def get_model_exchange(tx: ApiTx, run_id: RunId, model_call_id: ModelCallId) -> ModelExchangeOut:
    return ModelExchangeOut.model_validate(
        await model_exchanges.get_model_exchange(tx, run_id, model_call_id)
    )


@router.post(
    "/conversations/{conversation_id}/runs",
    operation_id="ask_for_run",
    summary="Let an agent look at a conversation now",
    status_code=202,
    responses=problems(404, 409, *BODY),
)
async def ask_for_run(tx: ApiTx, conversation_id: ConversationId, wanted: RunIn) -> RunOut:
    run_id = await runs.ask_for_run(tx, conversation_id, bidi_id=wanted.bidi_id, feedback=wanted.feedback)
    return RunOut.model_validate(await traces.get_run_line(tx, run_id))


@router.post(
    "/runs/{run_id}/cancellation",
    operation_id="cancel_run",
    summary="Stop a run",
    responses=problems(404, 409),
)
async def cancel_run(tx: ApiTx, run_id: RunId) -> RunOut:
    await runs.stop_run(tx, run_id)
    return RunOut.model_validate(await traces.get_run_line(tx, run_id))


@router.get(
    "/runs/{run_id}/revert",
    operation_id="preview_revert",
    summary="See what taking back a run would do",
    responses=problems(404, 409),
)
async def preview_revert(tx: ApiTx, run_id: RunId) -> RevertOut:
    return RevertOut.model_validate(await reverts.preview_revert(tx, run_id))


@router.post(
    "/runs/{run_id}/revert",
    operation_id="revert_run",
    summary="Take back what a run changed",
    responses=problems(404, 409),
)
async def revert_run(tx: ApiTx, run_id: RunId) -> RevertOut:
    return RevertOut.model_validate(await reverts.revert_run(tx, run_id))
