"""Segments as pages: built step by step by plain forms, counted as they are built, and opened as lists."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from core import jsons
from core.db import Database
from core.filters import ValueKind
from core.principal import Principal
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import Choice, NewCustomField
from crm.segments.actions import create_segment
from crm.segments.models import NewSegment
from crm.segments.queries import list_segments
from events.ids import RecordKind
from tests.web.conftest import Browser

_ROOT = {"kind": "contact", "n.joined": "all", "n.part": "0"}


async def _people(database: Database, owner: Principal) -> None:
    """Three of them, with a region each."""
    async with database.transaction(owner, "test") as tx:
        choices = (Choice("north", "Север"), Choice("south", "Юг"))
        await create_custom_field(
            tx, NewCustomField(RecordKind.CONTACT, "Регион", ValueKind.CHOICE, key="region", choices=choices)
        )
        for name, title, region in (
            ("Anna", "CEO", "north"),
            ("Bo", "Buyer", "north"),
            ("Vera", "CEO", "south"),
        ):
            await create_contact(tx, NewContact(name, title=title, custom={"region": region}))


def _count(page: str) -> str:
    found = re.search(r'segment-number">([^<]+)<', page)
    assert found, page
    return found[1]


async def test_a_segment_grows_step_by_step_without_a_script(
    browser: Browser, database: Database, organization: Principal
) -> None:
    await _people(database, organization)

    start = (await browser.get("/segments/new")).text
    chosen = (await browser.post("/segments/editing", None, **_ROOT, **{"n.0.field": "custom.region"})).text
    region = {"n.0.field": "custom.region", "n.0.op": "is", "n.0.value": "north", "n.0.was": "custom.region"}
    counted = (await browser.post("/segments/editing", None, **_ROOT, **region)).text
    grouped = (await browser.post("/segments/editing", None, **_ROOT, **region, act="group n")).text

    assert _count(start) == "3"
    assert '<option value="north">Север</option>' in chosen
    assert _count(counted) == "2"
    assert 'name="n.1.joined"' in grouped
    assert 'name="n.1.0.field"' in grouped


async def test_what_is_saved_is_what_was_built_and_opens_as_a_list(
    browser: Browser, database: Database, organization: Principal
) -> None:
    await _people(database, organization)
    form = {
        **_ROOT,
        "name": "Север без директоров",
        "n.0.joined": "any",
        "n.0.not": "1",
        "n.0.part": "0",
        "n.0.0.field": "title",
        "n.0.0.op": "is",
        "n.0.0.value": "ceo",
    }

    answer = await browser.post("/segments", None, **form)
    page = (await browser.get(answer.headers["location"])).text
    listed = (await browser.get("/segments")).text
    opened = re.search(r'href="(/contacts\?filter=[^"]+)"', listed)
    assert opened is not None
    table = (await browser.get(opened[1].replace("&amp;", "&"))).text

    async with database.transaction(organization, "test") as tx:
        (segment,) = (await list_segments(tx)).items
    assert segment.filter == {"all": [{"not": {"any": [{"field": "title", "op": "is", "value": "ceo"}]}}]}
    assert _count(page) == "1"
    assert re.search(r'segment-count"[^>]*>1<', listed)
    assert "segment" in parse_qs(urlsplit(opened[1]).query)["filter"][0]
    assert ("Bo</a>" in table, "Anna</a>" in table) == (True, False)
    assert "Segment is Север без директоров" in table


async def test_a_condition_that_is_not_finished_is_named_when_saving(
    browser: Browser, database: Database, organization: Principal
) -> None:
    await _people(database, organization)

    answer = await browser.post(
        "/segments", None, **_ROOT, name="Half", **{"n.0.field": "custom.region", "n.0.op": "is"}
    )

    assert answer.status_code == 422
    assert "Give “Регион” a value, or remove the condition." in answer.text
    assert 'value="Half"' in answer.text


async def test_a_number_that_is_none_is_said_beside_its_field(
    browser: Browser, database: Database, organization: Principal
) -> None:
    employees = {"n.0.field": "company_employees", "n.0.op": "gt", "n.0.value": "many"}

    page = (await browser.post("/segments/editing", None, **_ROOT, **employees)).text

    assert "many is no number" in page
    assert 'aria-invalid="true"' in page


async def test_a_name_is_taken_once_and_a_lost_update_is_told(
    browser: Browser, database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        segment = await create_segment(tx, NewSegment(RecordKind.CONTACT, "Riga", {}))

    twin = await browser.post("/segments", None, **_ROOT, name="riga")
    late = await browser.post(f"/segments/{segment.id}", None, **_ROOT, name="Oslo", version="7")

    assert (twin.status_code, late.status_code) == (409, 412)
    assert 'id="segment-name-error"' in twin.text
    assert "Somebody changed this segment meanwhile" in late.text


async def test_a_removed_segment_can_come_back(
    browser: Browser, database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        segment = await create_segment(tx, NewSegment(RecordKind.CONTACT, "Riga", {}))

    gone = await browser.post(f"/segments/{segment.id}/removal")
    page = (await browser.get(gone.headers["location"])).text
    await browser.post(f"/segments/{segment.id}/restoration")
    back = (await browser.get("/segments")).text

    assert "Removed: Riga" in page
    assert f'href="/segments/{segment.id}"' not in page
    assert f'href="/segments/{segment.id}"' in back


async def test_the_pages_speak_russian(browser: Browser) -> None:
    await browser.post("/preferences", locale="ru")

    page = (await browser.get("/segments/new")).text

    for words in ("Новый сегмент", "Выполняются все", "Условие", "Группа"):
        assert words in page


@pytest.mark.parametrize(
    ("currency", "typed", "minor"), [("JPY", "5000", 5000), ("KWD", "1.250", 1250), ("EUR", "12.50", 1250)]
)
async def test_an_amount_is_typed_as_its_currency_writes_it_and_stays_so(
    browser: Browser, database: Database, organization: Principal, currency: str, typed: str, minor: int
) -> None:
    async with database.transaction(organization, "test") as tx:
        await create_custom_field(
            tx,
            NewCustomField(RecordKind.CONTACT, "Budget", ValueKind.MONEY, key="budget", currency=currency),
        )
        for name, amount in (("Anna", minor), ("Bo", minor - 1)):
            budget = {"amount_minor": amount, "currency": currency}
            await create_contact(tx, NewContact(name, custom={"budget": budget}))  # type: ignore[dict-item]  # JSON
    condition = {"n.0.field": "custom.budget", "n.0.op": "ge", "n.0.was": "custom.budget"}

    made = await browser.post("/segments", None, **_ROOT, **condition, **{"name": "Rich", "n.0.value": typed})
    page = (await browser.get(made.headers["location"])).text
    shown = re.search(r'name="n\.0\.value"[^>]* value="([^"]*)"', page)
    assert shown
    again = await browser.post(
        made.headers["location"], None, **_ROOT, **condition,
        **{"name": "Rich", "n.0.value": shown[1], "version": "1"},
    )  # fmt: skip
    listed = await browser.get(f"/contacts?field=custom.budget&op=ge&value={typed}")

    assert (_count(page), shown[1], again.status_code) == ("1", typed, 303)
    async with database.transaction(organization, "test") as tx:
        (segment,) = (await list_segments(tx)).items
    kept = {"all": [{"field": "custom.budget", "op": "ge", "value": minor}]}
    assert segment.filter == kept
    assert jsons.loads(parse_qs(urlsplit(listed.headers["location"]).query)["filter"][0]) == kept


async def test_a_link_is_asked_for_by_the_name_of_what_it_leads_to(
    browser: Browser, database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        link = NewCustomField(RecordKind.CONTACT, "Partner", ValueKind.RECORD, target_kind=RecordKind.COMPANY)
        await create_custom_field(tx, link)
        acme, orbit = [await create_company(tx, NewCompany(name)) for name in ("Acme", "Orbit")]
        await create_company(tx, NewCompany("Orbit"))
        for name, company in (("Anna", acme), ("Bo", orbit)):
            await create_contact(tx, NewContact(name, custom={"partner": str(company.id)}))
    asked = {"n.0.field": "custom.partner", "n.0.was": "custom.partner", "n.0.op": "is"}

    typed = (await browser.post("/segments/editing", None, **_ROOT, **asked, **{"n.0.value": "acme"})).text
    unclear = (await browser.post("/segments/editing", None, **_ROOT, **asked, **{"n.0.value": "Orbit"})).text
    refused = await browser.post("/segments", None, **_ROOT, **asked, **{"n.0.value": "Orbit"}, name="Theirs")
    saved = await browser.post(
        "/segments", None, **_ROOT, **asked, **{"n.0.value": str(orbit.id)}, name="Theirs"
    )
    shown = (await browser.get(saved.headers["location"])).text

    assert _count(typed) == "1"
    assert f'value="{acme.id}" checked>Acme</label>' in typed
    assert "Which one is meant?" in unclear
    assert f'type="radio" name="n.0.value" value="{orbit.id}"' in unclear
    assert refused.status_code == 422
    assert _count(shown) == "1"
    assert f'value="{orbit.id}" checked>Orbit</label>' in shown
