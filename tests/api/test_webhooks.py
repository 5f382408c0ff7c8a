"""Webhooks by REST: which addresses are taken, what is shown once, and that changes are not lost."""

import re

import pytest

from api.main import create_app
from crm.webhooks.models import EVENT_TYPES
from crm.webhooks.payload import PLACES
from events.types import BY_NAME
from tests.support.callers import Caller

URL = "https://example.com/hooks"


async def _make(api: Caller, url: str = URL, *types: str) -> dict[str, str]:
    made = await api.post("/webhooks", {"url": url, "event_types": list(types) or ["*"]})
    assert made.status_code == 201, made.text
    answer: dict[str, str] = made.json()
    return answer


async def test_the_secret_is_shown_when_it_is_made_and_not_again(api: Caller) -> None:
    made = await _make(api)
    path = f"/webhooks/{made['id']}"

    rotated = (await api.post(f"{path}/secret")).json()

    shown = (await api.get(path)).text + (await api.get("/webhooks")).text
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", made["secret"])
    assert rotated["secret"] != made["secret"]
    assert made["secret"] not in shown
    assert rotated["secret"] not in shown
    assert rotated["old_secret_until"] is not None


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hooks",
        "https://127.0.0.1/hooks",
        "https://[::1]/hooks",
        "https://[::ffff:10.0.0.1]/hooks",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost:8000/hooks",
        "https://user:password@example.com/",
        "https://example.com/#part",
        "https://exa mple.com/",
        "https://example.com:99999/",
        "ftp://example.com/",
        "javascript:alert(1)",
        "example.com",
        "https://",
        "https://[",
    ],
)
async def test_an_address_that_cannot_be_is_refused_by_name(api: Caller, url: str) -> None:
    refused = await api.post("/webhooks", {"url": url, "event_types": ["*"]})

    assert refused.status_code == 422
    assert refused.json()["field"] == "url"


@pytest.mark.parametrize("types", [[], ["contact.exploded"], ["user.logged_in"], ["webhook.disabled"]])
async def test_an_event_that_is_not_told_is_refused(api: Caller, types: list[str]) -> None:
    refused = await api.post("/webhooks", {"url": URL, "event_types": types})

    assert refused.status_code == 422
    assert "event_types" in refused.text


async def test_a_change_is_not_lost(api: Caller) -> None:
    path = f"/webhooks/{(await _make(api))['id']}"
    tag = (await api.get(path)).headers["ETag"]
    first = await api.client.patch(path, json={"is_enabled": False}, headers={"If-Match": tag})

    lost = await api.client.patch(path, json={"description": "x"}, headers={"If-Match": tag})
    kept = await api.client.delete(path, headers={"If-Match": tag})
    removed = await api.client.delete(path, headers={"If-Match": first.headers["ETag"]})

    assert [a.status_code for a in (first, lost, kept, removed)] == [200, 412, 412, 200]
    assert (await api.get(path)).status_code == 404


async def test_nothing_is_sent_to_what_is_switched_off(api: Caller) -> None:
    path = f"/webhooks/{(await _make(api))['id']}"
    delivery = (await api.post(f"{path}/test")).json()
    await api.call("PATCH", path, {"version": 1, "is_enabled": False})

    answers = [
        await api.post(f"{path}/test"),
        await api.post(f"/webhook-deliveries/{delivery['id']}/retry"),
    ]

    assert [answer.status_code for answer in answers] == [409, 409]


async def test_a_test_is_on_its_way_and_in_the_log(api: Caller) -> None:
    path = f"/webhooks/{(await _make(api))['id']}"

    sent = await api.post(f"{path}/test")

    listed = (await api.get(f"{path}/deliveries", status="pending")).json()["items"]
    assert sent.status_code == 202
    assert listed == [sent.json()]
    assert (await api.get(f"{path}/deliveries", status="failed")).json()["items"] == []


async def test_there_is_an_end_to_how_many_there_may_be(api: Caller) -> None:
    for _ in range(50):
        await _make(api)

    refused = await api.post("/webhooks", {"url": URL, "event_types": ["*"]})

    assert refused.status_code == 409


def test_whatever_is_told_can_be_read_where_it_says() -> None:
    """A new noun's operation `get_<kind>` wants its line in crm/webhooks/payload.py."""
    document = create_app().openapi()
    shown = {
        details["operationId"].removeprefix("get_"): path
        for path, methods in document["paths"].items()
        for method, details in methods.items()
        if method == "get" and details.get("operationId", "").startswith("get_")
    }
    told = {event.subject_kind for name, event in BY_NAME.items() if name in EVENT_TYPES}

    assert {kind: re.sub(r"\{\w+\}", "{id}", shown[kind]) for kind in told & shown.keys()} == PLACES
