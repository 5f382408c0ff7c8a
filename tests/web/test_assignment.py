"""The page of assignment: rules made, moved, changed and tried, with forms alone."""

from typing import Any

import pytest

from core.db import Database
from crm.assignment import queries
from crm.assignment.models import AssignmentRule
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.identity.models import Role
from tests.support.organizations import add_member
from tests.support.world import World
from tests.web.conftest import Browser, signed_in


async def rules_of(world: World) -> list[AssignmentRule]:
    async with world.db.transaction(world.owner, "test") as tx:
        return await queries.list_rules(tx)


async def make(browser: Browser, world: World, name: str, **more: object) -> None:
    fields: dict[str, Any] = {
        "record_kind": "conversation",
        "way": "in_turn",
        "bidi_ids": str(world.bidi_id),
        **more,
    }
    answer = await browser.post("/assignment", name=name, **fields)
    assert answer.status_code == 303, answer.text


async def test_a_rule_is_made_changed_and_removed(browser: Browser, world: World) -> None:
    await make(browser, world, "Everything")
    (made,) = await rules_of(world)

    await browser.post(
        f"/assignment/{made.id}",
        version="1",
        name="Telegram",
        way="least_loaded",
        channel="telegram",
        bidi_ids=str(world.bidi_id),
    )
    (changed,) = await rules_of(world)
    page = (await browser.get("/assignment")).text
    await browser.post(f"/assignment/{made.id}/removal")

    assert (changed.name, changed.way, changed.channel, changed.is_enabled) == (
        "Telegram", "least_loaded", "telegram", False,
    )  # fmt: skip
    assert "switched off" in page
    assert await rules_of(world) == []


async def test_a_rule_moves_up(browser: Browser, world: World) -> None:
    await make(browser, world, "First")
    await make(browser, world, "Second")
    second = (await rules_of(world))[1]

    await browser.post(f"/assignment/{second.id}", version="1", position="1")

    assert [one.name for one in await rules_of(world)] == ["Second", "First"]


async def test_a_rule_without_seats_is_refused_and_keeps_what_was_written(
    browser: Browser, world: World
) -> None:
    answer = await browser.post("/assignment", record_kind="conversation", name="Empty", way="in_turn")

    assert answer.status_code == 422
    assert "Name at least one seat" in answer.text
    assert 'value="Empty"' in answer.text


@pytest.mark.parametrize(("language", "said"), [("en", "would go to Mira"), ("ru", "does not speak Russian")])
async def test_a_trial_says_who_would_get_somebody_and_why(
    browser: Browser, world: World, language: str, said: str
) -> None:
    await make(browser, world, "Everything")
    await browser.post(f"/seats/{world.bidi_id}", version="1", name="Mira", languages="en")
    async with world.db.transaction(world.owner, "test") as tx:
        await create_contact(tx, NewContact("Hildur Vestergaard", language=language))

    page = (await browser.get("/assignment?contact=Hildur")).text
    nobody = (await browser.get("/assignment?contact=Zzyzx")).text

    assert said in page
    assert "Nobody of that name is found." in nobody


async def test_what_becomes_of_a_paused_seats_work_is_a_choice(browser: Browser, world: World) -> None:
    await browser.post("/assignment/reassignment")

    async with world.db.transaction(world.owner, "test") as tx:
        assert not await queries.reassigns_paused(tx)


async def test_who_may_not_manage_seats_sees_the_rules_without_forms(
    site: str, database: Database, browser: Browser, world: World
) -> None:
    await make(browser, world, "Everything")
    person = await add_member(database, world.owner, Role.BIDI)
    async with signed_in(site, database, person) as theirs:
        page = (await theirs.get("/assignment")).text
        refused = await theirs.post("/assignment/reassignment")

    assert "Everything" in page
    assert "Add a rule" not in page
    assert refused.status_code == 403
