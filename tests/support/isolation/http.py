"""Every route with the victim's ids in every slot, asked by every role of the attacker and by nobody."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import Any

import httpx2
from pydantic import JsonValue

from api.cookies import SESSION_COOKIE
from core.ids import uuid7
from crm.channel_accounts.models import webhook_secret
from crm.identity.models import Role
from events.ids import ChannelAccountId
from tests.support.isolation.arguments import FILE, SEARCHED, SEARCHES, Filler
from tests.support.isolation.probes import Probe
from tests.support.isolation.surface import FORM, JSON, Operation, Surface
from tests.support.isolation.theatre import Theatre

NOBODY, PROGRAM = "nobody", "a program with a key"
# Headers that differ from answer to answer.
# An ETag is a digest of the body, which is compared itself; what is left of a limit is the caller's own and falls.
PASSING = frozenset({"date", "x-request-id", "content-length", "set-cookie", "etag", "ratelimit"})
# Operations whose answer has no end: tests/support/isolation/streams.py listens to them.
ENDLESS = frozenset({"GET /live", "GET /live/changes", "GET /live/records", "GET /live/copilot/{chat_id}"})
# Operations that read their body themselves.
BODIES: dict[str, JsonValue] = {"POST /webhooks/telegram/{account_id}": {"update_id": 1, "poll": {}}}
# What is uploaded, by what stands for it in a body.
FILES = {
    FILE: ("plan.txt", b"A plan"),
    "a table": ("people.csv", b"Name,Email\nVera Lind,vera@lind.example\n"),
}
# Operations that count wrong passwords and codes, and make whoever brought too many wait.
GUESSING = frozenset({"POST /session", "POST /session/code", "POST /api/v1/auth/tokens"})
# Operations after which the one who asked is no longer who they were.
ENDING = frozenset(
    {
        "POST /session/end",
        "POST /organizations",
        "POST /organizations/{organization_id}/entry",
        "POST /api/v1/organization/transfer",
        "POST /settings/organization/transfer",
    }
)


@dataclass(frozen=True)
class Answer:
    """What came back, without what passes, and with a name where the asked ids stood."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    raw: str


@dataclass
class Caller:
    """Somebody with a browser: the attacker's owner, another role, or nobody."""

    role: str
    client: httpx2.AsyncClient
    csrf: str = ""


@dataclass(frozen=True)
class Ask:
    """One operation with its slots filled: slot -> id. `fields` stand in its path or body in place of what the schema
    tells, or beside it."""

    operation: Operation
    slots: Mapping[str, str]
    is_fragment: bool = False
    texts: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, JsonValue] = field(default_factory=dict)


async def callers(theatre: Theatre, site: str) -> list[Caller]:
    """One for each role, one who is not signed in, and a program that holds the owner's key."""
    key = {"Authorization": f"Bearer {theatre.attacker.keys[Role.OWNER]}"}
    made = [
        Caller(NOBODY, httpx2.AsyncClient(base_url=site, timeout=20)),
        Caller(PROGRAM, httpx2.AsyncClient(base_url=site, headers=key, timeout=20)),
    ]
    for role in Role:
        client = httpx2.AsyncClient(base_url=site, timeout=20)
        client.cookies.set(SESSION_COOKIE, theatre.attacker.sessions[role])
        made.append(Caller(role, client, await csrf_of(client)))
    return made


async def csrf_of(client: httpx2.AsyncClient, path: str = "/preferences") -> str:
    """The token of this browser's forms."""
    page = await client.get(path)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text
    return found.group(1)


@dataclass(frozen=True)
class Slots:
    """The id parameters of an operation or tool with the table each points into, and those that may be left out."""

    tables: Mapping[str, str]
    optional: Collection[str]


def slots_of(theatre: Theatre, operation: Operation) -> Slots:
    """Every id parameter of an operation, in path, query, headers and body."""
    filler = Filler(theatre, operation.name, operation.definitions)
    _arguments(filler, Ask(operation, {}), lambda name: str(uuid7()))
    loose = {one.name for one in operation.parameters if not one.is_required and one.name in filler.slots}
    return Slots(filler.slots, filler.optional | loose)


def own_ids(theatre: Theatre, slots: Slots) -> dict[str, str]:
    """The attacker's own ids in every slot; empty where it has no such row."""
    return {name: theatre.attacker.ids.get(table, [""])[0] for name, table in slots.tables.items()}


async def warm_up(theatre: Theatre, surface: Surface, victims: Caller) -> None:
    """The victim looks at its own pages first: whatever is kept between requests is kept now."""
    for operation in surface.operations:
        if operation.method == "GET" and operation.name not in ENDLESS:
            slots = slots_of(theatre, operation)
            ids = {name: theatre.victim.ids.get(table, [""])[0] for name, table in slots.tables.items()}
            await send(theatre, victims, Ask(operation, ids))
    await theatre.take_stock()


def http_probes(theatre: Theatre, surface: Surface, people: list[Caller], *, depth: int) -> Iterator[Probe]:
    """Every operation x filling of its slots x role x page or fragment; `depth` ids of each kind."""
    for operation in surface.operations:
        if operation.name in ENDLESS | ENDING:
            continue
        baselines: dict[object, Answer] = {}
        for caller in people:
            if caller.role == PROGRAM and not operation.path.startswith("/api/"):
                continue
            for is_fragment in _variants(operation, caller, depth):
                for label, slots in fillings(theatre, slots_of(theatre, operation), depth):
                    ask = Ask(operation, slots, is_fragment)
                    key = (caller.role, is_fragment, label.rstrip("0123456789"))
                    name = f"{label} as {caller.role}{' by htmx' if is_fragment else ''}"
                    yield Probe(
                        "http", operation.name, name, partial(_probe, theatre, caller, ask, baselines, key)
                    )


def search_probes(theatre: Theatre, surface: Surface, people: list[Caller]) -> Iterator[Probe]:
    """The victim's own words wherever something is searched for."""
    for operation in surface.operations:
        for name in SEARCHED & {one.name for one in operation.parameters if one.where == "query"}:
            for caller in people:
                for place in SEARCHES:
                    ask = partial(_search, theatre, caller, operation, name, place)
                    yield Probe("http", operation.name, f"{name}: the victim's {place} as {caller.role}", ask)


async def _search(theatre: Theatre, caller: Caller, operation: Operation, name: str, place: str) -> list[str]:
    table, column = place.split(".")
    word, own = str(theatre.canary_rows[table][column]), own_ids(theatre, slots_of(theatre, operation))
    answer = await send(theatre, caller, Ask(operation, own, texts={name: word}))
    other = await send(theatre, caller, Ask(operation, own, texts={name: f"nobody{uuid7().hex[:16]}"}))
    found = theatre.leaks(answer.raw, [word, *own.values()])
    if answer.status != other.status:
        found.append(f"the victim's word answers {answer.status}, another one {other.status}")
    return found


def _variants(operation: Operation, caller: Caller, depth: int) -> tuple[bool, ...]:
    """Pages answer htmx otherwise than a browser without scripts; the short tier asks that way as the owner only."""
    is_page = not operation.path.startswith(("/api/", "/webhooks/"))
    return (False, True) if is_page and (depth > 1 or caller.role == Role.OWNER) else (False,)


def fillings(theatre: Theatre, slots: Slots, depth: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Foreign ids in every mixture with own ones, and without those that may be left out."""
    own = own_ids(theatre, slots)
    bare = own | dict.fromkeys(slots.optional, "")
    if not slots.tables:
        yield "as it is", {}
    for size in range(1, len(slots.tables) + 1):
        for chosen in combinations(slots.tables, size):
            for number in range(depth):
                foreign = {
                    name: pick(theatre.victim.ids.get(slots.tables[name], []), number, depth)
                    for name in chosen
                }
                yield f"foreign {', '.join(chosen)} {number}", own | foreign
                if bare | foreign != own | foreign:
                    yield f"only foreign {', '.join(chosen)} {number}", bare | foreign


def pick(ids: list[str], number: int, depth: int) -> str:
    """The first of a kind, the canary row (the last), then those between."""
    if not ids:
        return ""
    return ids[-1] if number == 1 and depth > 1 else ids[number % len(ids)]


def is_foreign(theatre: Theatre, id: str) -> bool:
    return any(id in ids for ids in theatre.victim.ids.values())


async def _probe(
    theatre: Theatre, caller: Caller, ask: Ask, baselines: dict[object, Answer], key: object
) -> list[str]:
    if ask.operation.name in GUESSING:
        await theatre.forget_wrong_passwords()
    answer = await send(theatre, caller, ask)
    found = theatre.leaks(answer.raw, [*ask.slots.values(), *ask.texts.values()])
    if answer.status == 429:
        found.append("it was told to wait and tried nothing")
    if answer.status >= 500 and ask.operation.path != "/readyz":
        found.append(f"it broke with {answer.status}")
    if any(is_foreign(theatre, id) for id in ask.slots.values()):
        found += await _oracle(theatre, caller, ask, answer, baselines, key)
    return found


async def _oracle(
    theatre: Theatre, caller: Caller, ask: Ask, answer: Answer, baselines: dict[object, Answer], key: object
) -> list[str]:
    """A foreign id must answer as one that nobody has. What changes by itself is asked again before it is believed."""
    slots = {
        name: theatre.unknown_id(name) if is_foreign(theatre, id) else id for name, id in ask.slots.items()
    }
    unknown = Ask(ask.operation, slots, ask.is_fragment, ask.texts)
    if key not in baselines:
        baselines[key] = await send(theatre, caller, unknown)
    if _same(answer, baselines[key]):
        return []
    first, again = await send(theatre, caller, unknown), await send(theatre, caller, ask)
    second = baselines[key] = await send(theatre, caller, unknown)
    if first.status == second.status != again.status:
        return [f"a foreign id answers {again.status}, an unknown one {first.status}"]
    if _same(first, second) and not _same(first, again):
        return [f"a foreign id answers otherwise than an unknown one: {again.body[:200]!r}"]
    return []


def _same(one: Answer, other: Answer) -> bool:
    return (one.status, one.headers, one.body) == (other.status, other.headers, other.body)


async def send(theatre: Theatre, caller: Caller, ask: Ask) -> Answer:
    """Send the operation with these ids, as the caller."""
    filler = Filler(theatre, ask.operation.name, ask.operation.definitions)
    path, query, headers, body = _arguments(filler, ask, lambda name: ask.slots.get(name, ""))
    headers |= ({"X-CSRF-Token": caller.csrf} if caller.csrf else {}) | (
        {"HX-Request": "true"} if ask.is_fragment else {}
    )
    if ask.operation.path.startswith("/webhooks/"):
        account = ChannelAccountId(theatre.attacker.world.account.id)
        secret = webhook_secret(theatre.settings.secret_key.get_secret_value(), account)
        headers["X-Telegram-Bot-Api-Secret-Token"] = secret
    try:
        response = await caller.client.request(
            ask.operation.method, path, params=query, headers=headers, **body
        )
    except httpx2.RemoteProtocolError:  # the answer before this one broke, and its connection with it
        response = await caller.client.request(
            ask.operation.method, path, params=query, headers=headers, **body
        )
    return _answer(response, ask)


def _arguments(
    filler: Filler, ask: Ask, choose: Any
) -> tuple[str, dict[str, str], dict[str, str], dict[str, Any]]:
    """Path, query, headers, and the body as keywords of the client."""
    path, query, headers = ask.operation.path, {}, {}
    for parameter in ask.operation.parameters:
        value = filler.fill(parameter.name, parameter.schema, choose)
        value = ask.fields.get(parameter.name, value) if parameter.where == "path" else value
        is_id = parameter.name in filler.slots
        if parameter.where == "path":
            path = path.replace(f"{{{parameter.name}}}", str(value))
        elif (parameter.is_required or is_id) and parameter.where == "query" and value:
            query[parameter.name] = str(value)
        elif is_id and parameter.where == "header" and value:
            headers[parameter.name] = str(value)
    query |= ask.texts
    if ask.operation.name in BODIES:
        return path, query, headers, {"json": ask.fields or BODIES[ask.operation.name]}
    if not ask.operation.media and not ask.fields:
        return path, query, headers, {}
    body = filler.fill("", ask.operation.body, choose) if ask.operation.media else {}
    assert isinstance(body, dict)
    body |= ask.fields
    if not ask.operation.media or ask.operation.media in FORM:
        return path, query, headers, _form(body)
    assert ask.operation.media == JSON
    return path, query, headers, {"json": body}


def _form(body: Mapping[str, JsonValue]) -> dict[str, Any]:
    """Fields and files as the client takes them; a list of words is a field that comes more than once."""
    files = {
        name: FILES[value] for name, value in body.items() if isinstance(value, str) and value in FILES
    } | {name: FILES[FILE] for name, value in body.items() if value == [FILE]}
    data = {name: _typed(value) for name, value in body.items() if name not in files}
    return {"data": data, "files": files} if files else {"data": data}


def _typed(value: JsonValue) -> str | list[str]:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return [str(one) for one in value if one]
    return value if isinstance(value, str) else json.dumps(value)


def _answer(response: httpx2.Response, ask: Ask) -> Answer:
    """Names where the given ids stood, so that two answers can be compared."""
    headers = sorted((name, value) for name, value in response.headers.items() if name not in PASSING)
    raw = "\n".join([*(f"{name}: {value}" for name, value in response.headers.items()), response.text])
    body, named = response.text, str(headers)
    for name, id in ask.slots.items():
        if id:
            body, named = body.replace(id, f"<{name}>"), named.replace(id, f"<{name}>")
    return Answer(response.status_code, (("headers", named),), body, raw)
