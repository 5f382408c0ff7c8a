"""Duplicates and merges on pages: what is shown, what is chosen, and what a bad address or choice is answered."""

from uuid import UUID, uuid4

import pytest

from core.db import Database
from core.pagination import encode_cursor
from core.principal import Principal
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.companies.suggestions import look_at_batch
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.identity.models import Role
from tests.support.organizations import add_member
from tests.web.conftest import Browser, signed_in


async def _pair(database: Database, owner: Principal) -> tuple[UUID, UUID]:
    async with database.transaction(owner, "test") as tx:
        kept = await create_contact(tx, NewContact("Vera Lind", title="CEO"))
        merged = await create_contact(tx, NewContact("Вера Линд", title="Директор", note="Любит чай"))
    return kept.id, merged.id


async def test_both_are_shown_and_the_chosen_value_stays(
    browser: Browser, database: Database, organization: Principal
) -> None:
    kept, merged = await _pair(database, organization)

    form = await browser.get(f"/merges/new?kept_id={kept}&merged_id={merged}")
    sides = {"side.title": "merged", "side.name": "kept"}
    done = await browser.post("/merges", None, kept_id=str(kept), merged_id=str(merged), **sides)

    assert all(text in form.text for text in ("CEO", "Директор", "Любит чай"))
    assert done.status_code == 303
    card = (await browser.get(f"/contacts/{kept}")).text
    assert "Директор" in card
    assert "Любит чай" in card


async def test_two_companies_are_suggested_compared_merged_and_parted_again(
    browser: Browser, database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        kept = await create_company(tx, NewCompany("ООО «Ромашка»", city="Казань"))
        merged = await create_company(tx, NewCompany("Romashka LLC", industry="Flowers"))
        await look_at_batch(tx)

    found = (await browser.get("/duplicates")).text
    place = f"/merges/new?kind=company&kept_id={kept.id}&merged_id={merged.id}"
    form = (await browser.get(place)).text
    sides = {"side.name": "merged"}
    done = await browser.post(
        "/merges", None, kind="company", kept_id=str(kept.id), merged_id=str(merged.id), **sides
    )
    card = (await browser.get(f"/companies/{kept.id}")).text
    await browser.post(f"{done.headers['location']}/undoing")
    after = (await browser.get(f"/companies/{merged.id}")).text

    assert place.replace("&", "&amp;") in found
    assert "Not the same company" in found
    assert all(text in form for text in ("Казань", "Flowers"))
    assert all(text in card for text in ("Romashka LLC", "Flowers", "Казань"))
    assert "Romashka LLC" in after


async def test_whoever_opens_the_record_that_was_put_away_is_led_on(
    browser: Browser, database: Database, organization: Principal
) -> None:
    kept, merged = await _pair(database, organization)
    await browser.post("/merges", kept_id=str(kept), merged_id=str(merged))

    page = (await browser.get(f"/contacts/{merged}")).text

    assert f'href="/contacts/{kept}"' in page


@pytest.mark.parametrize("path", ["/duplicates", "/merges"])
@pytest.mark.parametrize(
    "cursor",
    ["x", "%00", encode_cursor("often", uuid4()), encode_cursor("0.7", "me"), encode_cursor(uuid4())],
    ids=["no cursor", "a zero", "no number", "no id", "too short"],
)
async def test_a_cursor_made_by_hand_is_refused(browser: Browser, path: str, cursor: str) -> None:
    answer = await browser.get(f"{path}?cursor={cursor}")

    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"side.shoe": "merged"}, 422),
        ({"merged_id": str(uuid4())}, 404),
        ({"merged_id": "nobody"}, 422),
        ({"kind": "company"}, 404),
    ],
    ids=["an unknown field", "somebody unknown", "no id", "another kind"],
)
async def test_a_bad_merge_is_refused_and_nothing_happens(
    browser: Browser, database: Database, organization: Principal, fields: dict[str, str], status: int
) -> None:
    kept, merged = await _pair(database, organization)

    given = {"kept_id": str(kept), "merged_id": str(merged)} | fields
    answer = await browser.post("/merges", None, **given)

    async with database.transaction(organization, "test") as tx:
        there = await tx.value("SELECT count(*) FROM contacts WHERE deleted_at IS NULL")
    assert answer.status_code == status
    assert there == 2


async def test_a_viewer_may_look_and_not_merge(
    site: str, database: Database, organization: Principal
) -> None:
    kept, merged = await _pair(database, organization)
    reader = await add_member(database, organization, Role.VIEWER)

    async with signed_in(site, database, reader) as browser:
        form = await browser.get(f"/merges/new?kept_id={kept}&merged_id={merged}")
        answer = await browser.post("/merges", kept_id=str(kept), merged_id=str(merged))

    assert form.status_code == 200
    assert answer.status_code == 403
