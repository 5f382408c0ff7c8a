"""Versions over HTTP: tags, conditional reads, and updates that are not lost."""

import pytest

from tests.support.callers import Caller
from tests.support.desk import Desk


@pytest.fixture
def contact(desk: Desk) -> str:
    return desk.path("/contacts/{contact_id}")


async def _tag(api: Caller, path: str) -> str:
    tag: str = (await api.get(path)).headers["ETag"]
    return tag


async def test_a_tag_begins_with_the_version(api: Caller, contact: str) -> None:
    answer = await api.get(contact)

    assert answer.headers["ETag"].startswith(f'"{answer.json()["version"]}-')
    assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("path", ["/contacts", "/contacts/{contact_id}", "/conversations/{conversation_id}"])
async def test_what_has_not_changed_is_not_sent_again(api: Caller, desk: Desk, path: str) -> None:
    path = desk.path(path)
    tag = await _tag(api, path)

    same = await api.client.get(path, headers={"If-None-Match": tag})
    weak = await api.client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
    other = await api.client.get(path, headers={"If-None-Match": '"other"'})

    assert [answer.status_code for answer in (same, weak, other)] == [304, 304, 200]
    assert same.content == b""
    assert same.headers["ETag"] == tag


async def test_a_change_makes_another_tag(api: Caller, contact: str) -> None:
    tag = await _tag(api, contact)
    await api.call("PATCH", contact, {"version": 1, "title": "Procurement"})

    answer = await api.client.get(contact, headers={"If-None-Match": tag})

    assert answer.status_code == 200
    assert answer.headers["ETag"] != tag


async def test_if_match_stands_for_the_version_in_the_body(api: Caller, contact: str) -> None:
    tag = await _tag(api, contact)

    first = await api.client.patch(contact, json={"title": "Procurement"}, headers={"If-Match": tag})
    second = await api.client.patch(contact, json={"title": "Sales"}, headers={"If-Match": tag})
    third = await api.client.patch(
        contact, json={"title": "Sales"}, headers={"If-Match": first.headers["ETag"]}
    )

    assert [answer.status_code for answer in (first, second, third)] == [200, 412, 200]
    assert third.headers["ETag"].startswith('"3-')
    assert (await api.get(contact)).json()["title"] == "Sales"


async def test_the_version_in_the_body_goes_on_working(api: Caller, contact: str) -> None:
    answers = [await api.call("PATCH", contact, {"version": 1, "title": "Sales"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 412]


@pytest.mark.parametrize(
    ("tag", "body", "status"),
    [
        ('"1"', {"title": "Sales"}, 200),
        ('W/"1-00"', {"title": "Sales"}, 200),
        ('"1"', {"version": 1, "title": "Sales"}, 200),
        ('"1"', {"version": 2, "title": "Sales"}, 422),
        ('"2"', {"title": "Sales"}, 412),
        ('"something else"', {"title": "Sales"}, 412),
        ("*", {"title": "Sales"}, 422),
        ('"1", "2"', {"title": "Sales"}, 422),
        ("1", {"title": "Sales"}, 422),
        ('"1"', [], 422),
    ],
)
async def test_whatever_if_match_says_is_answered_clearly(
    api: Caller, contact: str, tag: str, body: object, status: int
) -> None:
    answer = await api.client.patch(contact, json=body, headers={"If-Match": tag})

    assert answer.status_code == status, answer.text


async def test_actions_take_if_match_too(api: Caller, desk: Desk) -> None:
    path = desk.path("/drafts/{draft_id}")
    tag = await _tag(api, path)
    await api.call("PATCH", path, {"version": 1, "body": "It costs €16."})

    refused = await api.client.post(f"{path}/approval", json={}, headers={"If-Match": tag})
    approved = await api.client.post(f"{path}/approval", json={}, headers={"If-Match": await _tag(api, path)})

    assert (refused.status_code, approved.status_code) == (412, 200)


async def test_an_operation_without_versions_says_so(api: Caller, desk: Desk) -> None:
    answer = await api.client.post("/contacts", json={"name": "Vera"}, headers={"If-Match": '"1"'})

    assert answer.status_code == 422
    assert "no versions" in answer.json()["detail"]
