"""Every tool says what it does, what it needs and what it may spoil."""

import json
from typing import Any

import pytest

from core.ids import uuid7
from core.principal import Principal, PrincipalKind
from crm.bidi.actions import INBOX_SCOPES
from tools.base import Arguments, Reach, Risk, Tool, ToolContext, tool
from tools.registry import BY_NAME, TOOLS, describe, tools_for

each_tool = pytest.mark.parametrize("tool", TOOLS, ids=lambda entry: entry.name)


def seat(*scopes: str) -> Principal:
    return Principal(PrincipalKind.BIDI, uuid7(), uuid7(), scopes=frozenset(scopes))


def test_there_are_enough_tools_and_no_two_share_a_name() -> None:
    assert len(TOOLS) == len(BY_NAME) >= 12


@each_tool
def test_a_tool_is_whole(tool: Tool[Any]) -> None:
    noun, _, verb = tool.scope.partition(":")

    assert noun
    assert verb in ("read", "write")
    assert isinstance(tool.risk, Risk)
    assert isinstance(tool.reach, Reach)
    assert len(tool.description) > 15
    assert 0 < tool.timeout_seconds <= 30
    assert issubclass(tool.arguments, Arguments)


@each_tool
def test_only_reading_needs_a_read_scope(tool: Tool[Any]) -> None:
    assert (tool.risk is Risk.READ) == tool.scope.endswith(":read")


@each_tool
def test_a_call_that_cannot_be_repeated_has_its_effect_in_a_transaction(tool: Tool[Any]) -> None:
    assert tool.has_tx or tool.is_repeatable


@each_tool
def test_the_model_sees_no_tenant_and_no_user(tool: Tool[Any]) -> None:
    assert not {"organization_id", "user_id", "bidi_id", "run_id"} & set(tool.arguments.model_fields)


@each_tool
def test_a_description_is_data(tool: Tool[Any]) -> None:
    described = describe(tool)

    assert json.loads(json.dumps(described)) == described
    assert described["risk"] in list(Risk)


def test_a_seat_is_offered_what_its_scopes_allow() -> None:
    offered = tools_for(seat("deals:read", "contacts:read"))

    assert {entry.name for entry in offered} == {
        "get_contact", "find_contacts", "list_contacts", "find_duplicates", "get_record", "list_segments", "count_segment",
        "list_pipelines", "list_deals", "find_deals", "list_stakeholders", "search_records", "list_colleagues",
        "summarize_records",
    }  # fmt: skip


def test_the_inbox_seat_may_call_every_tool() -> None:
    # suggesting next steps is the follow-up agent's
    assert tools_for(seat(*INBOX_SCOPES, "suggestions:write")) == list(TOOLS)


def test_a_tool_without_a_docstring_is_refused() -> None:
    async def silent(ctx: ToolContext, args: Arguments) -> None:
        pass

    with pytest.raises(TypeError, match="docstring"):
        tool(scope="contacts:read", risk=Risk.READ)(silent)
