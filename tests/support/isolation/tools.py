"""Every tool of the registry through the real dispatcher, as the seat that policy allows the most."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pydantic import JsonValue

from core.ids import uuid7
from core.jsons import dumps
from crm.bidi.models import Autonomy
from crm.identity.models import SCOPES, Role
from graph.store import GraphStore
from memory.embeddings.fake import FakeEmbedder
from tests.support.isolation.arguments import SEARCHED, SEARCHES, Filler
from tests.support.isolation.http import Slots, fillings, is_foreign, own_ids
from tests.support.isolation.probes import Probe
from tests.support.isolation.theatre import Theatre
from tools import registry
from tools.base import RunContext, Tool, ToolResult, ToolStatus
from tools.dispatch import Dispatcher
from tools.wire import to_json


@dataclass(frozen=True)
class Seat:
    """An agent of the attacker: `name` says what it may do."""

    name: str
    ctx: RunContext


def seats(theatre: Theatre) -> list[Seat]:
    """The widest seat, one that only suggests, and one whose scopes only read."""
    ctx = theatre.attacker.ctx
    assert ctx is not None
    made = []
    for name, scopes, autonomy in (
        ("autopilot", frozenset({"*"}), Autonomy.AUTOPILOT),
        ("suggest", frozenset(ctx.bidi.scopes), Autonomy.SUGGEST),
        ("viewer", SCOPES[Role.VIEWER], Autonomy.ASSIST),
    ):
        bidi = replace(ctx.bidi, autonomy=autonomy, max_steps=10**6)
        made.append(Seat(name, replace(ctx, bidi=bidi, principal=replace(ctx.principal, scopes=scopes))))
    return made


def dispatcher(
    theatre: Theatre, graph: GraphStore, tools: Sequence[Tool[Any]] = registry.TOOLS
) -> Dispatcher:
    """As in a run that nothing has tainted yet: what policy then stops would hide what a tool itself lets through."""
    calm = [replace(tool, returns_untrusted=False) for tool in tools]
    return Dispatcher(theatre.db, graph, calm, embedder=FakeEmbedder())


def slots_of(theatre: Theatre, tool: Tool[Any]) -> Slots:
    filler = _filler(theatre, tool)
    filler.fill("", tool.arguments.model_json_schema(), lambda name: str(uuid7()))
    return Slots(filler.slots, filler.optional)


def _filler(theatre: Theatre, tool: Tool[Any]) -> Filler:
    return Filler(theatre, f"The tool {tool.name}", tool.arguments.model_json_schema().get("$defs", {}))


def tool_probes(
    theatre: Theatre, graph: GraphStore, tools: Sequence[Tool[Any]] = registry.TOOLS, *, depth: int
) -> Iterator[Probe]:
    """Every tool x filling of its slots x seat, and the victim's own words where a tool searches."""
    called = dispatcher(theatre, graph, tools)
    for tool in tools:
        slots = slots_of(theatre, tool)
        for seat in seats(theatre):
            for label, ids in fillings(theatre, slots, depth):
                ask = partial(_probe, theatre, called, tool, seat, ids)
                yield Probe("tool", tool.name, f"{label} as {seat.name}", ask)
            for name in SEARCHED & tool.arguments.model_fields.keys():
                for place in SEARCHES:
                    ask = partial(_search, theatre, called, tool, seat, name, place)
                    yield Probe("tool", tool.name, f"the victim's {place} as {seat.name}", ask)


async def _probe(
    theatre: Theatre, called: Dispatcher, tool: Tool[Any], seat: Seat, ids: Mapping[str, str]
) -> list[str]:
    result, text = await call(theatre, called, tool, seat, ids)
    found = theatre.leaks(text, [*ids.values()])
    if result.code == "internal":
        found.append("it broke")
    if any(is_foreign(theatre, id) for id in ids.values()):
        unknown = {name: str(uuid7()) if is_foreign(theatre, id) else id for name, id in ids.items()}
        other, _ = await call(theatre, called, tool, seat, unknown)
        if _told(result) != _told(other):
            found.append(f"a foreign id answers {result.error!r}, an unknown one {other.error!r}")
    return found


def _told(result: ToolResult) -> tuple[str, str]:
    """What a call gives away besides its content; a refusal comes before anything is looked up, and what is asked
    names the question, which is a new one each time."""
    is_silent = result.status in (ToolStatus.REFUSED, ToolStatus.ASKED)
    return (result.status, "" if is_silent else result.error)


def arguments_of(theatre: Theatre, tool: Tool[Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """Arguments that a tool takes, with these ids in its slots."""
    schema = tool.arguments.model_json_schema()
    arguments = _filler(theatre, tool).fill("", schema, lambda name: ids.get(name, ""))
    assert isinstance(arguments, dict)
    return arguments


async def call(
    theatre: Theatre,
    called: Dispatcher,
    tool: Tool[Any],
    seat: Seat,
    ids: Mapping[str, str],
    texts: Mapping[str, JsonValue] | None = None,
) -> tuple[ToolResult, str]:
    """The result, and all that the caller is shown, with a name where the given ids stood."""
    given = arguments_of(theatre, tool, ids) | dict(texts or {})
    result = await called.call(seat.ctx, tool.name, given, str(uuid7()))
    shown = dumps([to_json(result.content), result.error])
    error = result.error
    for name, id in ids.items():
        error = error.replace(id, f"<{name}>") if id else error
    return replace(result, error=error), shown


async def _search(
    theatre: Theatre, called: Dispatcher, tool: Tool[Any], seat: Seat, name: str, place: str
) -> list[str]:
    """The victim's own word as the text to look for."""
    table, column = place.split(".")
    word = str(theatre.canary_rows[table][column])
    own = own_ids(theatre, slots_of(theatre, tool))
    result, text = await call(theatre, called, tool, seat, own, {name: word})
    unknown, _ = await call(theatre, called, tool, seat, own, {name: str(uuid7())})
    found = theatre.leaks(text, [word, *own.values()])
    if result.status != unknown.status:
        found.append(f"the victim's word answers {result.status}, another one {unknown.status}")
    return found
