"""The trash over REST: leads and deals go there by version, and come back once however often they are asked to."""

import pytest

from tests.support.callers import Caller
from tests.support.desk import Desk

NOUNS = pytest.mark.parametrize("noun", ["lead", "deal"])


@NOUNS
async def test_what_is_in_the_trash_is_in_no_list_until_it_is_restored(
    api: Caller, desk: Desk, noun: str
) -> None:
    path = desk.path(f"/{noun}s/{{{noun}_id}}")

    deleted = await api.call("DELETE", path)
    listed = (await api.get(f"/{noun}s")).json()["items"]
    restored = await api.post(f"{path}/restoration")

    assert (deleted.status_code, restored.status_code) == (200, 200)
    assert deleted.json()["deleted_at"] is not None
    assert listed == []
    assert [one["id"] for one in (await api.get(f"/{noun}s")).json()["items"]] == [restored.json()["id"]]


@NOUNS
async def test_what_was_changed_meanwhile_is_not_put_into_the_trash(
    api: Caller, desk: Desk, noun: str
) -> None:
    path = desk.path(f"/{noun}s/{{{noun}_id}}")
    tag = (await api.get(path)).headers["ETag"]
    await api.call("PATCH", path, {"version": 1, "next_step": "Call"})

    stale = await api.client.delete(path, headers={"If-Match": tag})
    now = (await api.get(path)).headers["ETag"]
    deleted = await api.client.delete(path, headers={"If-Match": now})

    assert (stale.status_code, deleted.status_code) == (412, 200)
    assert deleted.headers["ETag"].startswith('"3-')


@NOUNS
async def test_a_repeated_restoration_is_answered_as_the_first_was(
    api: Caller, desk: Desk, noun: str
) -> None:
    path = desk.path(f"/{noun}s/{{{noun}_id}}")
    await api.call("DELETE", path)
    headers = {"Idempotency-Key": "once"}

    first = await api.client.post(f"{path}/restoration", headers=headers)
    again = await api.client.post(f"{path}/restoration", headers=headers)

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content


async def test_a_person_who_is_in_the_pipeline_again_keeps_the_new_lead(api: Caller, desk: Desk) -> None:
    path = desk.path("/leads/{lead_id}")
    old = (await api.call("DELETE", path)).json()
    body = {"contact_id": old["contact_id"], "pipeline_id": old["pipeline_id"]}
    made = await api.post("/leads", body)

    restored = await api.post(f"{path}/restoration")

    assert (made.status_code, restored.status_code) == (201, 409)


@NOUNS
async def test_a_stage_that_keeps_its_records_is_a_conflict(api: Caller, desk: Desk, noun: str) -> None:
    path = desk.path(f"/{noun}s/{{{noun}_id}}")
    stage = (await api.get(path)).json()["stage_id"]
    rules = await api.call("PATCH", f"/stages/{stage}", {"allowed_actions": ["advance"]})
    assert rules.status_code == 200, rules.text

    refused = await api.call("DELETE", path)

    assert (refused.status_code, refused.json()["type"]) == (409, "urn:getsale:problem:stage_action")
    assert (await api.get(path)).json()["deleted_at"] is None
