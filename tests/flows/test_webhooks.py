"""Through the real processes: what happens here is told to an endpoint, whoever is killed meanwhile."""

from collections.abc import AsyncIterator

import pytest

from tests.support.callers import Caller, caller_of
from tests.support.receiver import Received, Receiver, running_receiver
from tests.support.stage import Stage
from tests.support.until import until

# A killed worker's lease has to end before another goes on.
STUCK_SECONDS = 90.0


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with running_receiver() as running:
        yield running


@pytest.fixture
async def api(stage: Stage) -> AsyncIterator[Caller]:
    async with caller_of(stage.fleet.base, stage.world.db, stage.world.owner) as caller:
        yield caller


@pytest.fixture
async def hook(api: Caller, receiver: Receiver) -> AsyncIterator[dict[str, str]]:
    made = await api.post(
        "/webhooks", {"url": receiver.url, "event_types": ["company.created", "contact.created"]}
    )
    assert made.status_code == 201, made.text
    yield made.json()
    await api.call("DELETE", f"/webhooks/{made.json()['id']}")


async def _told_of(receiver: Receiver, contact_id: str, seconds: float) -> list[Received]:
    async def found() -> list[Received]:
        return [one for one in receiver.received if one.said["data"]["subject"]["id"] == contact_id]

    return await until(found, seconds)


async def _delivered(api: Caller, hook: dict[str, str], contact_id: str) -> dict[str, object]:
    """The delivery about this contact, once it says that it arrived."""

    async def found() -> dict[str, object] | None:
        page = (await api.get(f"/webhooks/{hook['id']}/deliveries", status="delivered")).json()
        about = [one for one in page["items"] if one["payload"]["data"]["subject"]["id"] == contact_id]
        return about[0] if about else None

    return await until(found, STUCK_SECONDS)


async def test_what_happens_is_told_and_can_be_read_where_it_says(
    api: Caller, hook: dict[str, str], receiver: Receiver
) -> None:
    contact = (await api.post("/contacts", {"name": "Vera Lind"})).json()

    (received,) = await _told_of(receiver, contact["id"], STUCK_SECONDS)

    received.verify(hook["secret"])
    place = received.said["data"]["subject"]["url"].removeprefix("/api/v1")
    assert (await api.get(place)).json() == contact
    delivery = await _delivered(api, hook, contact["id"])
    assert delivery["id"] == received.id
    attempts = (await api.get(f"/webhook-deliveries/{delivery['id']}/attempts")).json()
    assert [(one["number"], one["response_status"], one["response_body"]) for one in attempts] == [
        (1, 200, "thanks")
    ]


@pytest.mark.parametrize(
    "point",
    [
        "webhook.call.after",
        *(
            pytest.param(point, marks=pytest.mark.full)
            for point in (
                "commit.webhook.offer.before",
                "commit.deliver_webhook.attempt.after",
                "webhook.call.before",
                "commit.deliver_webhook.record.after",
            )
        ),
    ],
)
async def test_a_worker_that_is_killed_loses_nothing_and_says_the_same_again(
    stage: Stage, api: Caller, hook: dict[str, str], receiver: Receiver, point: str
) -> None:
    stage.fleet.arm(point)

    contact = (await api.post("/contacts", {"name": "Vera Lind"})).json()
    delivery = await _delivered(api, hook, contact["id"])

    received = await _told_of(receiver, contact["id"], 1)
    assert stage.fleet.armed() == []
    assert {one.id for one in received} == {delivery["id"]}
    assert len({one.body for one in received}) == 1
    assert len(received) == (2 if point == "webhook.call.after" else 1)
