"""Every tool over MCP with the victim's ids, as a program with the key of the attacker's owner."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from core.ids import uuid7
from tests.support.isolation.http import PROGRAM, Caller, fillings, is_foreign
from tests.support.isolation.probes import Probe
from tests.support.isolation.theatre import Theatre
from tests.support.isolation.tools import arguments_of, slots_of
from tools.base import Tool

_HEADERS = {"Accept": "application/json, text/event-stream"}


def mcp_probes(
    theatre: Theatre, people: Sequence[Caller], tools: Sequence[Tool[Any]], *, depth: int
) -> Iterator[Probe]:
    """Every tool x filling of its slots."""
    program = next(caller for caller in people if caller.role == PROGRAM)
    for tool in tools:
        for label, ids in fillings(theatre, slots_of(theatre, tool), depth):
            yield Probe("mcp", tool.name, label, partial(_probe, theatre, program, tool, ids))


async def _probe(theatre: Theatre, program: Caller, tool: Tool[Any], ids: Mapping[str, str]) -> list[str]:
    result, text = await _call(theatre, program, tool, ids)
    found = theatre.leaks(text, [*ids.values()])
    if result.get("code") == "internal":
        found.append("it broke")
    if any(is_foreign(theatre, id) for id in ids.values()):
        unknown = {name: str(uuid7()) if is_foreign(theatre, id) else id for name, id in ids.items()}
        other, _ = await _call(theatre, program, tool, unknown)
        if (result["status"], result["code"]) != (other["status"], other["code"]):
            found.append(f"a foreign id answers {result['error']!r}, an unknown one {other['error']!r}")
    return found


async def _call(
    theatre: Theatre, program: Caller, tool: Tool[Any], ids: Mapping[str, str]
) -> tuple[dict[str, Any], str]:
    params = {"name": tool.name, "arguments": arguments_of(theatre, tool, ids)}
    exchange = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    answer = await program.client.post("/mcp", json=exchange, headers=_HEADERS)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]["structuredContent"], answer.text
