"""The attacker listens, on every stream and topic there is, while the victim acts."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any, get_args
from uuid import UUID

import httpx2
from websockets.exceptions import ConnectionClosed

from api.frames import Frame
from api.rooms import Topic
from core.errors import NotFound
from core.ids import uuid7
from core.pubsub import PubSub
from crm.identity.models import Role
from tests.support.isolation.http import Caller
from tests.support.isolation.probes import Probe
from tests.support.isolation.tenants import Tenant
from tests.support.isolation.theatre import Theatre
from tests.support.sockets import Line, dialled

PATIENCE_SECONDS = 10.0
# Server-sent streams, each with the fillings of its query; tests/support/isolation/http.py leaves them to us.
STREAMS: dict[str, tuple[str, ...]] = {
    "GET /live": (
        "",
        "?conversation={conversation}",
        "?conversation={conversation}&folder=all&after={event}",
    ),
    "GET /live/changes": ("?noun=task", "?noun=task&after={event}"),
    "GET /live/records": ("?kind=contact", "?kind=company"),
    "GET /live/copilot/{chat_id}": ("",),
}
SOCKETS = frozenset({"/ws"})
# Every kind of frame that a client may send, and where the attacker tries it.
FRAMES = {
    "login": "the ticket names the victim's organization",
    "subscribe": "to the victim's topics, also with the victim's last event",
    "unsubscribe": "from the victim's topics",
    "ping": "carries nothing",
    "pong": "carries nothing",
}
# Whose id a topic of a kind takes.
TOPICS = {"organization": ("organizations",), "seat": ("bidi", "users")}


def kinds_of_topics() -> set[str]:
    """The kinds that the server names when it is asked for one that there is not."""
    try:
        Topic.parse("")
    except NotFound as err:
        return set(re.findall(r"(\w+):<id>", err.detail))
    return set()


def kinds_of_frames() -> set[str]:
    return {get_args(kind.model_fields["type"].annotation)[0] for kind in get_args(Frame)}


def stream_probes(theatre: Theatre, people: list[Caller], *, depth: int) -> Iterator[Probe]:
    """Stream x role x filling; socket x role x topic of the victim; and the bare topics of Redis."""
    # who sees only what is assigned to them would wait for our sign in vain; the probes of sight listen as they do
    signed_in = [person for person in people if person.csrf and person.role != Role.BIDI]
    listeners = signed_in if depth > 1 else [p for p in signed_in if p.role in (Role.OWNER, Role.VIEWER)]
    for person in listeners:
        for name, queries in STREAMS.items():
            for query in queries:
                filled = query.format(
                    conversation=theatre.victim.ids["conversations"][0], event=theatre.victim.ids["events"][0]
                )
                path = name.removeprefix("GET ").format(chat_id=theatre.victim.ids["copilot_chats"][0])
                ask = partial(follow, theatre, person, path, filled)
                yield Probe("stream", name, f"{query or 'bare'} as {person.role}", ask)
        for kind, tables in TOPICS.items():
            for table in tables:
                for after in (None, theatre.victim.ids["events"][0]):
                    ask = partial(_subscribe, theatre, person, kind, theatre.victim.ids[table][0], after)
                    yield Probe("stream", "/ws", f"{kind} of {table} after {after} as {person.role}", ask)
        yield Probe("stream", "/ws", f"a foreign ticket as {person.role}", partial(_log_in, theatre, person))
    yield Probe("stream", "redis topics", "all of them", partial(_overhear, theatre))


async def _act(theatre: Theatre, tenant: Tenant) -> str:
    """Publish what has happened in one organization, in the worker's words; returns the event's id."""
    event, conversation = tenant.ids["events"][-1], tenant.ids["conversations"][0]
    pubsub = PubSub(theatre.redis)
    for kind, about in (
        ("task.created", ""),
        ("conversation.read", conversation),
        ("document.read", ""),
        ("import.progressed", ""),
    ):
        message = {"event_id": event, "type": kind, "conversation_id": about}
        await pubsub.publish(tenant.id, message)
    for kind, table in (("contact", "contacts"), ("company", "companies")):
        record = {"record_kind": kind, "record_id": tenant.ids[table][0]}
        message = {"event_id": event, "type": f"{kind}.updated", "conversation_id": ""} | record
        await pubsub.publish(tenant.id, message)
    return event


async def follow(theatre: Theatre, person: Caller, path: str, query: str) -> list[str]:
    """Listen to a stream until our own sign has come; what the victim did before it would have come first."""
    heard: list[str] = []
    async with asyncio.timeout(PATIENCE_SECONDS), person.client.stream("GET", path + query) as response:
        lines = response.aiter_lines()
        if response.status_code == HTTPStatus.NOT_FOUND:
            # nobody may listen to a single thing of somebody else's
            return theatre.leaks(" ".join([line async for line in lines]), [path])
        heard.append(await anext(lines))
        await _act(theatre, theatre.victim)
        own = await _act(theatre, theatre.attacker)
        async for line in lines:
            heard.append(line)
            if own in line:
                break
    return theatre.leaks("\n".join(heard), [query])


@asynccontextmanager
async def _line(theatre: Theatre, person: Caller) -> AsyncIterator[Line]:
    site = str(person.client.base_url).rstrip("/")
    async with dialled(site) as line:
        await line.say(type="login", ticket=await _ticket(theatre, person, site))
        await line.hear("welcome")
        yield line


async def _ticket(theatre: Theatre, person: Caller, site: str) -> str:
    key = theatre.attacker.keys[Role(person.role)]
    async with httpx2.AsyncClient(base_url=site, headers={"Authorization": f"Bearer {key}"}) as program:
        answer = await program.post("/api/v1/ws-tickets")
    assert answer.status_code == 201, answer.text
    ticket: str = answer.json()["ticket"]
    return ticket


async def _subscribe(
    theatre: Theatre, person: Caller, kind: str, foreign: str, after: str | None
) -> list[str]:
    """Ask for the victim's topic beside our own, and hear what comes while both act."""
    unknown, heard = str(uuid7()), list[dict[str, Any]]()
    async with _line(theatre, person) as line:
        await line.subscribe(f"organization:{theatre.attacker.id}")
        answers = [await line.subscribe(f"{kind}:{id}", after=after) for id in (foreign, unknown)]
        await line.say(type="unsubscribe", topic=f"{kind}:{foreign}")
        await line.hear("unsubscribed", "error")
        await _act(theatre, theatre.victim)
        own = await _act(theatre, theatre.attacker)
        while not (heard and heard[-1].get("id") == own):
            heard.append(await line.hear("event"))
    found = theatre.leaks(json.dumps([answers, heard, line.events]), [foreign, after or ""])
    told = [
        json.dumps(answer).replace(id, "<id>") for answer, id in zip(answers, (foreign, unknown), strict=True)
    ]
    if told[0] != told[1]:
        found.append(f"a foreign topic answers {told[0]}, an unknown one {told[1]}")
    return found


async def _log_in(theatre: Theatre, person: Caller) -> list[str]:
    """A ticket of ours that names another organization is as good as one that names none."""
    site = str(person.client.base_url).rstrip("/")
    told = []
    for id in (theatre.victim.id, uuid7()):
        ticket = await _ticket(theatre, person, site)
        async with dialled(site) as line:
            await line.say(type="login", ticket=f"{UUID(str(id)).hex}.{ticket.partition('.')[2]}")
            try:
                told.append(json.dumps(await line.hear("welcome", "error")))
            except ConnectionClosed as end:
                told.append(str(end.rcvd))
    found = theatre.leaks("\n".join(told))
    return (
        found if told[0] == told[1] else [*found, f"a foreign ticket answers {told[0]}, an unknown {told[1]}"]
    )


async def _overhear(theatre: Theatre) -> list[str]:
    """Whatever is published about the victim goes to topics that carry its organization's id."""
    found: list[str] = []
    pubsub = theatre.redis.pubsub()
    await pubsub.psubscribe("*")
    await pubsub.get_message(timeout=PATIENCE_SECONDS)
    await _act(theatre, theatre.victim)
    own = await _act(theatre, theatre.attacker)
    while True:
        message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=PATIENCE_SECONDS)
        if message is None:
            return [*found, "nothing was published"]
        topic, text = message["channel"].decode(), message["data"].decode()
        if str(theatre.victim.id) not in topic:
            found += [f"topic {topic}: {leak}" for leak in theatre.leaks(text)]
        if own in text:
            await pubsub.aclose()  # type: ignore[no-untyped-call]
            return found
