"""Pages of seats: made, changed, stopped and seen, with forms alone."""

import pytest

from core.db import Database
from core.errors import Forbidden
from core.principal import Principal
from crm.bidi.day_limits import DayLimits, get_day_limits, set_day_limits
from crm.bidi.models import Bidi, BidiKind
from crm.bidi.queries import get_bidi, list_seats
from crm.identity.models import Role
from tests.support.organizations import add_member
from tests.support.world import World
from tests.web.conftest import Browser, signed_in


async def seat_of(world: World) -> Bidi:
    async with world.db.transaction(world.owner, "test") as tx:
        return await get_bidi(tx, world.bidi_id)


async def test_one_form_changes_all_of_a_seat(browser: Browser, world: World) -> None:
    path = f"/seats/{world.bidi_id}"

    answer = await browser.post(
        path,
        version="1",
        name="Mira",
        persona="Brief.",
        languages="ru en",
        capacity="12",
        time_zone="Europe/Berlin",
        mon_begins="09:00",
        mon_ends="18:00",
        tue_begins="",
        tue_ends="",
        autonomy="assist",
        scopes="contacts:read",
        daily_cap="5",
        max_cost_usd="0.25",
        max_cost_usd_a_day="",
        max_tokens_a_day="100000",
        accounts=str(world.account.id),
        model="offline",
    )

    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    seat = await seat_of(world)
    assert (seat.languages, seat.capacity, seat.working_hours) == (
        ["en", "ru"],
        12,
        {"mon": ["09:00", "18:00"]},
    )
    assert (seat.autonomy, seat.scopes, seat.model) == ("assist", ["contacts:read"], "offline")
    assert (seat.max_cost_usd_micros, seat.max_cost_usd_micros_a_day, seat.max_tokens_a_day) == (
        250_000, None, 100_000,
    )  # fmt: skip
    assert seat.account_ids == [world.account.id]


async def test_a_form_that_is_not_taken_keeps_what_was_written(browser: Browser, world: World) -> None:
    answer = await browser.post(f"/seats/{world.bidi_id}", version="1", name="Mira", capacity="many")

    assert answer.status_code == 422
    assert "Write this as a whole number" in answer.text
    assert 'value="many"' in answer.text


async def test_who_saves_an_older_form_is_told(browser: Browser, world: World) -> None:
    await browser.post(f"/seats/{world.bidi_id}", version="1", name="Noor")

    answer = await browser.post(f"/seats/{world.bidi_id}", version="1", name="Vera")

    assert answer.status_code == 412
    assert (await seat_of(world)).name == "Noor"


async def test_a_seat_is_stopped_and_works_again(browser: Browser, world: World) -> None:
    path = f"/seats/{world.bidi_id}"

    await browser.post(f"{path}/pause")
    paused = (await browser.get(path)).text
    await browser.post(f"{path}/resume")
    working = (await browser.get(path)).text

    assert "Nothing new begins here" in paused
    assert "Nothing new begins here" not in working


async def test_one_button_stops_every_agent(browser: Browser, world: World) -> None:
    offered = (await browser.get("/seats")).text

    await browser.post("/seats/pause")
    after = (await browser.get("/seats")).text

    assert "Stop every agent" in offered
    assert (await seat_of(world)).is_paused
    assert "Stop every agent" not in after


@pytest.mark.parametrize(("kind", "count"), [("ai", 2), ("internal", 1)])
async def test_a_seat_is_made(
    browser: Browser, world: World, organization: Principal, kind: str, count: int
) -> None:
    answer = await browser.post("/seats", kind=kind, name="Noor", agent="inbox", member=str(organization.id))

    assert answer.status_code == 303
    async with world.db.transaction(organization, "test") as tx:
        assert len((await list_seats(tx, kind=BidiKind(kind))).items) == count


async def test_who_may_not_manage_seats_sees_them_without_forms(
    site: str, database: Database, world: World
) -> None:
    person = await add_member(database, world.owner, Role.BIDI)
    async with signed_in(site, database, person) as theirs:
        page = await theirs.get(f"/seats/{world.bidi_id}")
        refused = await theirs.post(f"/seats/{world.bidi_id}/pause")
        new = await theirs.get("/seats/new")

    assert "Mira" in page.text
    assert "/pause" not in page.text
    assert (refused.status_code, new.status_code) == (403, 403)


async def test_what_all_agents_use_in_a_day_is_limited_on_the_page_of_seats(
    browser: Browser, world: World
) -> None:
    answer = await browser.post(
        "/seats/day-limits", max_runs_a_day="300", max_tokens_a_day="", max_cost_usd_a_day="12,50"
    )

    assert (answer.status_code, answer.headers["Location"]) == (303, "/seats#day-limits")
    async with world.db.transaction(world.owner, "test") as tx:
        assert await get_day_limits(tx) == DayLimits(300, None, 12_500_000)
        changes = await tx.value(
            """
            SELECT c.changes
              FROM events e
              JOIN event_changes c ON c.event_id = e.id
             WHERE e.type = 'organization.updated'
             ORDER BY e.id DESC
             LIMIT 1
            """
        )
    assert changes == {"max_runs_a_day": [None, 300], "max_cost_usd_micros_a_day": [None, 12_500_000]}
    assert 'value="12.50"' in (await browser.get("/seats")).text


async def test_a_limit_that_is_no_number_is_refused_and_stays_in_its_field(
    browser: Browser, world: World
) -> None:
    answer = await browser.post("/seats/day-limits", max_runs_a_day="many", max_cost_usd_a_day="1")

    assert answer.status_code == 422
    assert 'value="many"' in answer.text
    async with world.db.transaction(world.owner, "test") as tx:
        assert await get_day_limits(tx) == DayLimits()


async def test_a_supervisor_sets_no_limits(database: Database, organization: Principal) -> None:
    supervisor = await add_member(database, organization, Role.SUPERVISOR)

    with pytest.raises(Forbidden):
        async with database.transaction(supervisor, "test") as tx:
            await set_day_limits(tx, DayLimits(1))


async def test_a_supervisor_changes_how_an_agent_writes_and_nothing_else(
    site: str, database: Database, world: World
) -> None:
    path = f"/seats/{world.bidi_id}"
    supervisor = await add_member(database, world.owner, Role.SUPERVISOR)
    async with signed_in(site, database, supervisor) as theirs:
        page = (await theirs.get(path)).text
        written = await theirs.post(path, version="1", persona="Warm, and brief.")
        more = await theirs.post(path, version="2", persona="Free.", daily_cap="1000")

    assert ('name="persona"' in page, 'name="daily_cap"' in page) == (True, False)
    assert (written.status_code, more.status_code) == (303, 403)
    seat = await seat_of(world)
    assert (seat.persona, seat.daily_cap) == ("Warm, and brief.", 20)


async def test_a_rep_does_not_change_how_an_agent_writes(site: str, database: Database, world: World) -> None:
    rep = await add_member(database, world.owner, Role.BIDI)
    async with signed_in(site, database, rep) as theirs:
        refused = await theirs.post(f"/seats/{world.bidi_id}", version="1", persona="Mine.")

    assert refused.status_code == 403
