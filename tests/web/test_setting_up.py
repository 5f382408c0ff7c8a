"""Settings pages: custom fields and tags, by plain forms, in both languages."""

import re

import pytest
from pydantic import JsonValue

from core.db import Database
from core.filters import ValueKind
from core.principal import Principal
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import NewCustomField
from crm.custom_fields.queries import list_custom_fields
from crm.identity.models import Role
from crm.segments.actions import create_segment
from crm.segments.models import NewSegment
from crm.tags.actions import create_tag, ensure_tag, put_tag
from crm.tags.queries import list_tags
from events.ids import RecordKind
from tests.support.organizations import add_member
from tests.web.conftest import Browser, signed_in

FIELDS, TAGS = "/settings/fields", "/settings/tags"


async def _add(browser: Browser, **form: str) -> str:
    """Add a field; the path of its page."""
    made = await browser.client.post(
        FIELDS, data={"csrf_token": browser.token, "record_kind": "contact", **form}
    )
    return made.headers["location"]


async def test_a_field_is_added_changed_and_put_away(
    browser: Browser, database: Database, organization: Principal
) -> None:
    page = await _add(
        browser, value_kind="choice", label="Размер", choices="Малый\nБольшой\n\n", currency="EUR"
    )
    form = {"label": "Размер склада", "choice_key": ["malyy", "bolshoy"], "choice_label": ["Малый", "Огромный"],
            "more_choices": "Средний", "move": "up bolshoy", "is_required": "true", "version": "1"}  # fmt: skip
    await browser.client.post(page, data={"csrf_token": browser.token, **form})
    await browser.client.post(page, data={"csrf_token": browser.token, **form, "version": "2", "drop": "sredniy",
                                          "choice_key": ["sredniy", "bolshoy"], "more_choices": "",
                                          "choice_label": ["Средний", "Огромный"], "move": ""})  # fmt: skip
    async with database.transaction(organization, "test") as tx:
        (field,) = await list_custom_fields(tx, RecordKind.CONTACT)
    await browser.post(f"{page}/archival")
    archived = await browser.get(FIELDS)

    assert (field.label, field.is_required) == ("Размер склада", True)
    assert field.choices == [{"key": "bolshoy", "label": "Огромный"}]
    assert "1 archived field" in archived.text


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"value_kind": "text", "label": " "}, "Write a name"),
        ({"value_kind": "choice", "label": "Size", "choices": " \n"}, "at least one choice"),
        ({"value_kind": "money", "label": "Budget", "currency": "EUX"}, "a currency of three letters"),
        ({"value_kind": "number", "label": "office"}, "Choose another name"),
    ],
)
async def test_what_cannot_be_a_field_is_said_beside_the_form(
    browser: Browser, database: Database, organization: Principal, form: dict[str, str], problem: str
) -> None:
    async with database.transaction(organization, "test") as tx:
        await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "Office", ValueKind.TEXT))

    page = await browser.client.post(
        FIELDS, data={"csrf_token": browser.token, "record_kind": "contact", **form}
    )

    assert page.status_code in (409, 422)
    assert problem in page.text
    assert f'value="{form["label"]}"' in page.text


async def test_a_field_says_who_uses_it(
    browser: Browser, database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        field = await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "Office", ValueKind.TEXT))
        await create_contact(tx, NewContact("Vera", custom={"office": "Riga"}))
        condition: dict[str, JsonValue] = {"field": "custom.office", "op": "is", "value": "Riga"}
        await create_segment(tx, NewSegment(RecordKind.CONTACT, "People in Riga", condition))

    page = await browser.get(f"{FIELDS}/{field.id}")

    assert "In 1 record" in page.text
    assert "People in Riga" in page.text


async def test_amounts_of_a_field_are_read_with_the_digits_of_their_currency(
    browser: Browser, database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        for label, code in (("Budget", "JPY"), ("Price", "KWD")):
            new = NewCustomField(RecordKind.CONTACT, label, ValueKind.MONEY, currency=code)
            await create_custom_field(tx, new)
        vera = await create_contact(tx, NewContact("Vera"))

    for name, typed in (("budget", ["8160", "JPY"]), ("price", ["-1.5", "KWD"])):
        data = {
            "csrf_token": browser.token,
            "version": "1" if name == "budget" else "2",
            f"custom.{name}": typed,
        }
        await browser.client.post(f"/contacts/{vera.id}/fields/custom.{name}", data=data)
    page = await browser.get(f"/contacts/{vera.id}/fields/custom.price")

    async with database.transaction(organization, "test") as tx:
        held = await tx.value("SELECT custom FROM contacts WHERE id = %(id)s", id=vera.id)
    assert held == {
        "budget": {"amount_minor": 8160, "currency": "JPY"},
        "price": {"amount_minor": -1500, "currency": "KWD"},
    }
    assert 'value="-1.500"' in page.text


async def test_a_required_field_is_asked_for_by_the_form_of_a_new_record(
    browser: Browser, database: Database, organization: Principal
) -> None:
    new = NewCustomField(RecordKind.CONTACT, "Budget", ValueKind.MONEY, currency="EUR", is_required=True)
    async with database.transaction(organization, "test") as tx:
        await create_custom_field(tx, new)

    refused = await browser.client.post(
        "/contacts", data={"csrf_token": browser.token, "name": "Vera", "custom.budget": ["", "EUR"]}
    )
    made = await browser.client.post(
        "/contacts", data={"csrf_token": browser.token, "name": "Vera", "custom.budget": ["5", "EUR"]}
    )

    assert (refused.status_code, made.status_code) == (422, 303)
    assert "Fill this in." in refused.text


async def test_tags_are_renamed_merged_and_removed(
    browser: Browser, database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        vera = await create_contact(tx, NewContact("Vera"))
        old, fair, gone = [await create_tag(tx, name) for name in ("Old", "Fair", "Gone")]
        await put_tag(tx, RecordKind.CONTACT, vera.id, old.id)
        await put_tag(tx, RecordKind.CONTACT, vera.id, gone.id)

    taken = await browser.post(f"{TAGS}/{old.id}", name="fair", tint="1", version="1")
    await browser.post(f"{TAGS}/{old.id}", name="Messe", tint="6", version="1")
    await browser.post(f"{TAGS}/{old.id}/merge", into_id=str(fair.id))
    await browser.post(f"{TAGS}/{gone.id}/removal")
    index = await browser.get(TAGS)

    async with database.transaction(organization, "test") as tx:
        left = [tag.name for tag in await list_tags(tx)]
    assert "merge the two" in taken.text
    assert left == ["Fair"]
    assert re.search(r"Fair</span>.*on 1 record<", index.text)


async def test_a_tag_that_a_segment_asks_for_is_not_removed(
    browser: Browser, database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        tag = await ensure_tag(tx, "Fair")
        condition: dict[str, JsonValue] = {"field": "tags", "op": "any_of", "value": [str(tag.id)]}
        await create_segment(tx, NewSegment(RecordKind.CONTACT, "Visitors", condition))

    page = await browser.post(f"{TAGS}/{tag.id}/removal")

    assert page.status_code == 409
    assert "Visitors" in page.text


@pytest.mark.parametrize(("locale", "title"), [("en", "Custom fields"), ("ru", "Свои поля")])
async def test_settings_lead_to_every_page_that_one_may_change(
    browser: Browser, locale: str, title: str
) -> None:
    await browser.post("/preferences", locale=locale)

    page = await browser.get("/settings")
    led = set(re.findall(r'settings-card" href="([^"]+)"', page.text))

    assert title in page.text
    assert {FIELDS, TAGS, "/settings/api-keys", "/settings/webhooks", "/imports"} <= led
    assert {(await browser.get(path)).status_code for path in led - {"/pipelines"}} == {200}


async def test_a_viewer_sees_fields_and_cannot_change_them(
    site: str, database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        field = await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "Office", ValueKind.TEXT))
    viewer = await add_member(database, organization, Role.VIEWER)

    async with signed_in(site, database, viewer) as browser:
        shown = await browser.get(f"{FIELDS}/{field.id}")
        overview = await browser.get("/settings")
        refused = await browser.post(f"{FIELDS}/{field.id}/archival")

    assert "Office" in shown.text
    assert "archival" not in shown.text
    assert f'href="{FIELDS}"' not in overview.text
    assert refused.status_code == 403
