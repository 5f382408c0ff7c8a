"""The websocket: who is let in, what may be followed, and that nothing is lost or sent to strangers."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import count
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis
from websockets.exceptions import ConnectionClosed, InvalidStatus

from api.hub import REPLAY_LIMIT, Hub
from api.rooms import Topic
from core.db import Database
from core.errors import Forbidden
from core.ids import uuid7
from core.principal import Principal, Visibility
from core.pubsub import PubSub
from core.settings import Settings
from crm.api_keys.actions import revoke_api_key
from crm.conversations.actions import give_to_agent, take_over
from crm.identity.models import Role
from crm.identity.queries import find_session
from crm.identity.sessions import close_session, open_session
from events.ids import BidiId, ConversationId
from tests.api.conftest import Callers
from tests.support.callers import Caller, caller_of
from tests.support.desk import Desk
from tests.support.organizations import add_member
from tests.support.site import running_site
from tests.support.sockets import Line, Press, dialled, logged_in, ticket_of
from tests.support.world import make_world


@pytest.fixture
async def press(database: Database, redis: Redis, organization: Principal) -> Press:
    return Press(database, redis, organization)


@pytest.fixture
def everything(organization: Principal) -> str:
    """The topic of all that happens in the organization."""
    return f"organization:{organization.organization_id}"


@pytest.fixture
async def line(site: str, api: Caller) -> AsyncIterator[Line]:
    async with logged_in(site, api) as opened:
        yield opened


async def test_what_happens_arrives_with_ids_only(
    line: Line, press: Press, desk: Desk, everything: str
) -> None:
    await line.subscribe(everything)

    event_id = await press.happen(desk.ids["conversation_id"])

    assert await line.hear("event") == {
        "type": "event",
        "topic": everything,
        "id": event_id,
        "name": "conversation.read",
        "conversation_id": str(desk.ids["conversation_id"]),
    }


# logging in -------------------------------------------------------------------------------------------------------


async def test_a_ticket_is_good_once(site: str, api: Caller) -> None:
    ticket = await ticket_of(api)

    async with dialled(site) as first, dialled(site) as second:
        await asyncio.gather(*(line.say(type="login", ticket=ticket) for line in (first, second)))
        heard = await asyncio.gather(
            *(line.hear("welcome") for line in (first, second)), return_exceptions=True
        )

    codes = [one.rcvd.code for one in heard if isinstance(one, ConnectionClosed) and one.rcvd]
    assert codes == [4401]
    assert len([one for one in heard if isinstance(one, dict)]) == 1


@pytest.mark.parametrize("ticket", ["", "wrong", "{organization}.wrong", "*", "a" * 200])
async def test_a_wrong_ticket_is_refused(site: str, organization: Principal, ticket: str) -> None:
    async with dialled(site) as line:
        await line.say(type="login", ticket=ticket.format(organization=organization.organization_id.hex))

        assert await line.until_closed() == 4401


async def test_a_ticket_is_kept_thirty_seconds_under_its_organization(
    site: str, api: Caller, redis: Redis, organization: Principal
) -> None:
    ticket = await ticket_of(api)

    (key,) = await redis.keys("getsale:ws-ticket:*")

    assert organization.organization_id.hex in key.decode()
    assert ticket.partition(".")[2] not in key.decode()
    assert 25 < await redis.ttl(key) <= 30


async def test_a_ticket_of_a_key_that_was_revoked_meanwhile_is_refused(
    site: str, api: Caller, database: Database
) -> None:
    ticket = await ticket_of(api)
    async with database.transaction(api.person, "test") as tx:
        await revoke_api_key(tx, api.key.id)

    async with dialled(site) as line:
        await line.say(type="login", ticket=ticket)

        assert await line.until_closed() == 4401


async def test_nothing_is_answered_before_the_login(site: str, everything: str) -> None:
    async with dialled(site) as line:
        await line.say(type="subscribe", topic=everything)

        assert await line.until_closed() == 4401


async def test_another_sites_page_cannot_connect(site: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with dialled(site, origin="https://evil.example"):
            pass

    assert refused.value.response.status_code == 403


async def test_our_own_page_connects(site: str, api: Caller) -> None:
    async with dialled(site, origin=site) as line:
        await line.say(type="login", ticket=await ticket_of(api))

        assert (await line.hear("welcome"))["heartbeat_seconds"] == 15.0


# topics -----------------------------------------------------------------------------------------------------------


async def test_another_organizations_topics_are_refused(
    site: str, line: Line, other_organization: Principal, database: Database
) -> None:
    """A defect of the predecessor: its server joined whatever room it was asked for."""
    strange = await make_world(database, other_organization)
    topics = [
        f"organization:{other_organization.organization_id}",
        f"seat:{strange.bidi_id}",
        f"seat:{other_organization.id}",
        f"seat:{uuid4()}",
    ]

    answers = [await line.subscribe(topic) for topic in topics]

    assert [(answer["code"], answer["topic"]) for answer in answers] == [
        ("forbidden", topic) for topic in topics
    ]


async def test_a_seat_that_sees_only_what_is_its_own_follows_only_itself(
    database: Database, redis: Redis, settings: Settings, desk: Desk, organization: Principal
) -> None:
    own = BidiId(desk.ids["bidi_id"])
    other = await add_member(database, organization, Role.BIDI)
    seat = replace(organization, visibility=Visibility.ASSIGNED, seat_id=own)
    hub = Hub(database, PubSub(redis), settings)

    for topic in (Topic("organization", seat.organization_id), Topic("seat", other.id)):
        assert await hub.authorize(organization, topic)
        with pytest.raises(Forbidden, match=f"seat:{own}"):
            await hub.authorize(seat, topic)
    assert await hub.authorize(seat, Topic("seat", own))
    for topic in (Topic("organization", seat.organization_id), Topic("seat", own)):
        with pytest.raises(Forbidden, match=f"seat:{other.id}"):
            await hub.authorize(other, topic)
    assert await hub.authorize(other, Topic("seat", other.id)) is None


async def test_nothing_of_another_organization_arrives(
    site: str,
    callers: Callers,
    press: Press,
    desk: Desk,
    other_organization: Principal,
    everything: str,
) -> None:
    neighbour = await callers.of(other_organization)
    theirs = f"organization:{other_organization.organization_id}"
    their_press = Press(press.db, press.redis, other_organization)
    async with logged_in(site, neighbour) as line:
        await line.subscribe(everything)
        await line.subscribe(theirs, after=uuid7())
        await press.happen(desk.ids["conversation_id"])
        own = await their_press.happen(uuid4())
        await line.hear("event")

        assert line.events == [own]


@pytest.mark.parametrize(
    "topic", ["", "organization", "organization:", "seat:me", "room:1", "organization:*"]
)
async def test_what_is_no_topic_is_said(line: Line, topic: str) -> None:
    assert (await line.subscribe(topic))["code"] == "not_found"


async def test_a_seats_topic_has_what_concerns_the_seat(
    line: Line, press: Press, desk: Desk, database: Database
) -> None:
    seat, conversation_id = BidiId(desk.ids["bidi_id"]), ConversationId(desk.ids["conversation_id"])
    await line.subscribe(f"seat:{seat}")

    held = await press.happen(conversation_id)
    async with database.transaction(press.person, "test") as tx:
        await take_over(tx, conversation_id)
    lost = await press.publish_latest(conversation_id)
    await press.happen(conversation_id)
    async with database.transaction(press.person, "test") as tx:
        await give_to_agent(tx, conversation_id, seat)
    back = await press.publish_latest(conversation_id)
    while back not in line.events:
        await line.hear("event")

    assert line.events == [held, lost, back]


async def test_a_seats_past_has_what_concerned_the_seat_then(
    site: str, api: Caller, press: Press, desk: Desk, database: Database
) -> None:
    seat, conversation_id = f"seat:{desk.ids['bidi_id']}", ConversationId(desk.ids["conversation_id"])
    async with logged_in(site, api) as line:
        position = (await line.subscribe(seat))["last_event_id"]
    held = await press.happen(conversation_id)
    async with database.transaction(press.person, "test") as tx:
        await take_over(tx, conversation_id)
    lost = await press.publish_latest(conversation_id)
    strange = await press.happen(conversation_id)
    async with database.transaction(press.person, "test") as tx:
        await give_to_agent(tx, conversation_id, BidiId(desk.ids["bidi_id"]))
    back = await press.latest()

    async with logged_in(site, api) as line:
        await line.subscribe(seat, after=position)
        while back not in line.events:
            await line.hear("event")

    assert [event for event in line.events if event > position] == [held, lost, back]
    assert strange not in line.events


async def test_after_unsubscribing_nothing_comes(
    line: Line, press: Press, desk: Desk, everything: str
) -> None:
    own = f"seat:{press.person.id}"
    await line.subscribe(everything)
    await line.subscribe(own)
    await line.say(type="unsubscribe", topic=everything)
    await line.hear("unsubscribed")

    await press.happen(desk.ids["conversation_id"])

    # the organization is told first, so that its message would have come before this one
    assert (await line.hear("event"))["topic"] == own


# resuming ---------------------------------------------------------------------------------------------------------


async def test_what_happened_while_away_is_sent_first(
    site: str, api: Caller, press: Press, desk: Desk, everything: str
) -> None:
    async with logged_in(site, api) as line:
        position = (await line.subscribe(everything))["last_event_id"]
    missed = [await press.happen(desk.ids["conversation_id"]) for _ in range(3)]

    async with logged_in(site, api) as line:
        await line.subscribe(everything, after=position)
        while not set(missed) <= set(line.events):
            await line.hear("event")

    assert [event for event in line.events if event in missed] == missed


async def test_what_happens_while_the_past_is_sent_is_not_lost(
    site: str, api: Caller, press: Press, desk: Desk, everything: str
) -> None:
    position = await press.latest()
    await press.make_past(desk.ids["conversation_id"], 5000)

    async with logged_in(site, api) as line:
        await line.say(type="subscribe", topic=everything, after=position)
        meanwhile = [await press.happen(desk.ids["conversation_id"]) for _ in range(60)]
        while not set(meanwhile) <= set(line.events):
            await line.hear("event")

    assert len(set(line.events)) >= 5060
    assert len(line.events) == len(set(line.events))


async def test_too_long_a_past_is_not_sent_and_said_so(
    site: str, api: Caller, press: Press, desk: Desk, everything: str
) -> None:
    position = await press.latest()
    await press.make_past(desk.ids["conversation_id"], REPLAY_LIMIT + 1)

    async with logged_in(site, api) as line:
        await line.subscribe(everything, after=position)
        reset = await line.hear("reset")
        event_id = await press.happen(desk.ids["conversation_id"])
        await line.hear("event")

    assert reset["topic"] == everything
    assert line.events == [event_id]


async def test_an_event_that_was_committed_late_is_not_lost(
    site: str, api: Caller, press: Press, desk: Desk, everything: str, database: Database
) -> None:
    world = desk.world
    world.chat_id, world.handles = "700000002", (("telegram_id", "700000002"),)
    await world.receive("Hello")
    other = (await world.conversation()).id
    async with logged_in(site, api) as line:
        await line.subscribe(everything)
        late = asyncio.create_task(press.happen(desk.ids["conversation_id"], commit_after_seconds=0.3))
        await asyncio.sleep(0.1)
        newer = await press.happen(other)
        await line.hear("event")
        assert line.events == [newer]
    older = await late
    assert older < newer

    async with logged_in(site, api) as line:
        await line.subscribe(everything, after=newer)
        while older not in line.events:
            await line.hear("event")


@pytest.mark.parametrize(
    ("events", "cuts"), [(150, 8), pytest.param(1000, 50, marks=pytest.mark.full)], ids=["some", "many"]
)
async def test_no_event_is_lost_over_many_cuts(
    site: str,
    api: Caller,
    press: Press,
    database: Database,
    organization: Principal,
    everything: str,
    events: int,
    cuts: int,
) -> None:
    """Writers commit out of order, the line is cut again and again, and each time the client resumes."""
    chance = random.Random(7)
    world = await make_world(database, organization)
    conversations = []
    for number in range(5):
        world.chat_id, world.handles = f"{number}", (("telegram_id", f"{number}"),)
        await world.receive("Hello")
        conversations.append((await world.conversation()).id)
    happened: set[str] = set()
    seen: set[str] = set()
    made, left = 0, count()

    async def write(conversation_id: UUID) -> None:
        while next(left) < events or made < cuts:
            late = chance.choice((0.0, 0.0, 0.0, 0.02, 0.15))
            happened.add(await press.happen(conversation_id, commit_after_seconds=late))

    async with logged_in(site, api) as line:
        position = (await line.subscribe(everything))["last_event_id"]
    writers = asyncio.gather(*(write(conversation_id) for conversation_id in conversations))
    async with asyncio.timeout(60):
        while made < cuts or not writers.done() or not happened <= seen:
            async with logged_in(site, api) as line:
                await line.subscribe(everything, after=position)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(chance.uniform(0.0, 0.12)):
                        await line.until_closed()
                await line.cut()
                made += 1
            seen |= set(line.events)
            position = line.events[-1] if line.events else position

    assert made >= cuts
    assert len(happened) >= events
    assert happened <= seen


async def test_a_lost_subscription_to_redis_loses_no_event(
    line: Line, press: Press, desk: Desk, redis: Redis, database: Database, everything: str
) -> None:
    await line.subscribe(everything)
    await press.happen(desk.ids["conversation_id"])
    await line.hear("event")
    async with database.transaction(press.person, "test") as tx:
        await take_over(tx, ConversationId(desk.ids["conversation_id"]))

    await redis.client_kill_filter(_type="pubsub")
    unheard = await press.latest()
    while unheard not in line.events:
        await line.hear("event")

    assert len(line.events) == len(set(line.events))


async def test_an_id_of_no_event_is_refused(line: Line, everything: str) -> None:
    answer = await line.subscribe(everything, after="ffffffff-ffff-7fff-8000-000000000000")

    assert (answer["type"], answer["field"]) == ("error", "after")


# ending -----------------------------------------------------------------------------------------------------------


async def test_a_revoked_key_closes_its_sockets_within_five_seconds(
    line: Line, api: Caller, database: Database, everything: str
) -> None:
    await line.subscribe(everything)
    async with database.transaction(api.person, "test") as tx:
        await revoke_api_key(tx, api.key.id)

    async with asyncio.timeout(5):
        assert await line.until_closed() == 4401


async def test_signing_out_closes_the_sessions_sockets_within_five_seconds(
    site: str, callers: Callers, database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        token = await open_session(tx)
    account = await find_session(database, token)
    assert account is not None
    page = await callers.page(token)
    answer = await page.post("/api/v1/ws-tickets")
    async with dialled(site) as line:
        await line.say(type="login", ticket=answer.json()["ticket"])
        await line.hear("welcome")
        async with database.transaction(organization, "test") as tx:
            await close_session(tx, account)

        async with asyncio.timeout(5):
            assert await line.until_closed() == 4401


async def test_whoever_answers_pings_stays_and_whoever_does_not_is_let_go(
    settings: Settings, database: Database, organization: Principal
) -> None:
    quick = settings.model_copy(update={"ws_heartbeat_seconds": 0.2})
    async with (
        running_site(quick) as site,
        caller_of(site, database, organization) as caller,
        logged_in(site, caller) as silent,
        logged_in(site, caller) as lively,
    ):
        silent.is_silent = True
        answering = asyncio.create_task(lively.until_closed())
        code = await silent.until_closed()
        is_still_there = not answering.done()
        answering.cancel()

    assert code == 4408
    assert is_still_there


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("not json", 4400),
        ("[]", 4400),
        ('{"type": "shout"}', 4400),
        ('{"type": "subscribe"}', 4400),
        (b'{"type": "ping"}', 4400),
        (json.dumps({"type": "subscribe", "topic": "x" * 5000}), 1009),
        ("x" * 100_000, 1009),
        ('{"type": "login", "ticket": "again"}', 4400),
    ],
)
async def test_a_frame_that_is_none_ends_the_line(line: Line, frame: str | bytes, code: int) -> None:
    await line.connection.send(frame)

    assert await line.until_closed() == code


async def test_whoever_talks_too_much_is_let_go(line: Line) -> None:
    for _ in range(61):
        await line.say(type="ping")

    assert await line.until_closed() == 4429


async def test_a_person_has_so_many_sockets_and_another_person_has_more(
    settings: Settings, database: Database, organization: Principal, other_organization: Principal
) -> None:
    narrow = settings.model_copy(update={"ws_per_person": 2})
    async with (
        running_site(narrow) as site,
        caller_of(site, database, organization) as one,
        caller_of(site, database, other_organization) as other,
        logged_in(site, one),
        logged_in(site, one),
        dialled(site) as third,
    ):
        await third.say(type="login", ticket=await ticket_of(one))
        refused = await third.until_closed()
        async with logged_in(site, other) as welcome:
            await welcome.say(type="ping")
            await welcome.hear("pong")

    assert refused == 4429


@pytest.mark.full
async def test_whoever_does_not_read_is_let_go_and_others_do_not_wait(
    site: str, api: Caller, press: Press, desk: Desk, everything: str
) -> None:
    """The kernel takes some megabytes before the server notices, hence so many events."""
    async with logged_in(site, api) as slow, logged_in(site, api) as quick:
        await slow.subscribe(everything)
        await quick.subscribe(everything)
        slow.connection.transport.pause_reading()
        for pile in range(1, 61):
            await press.publish_many([uuid7() for _ in range(500)], desk.ids["conversation_id"])
            while len(quick.events) < 500 * pile:
                await quick.hear("event")
        slow.connection.transport.resume_reading()
        code = await slow.until_closed()

    assert code in (4409, 1006)
    assert len(slow.events) < len(quick.events)
