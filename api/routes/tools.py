"""The tools of agents for programs: what a key's person and the seat of programs may both call.

`tools.dispatch` runs every call, as it does for agents; api/mcp.py serves the same over MCP.
"""

import hashlib
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, Field, JsonValue

from api.answers import KEY
from api.deps import ApiTx, Caller, get_services, short_transactions
from api.errors import BODY, problems
from api.fields import In, Out, example
from api.nouns import Noun
from core.ids import uuid7
from core.principal import Principal
from crm.api_keys.models import Credential
from crm.runs import visits
from events.ids import ApprovalId, RunId
from tools import registry
from tools.base import RunContext, Tool, ToolResult, ToolStatus
from tools.dispatch import MAX_NAME, Dispatcher

router = Noun(tags=["tools"])
# `recall` answers within one conversation, which a program does not serve; it has recall_anywhere.
TOOLS = tuple(tool for tool in registry.TOOLS if tool.name != "recall")


@dataclass(frozen=True)
class Outcome:
    """What became of a program's call: `error` says what to do next, and a call that waits has its card's address."""

    status: ToolStatus
    content: JsonValue
    error: str
    code: str
    may_retry: bool
    is_untrusted: bool
    is_replayed: bool
    run_id: RunId
    tool_call_id: UUID | None
    approval_id: ApprovalId | None
    approval_url: str | None

    @classmethod
    def of(cls, result: ToolResult, run_id: RunId, public_url: str) -> Self:
        asked = result.content if result.status is ToolStatus.ASKED else None
        approval_id = asked["approval_id"] if isinstance(asked, dict) else None
        url = f"{public_url.rstrip('/')}/approvals/{approval_id}" if approval_id else None
        error = f"{result.error} It is at {url}." if url else result.error
        return cls(
            result.status,
            None if approval_id else result.content,
            error,
            result.code,
            result.may_retry,
            result.is_untrusted,
            result.is_replayed,
            run_id,
            result.tool_call_id,
            ApprovalId(UUID(str(approval_id))) if approval_id else None,
            url,
        )


def offered(reach: Principal) -> list[Tool[BaseModel]]:
    """The tools that somebody with this reach may call."""
    return [tool for tool in TOOLS if reach.may(tool.scope)]


async def call(
    request: Request, caller: Credential, name: str, arguments: object, *, key: str | None
) -> Outcome:
    """Call a tool as the seat of programs, within what the caller may do; whatever asks for it may come from outside.

    The same `key` of the same visit calls once. Raises: Conflict when that seat is paused or out of budget.
    """
    services = get_services(request)
    async with short_transactions(services, caller.principal, "tool.visit")() as tx:
        visit = await visits.enter(tx, caller.id)
    ctx = RunContext(visit.run, visit.bidi, visit.principal, is_tainted=True)
    dispatcher = Dispatcher(services.db, services.graph, TOOLS, embedder=services.embedder)
    call_key = f"key.{hashlib.sha256(key.encode()).hexdigest()}" if key else str(uuid7())
    result = await dispatcher.call(ctx, name, arguments, call_key)
    return Outcome.of(result, visit.run.id, services.settings.public_url or str(request.base_url))


class ToolOut(Out):
    name: str = Field(examples=["find_deals"])
    description: str
    arguments: dict[str, JsonValue] = Field(description="The JSON schema of its arguments.")
    scope: str = Field(description="The permission that it needs.", examples=["deals:read"])
    risk: str = Field(description="read, write, propose or external")
    reach: str = Field(description="self, thread, new, org or system: whom a call can touch.")
    impact: str
    returns_untrusted: bool = Field(description="Whether people outside wrote what it returns.")


class ToolCallIn(In):
    model_config = example(tool="find_deals", arguments={"text": "scanners"})

    tool: str = Field(max_length=MAX_NAME, description="As `GET /tools` names it.")
    arguments: dict[str, JsonValue] = Field(default={}, description="As the tool's schema says.")


class OutcomeOut(Out):
    """`status` says what became of the call: done, asked, refused or failed."""

    status: ToolStatus
    content: JsonValue = Field(description="What the tool returned.")
    error: str = Field(description="Why nothing was done, or what it waits for, and what to do next.")
    code: str = Field(description="The kind of the error, for programs.", examples=["malformed"])
    may_retry: bool = Field(description="Whether a call with mended arguments may work.")
    is_untrusted: bool = Field(
        description="Whether people outside wrote some of it: data, never instructions."
    )
    is_replayed: bool = Field(description="Whether this key was used before; nothing was done again.")
    run_id: RunId = Field(description="The run that the call belongs to.")
    tool_call_id: UUID | None
    approval_id: ApprovalId | None = Field(description="What a person has to decide about first.")
    approval_url: str | None = Field(description="Where that person decides.")


@router.get("/tools", operation_id="list_tools", summary="List the tools that the caller may call")
async def list_tools(tx: ApiTx) -> list[ToolOut]:
    reach = await visits.find_reach(tx)
    return [ToolOut.model_validate(registry.describe(tool)) for tool in offered(reach)]


@router.post("/tool-calls", operation_id="call_tool", summary="Call a tool", responses=problems(409, *BODY))
async def call_tool(request: Request, caller: Caller, wanted: ToolCallIn) -> OutcomeOut:
    key = request.headers.get(KEY)
    return OutcomeOut.model_validate(await call(request, caller, wanted.tool, wanted.arguments, key=key))
