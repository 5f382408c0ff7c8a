"""Pages of contacts and companies by plain forms: make, change in place, address, consent, trash."""

import re
from urllib.parse import urlsplit

import httpx2
import pytest

from core.db import Database
from core.filters import ValueKind
from core.principal import Principal
from crm.contacts.actions import create_contact, update_contact
from crm.contacts.models import Contact, ContactEdit, NewContact
from crm.contacts.queries import get_contact, list_consent_history, list_handles
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import Choice, NewCustomField
from events.ids import RecordKind
from tests.web.conftest import Browser


@pytest.fixture
async def ada(database: Database, organization: Principal) -> Contact:
    async with database.transaction(organization, "test") as tx:
        fields = (
            NewCustomField(RecordKind.CONTACT, "Budget", ValueKind.MONEY),
            NewCustomField(
                RecordKind.CONTACT,
                "Size",
                ValueKind.CHOICES,
                choices=(Choice("s", "Small"), Choice("l", "Large")),
            ),
            NewCustomField(RecordKind.CONTACT, "Boss", ValueKind.RECORD, target_kind=RecordKind.CONTACT),
            NewCustomField(RecordKind.CONTACT, "Born", ValueKind.DATE),
            NewCustomField(RecordKind.CONTACT, "Staff", ValueKind.NUMBER),
        )
        for field in fields:
            await create_custom_field(tx, field)
        new = NewContact("Ada Lovelace", title="Analyst", handles=(("email", "ada@example.com"),))
        return await create_contact(tx, new)


async def _now(database: Database, person: Principal, contact: Contact) -> Contact:
    async with database.transaction(person, "test") as tx:
        return await get_contact(tx, contact.id)


async def _save(
    browser: Browser, contact: Contact, name: str, *values: str, before: str = ""
) -> httpx2.Response:
    fields = {"csrf_token": browser.token, "version": str(contact.version), name: list(values)}
    if before:
        fields["before"] = before
    return await browser.client.post(f"/contacts/{contact.id}/fields/{name}", data=fields)


@pytest.mark.parametrize(("locale", "words"), [("en", "Addresses"), ("ru", "Адреса")])
async def test_a_contact_is_shown_in_the_readers_language(
    browser: Browser, ada: Contact, locale: str, words: str
) -> None:
    await browser.post("/preferences", locale=locale)

    page = await browser.get(f"/contacts/{ada.id}")

    assert page.status_code == 200
    assert all(text in page.text for text in ("Ada Lovelace", "Analyst", "ada@example.com", "Budget", words))


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("budget", ("1 200,50", "eur"), {"amount_minor": 120050, "currency": "EUR"}),
        ("size", ("", "s", "l"), ["s", "l"]),
        ("born", ("1815-12-10",), "1815-12-10"),
        ("staff", ("12,5",), 12.5),
    ],
)
async def test_a_custom_field_is_changed_in_its_place(
    browser: Browser,
    database: Database,
    organization: Principal,
    ada: Contact,
    field: str,
    given: tuple[str, ...],
    kept: object,
) -> None:
    answer = await _save(browser, ada, f"custom.{field}", *given)

    assert answer.status_code == 303
    assert (await _now(database, organization, ada)).custom == {field: kept}


async def test_a_link_is_found_by_name_and_asked_back_when_several_are_meant(
    browser: Browser, database: Database, organization: Principal, ada: Contact
) -> None:
    async with database.transaction(organization, "test") as tx:
        byrons = [await create_contact(tx, NewContact("Byron")) for _ in range(2)]

    asked = await _save(browser, ada, "custom.boss", "Byron")
    chosen = await _save(browser, ada, "custom.boss", "Byron", str(byrons[1].id))

    assert asked.status_code == 422
    assert all(f'value="{byron.id}"' in asked.text for byron in byrons)
    assert chosen.status_code == 303
    assert (await _now(database, organization, ada)).custom == {"boss": str(byrons[1].id)}


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("custom.staff", "many"),
        ("custom.budget", "1.005"),
        ("custom.born", "soon"),
        ("name", " "),
        ("time_zone", "Moon/Sea"),
    ],
)
async def test_what_cannot_be_kept_stays_in_the_field_with_the_reason(
    browser: Browser, ada: Contact, name: str, given: str
) -> None:
    page = await _save(browser, ada, name, given)

    assert page.status_code == 422
    assert 'class="field-error"' in page.text
    assert name == "time_zone" or f'value="{given}"' in page.text


async def test_a_lost_update_shows_what_the_other_wrote_and_another_field_is_no_conflict(
    browser: Browser, database: Database, organization: Principal, ada: Contact
) -> None:
    async with database.transaction(organization, "test") as tx:
        await update_contact(tx, ada.id, ContactEdit(title="Countess"), version=ada.version)

    lost = await _save(browser, ada, "title", "Engineer", before="Analyst")
    other = await _save(browser, ada, "name", "Ada King", before="Ada Lovelace")

    assert lost.status_code == 412
    assert "“Countess”" in lost.text
    assert 'value="Engineer"' in lost.text
    assert other.status_code == 303
    now = await _now(database, organization, ada)
    assert (now.name, now.title) == ("Ada King", "Countess")


async def test_addresses_are_added_with_a_label_preferred_and_removed(
    browser: Browser, database: Database, organization: Principal, ada: Contact
) -> None:
    place = f"/contacts/{ada.id}/handles"
    await browser.post(place, kind="email", value="Ada@Office.example", label="office")
    async with database.transaction(organization, "test") as tx:
        first, added = await list_handles(tx, ada.id)

    await browser.post(f"{place}/{added.id}/preference")
    await browser.post(f"{place}/{first.id}/removal")

    async with database.transaction(organization, "test") as tx:
        (left,) = await list_handles(tx, ada.id)
    assert (left.value, left.label, left.is_primary) == ("ada@office.example", "office", True)


async def test_an_address_of_somebody_else_is_refused_by_their_name(
    browser: Browser, database: Database, organization: Principal, ada: Contact
) -> None:
    async with database.transaction(organization, "test") as tx:
        await create_contact(tx, NewContact("Charles", handles=(("email", "c@example.com"),)))

    page = await browser.post(f"/contacts/{ada.id}/handles", kind="email", value="c@example.com")

    assert page.status_code == 409
    assert "It belongs to Charles already." in page.text


async def test_consent_keeps_its_source_and_history(
    browser: Browser, database: Database, organization: Principal, ada: Contact
) -> None:
    place = f"/contacts/{ada.id}/consents"
    await browser.post(place, channel="email", is_given="true", source="Web form")
    await browser.post(place, channel="email", is_given="false", source="Call")
    refused = await browser.post(place, channel="sms", is_given="true", source=" ")

    page = await browser.get(f"/contacts/{ada.id}")

    async with database.transaction(organization, "test") as tx:
        history = await list_consent_history(tx, ada.id)
    assert [(one.is_given, one.source) for one in history] == [(False, "Call"), (True, "Web form")]
    assert refused.status_code == 422
    assert "taken back" in page.text


async def test_a_contact_goes_into_the_trash_and_comes_back(
    browser: Browser, database: Database, organization: Principal, ada: Contact
) -> None:
    await browser.post(f"/contacts/{ada.id}/removal", version=str(ada.version))
    trashed = await browser.get(f"/contacts/{ada.id}")
    await browser.post(f"/contacts/{ada.id}/restoration")

    assert "In the trash since" in trashed.text
    assert (await _now(database, organization, ada)).deleted_at is None


async def test_a_company_and_a_person_of_it_are_made_by_forms(
    browser: Browser, database: Database, organization: Principal, ada: Contact
) -> None:
    company = await browser.post(
        "/companies", name="Engines", domain="https://engines.example/", employees="12"
    )
    person = await browser.client.post(
        "/contacts",
        data={
            "csrf_token": browser.token,
            "name": "Charles",
            "company_id": "Engines",
            "language": "en",
            "handle.phone": "+44 20 7946 0000",
            "custom.staff": "3",
        },
    )

    page = await browser.get(urlsplit(person.headers["location"]).path)
    of_company = await browser.get(company.headers["location"])
    assert all(text in page.text for text in ("Engines", "+442079460000", "Charles"))
    assert "Charles" in of_company.text


async def test_a_form_names_the_one_who_is_there_already_and_loses_nothing(
    browser: Browser, ada: Contact
) -> None:
    fields = {
        "csrf_token": browser.token,
        "name": "Ada L.",
        "title": "Poet",
        "handle.email": "ADA@example.com",
    }
    page = await browser.client.post("/contacts", data=fields)

    assert page.status_code == 422
    assert re.search(rf'href="/contacts/{ada.id}">Ada Lovelace<', page.text)
    assert all(f'value="{text}"' in page.text for text in ("Ada L.", "Poet", "ADA@example.com"))


async def test_a_tag_is_put_on_and_taken_off(browser: Browser, ada: Contact) -> None:
    await browser.post(f"/contacts/{ada.id}/tags", tag="VIP")
    tagged = await browser.get(f"/contacts/{ada.id}")
    path = re.search(rf'action="(/contacts/{ada.id}/tags/[^/]+/removal)"', tagged.text)
    assert path
    await browser.post(path.group(1))

    assert not re.search(r"/tags/[^/]+/removal", (await browser.get(f"/contacts/{ada.id}")).text)


async def test_htmx_gets_the_same_fragment_as_the_page(browser: Browser, ada: Contact) -> None:
    page = await browser.get(f"/contacts/{ada.id}")
    fragment = await browser.get(f"/contacts/{ada.id}", HX_Request="true")
    editor = await browser.get(f"/contacts/{ada.id}/fields/title", HX_Request="true")

    assert fragment.text.strip() in page.text
    assert editor.text.lstrip().startswith("<form")
