"""Custom fields: typed values that are checked where they are written."""

from dataclasses import replace

import pytest
from pydantic import JsonValue

from core.db import Database
from core.errors import Conflict, Forbidden, Stale, Unprocessable
from core.filters import ValueKind
from core.ids import uuid7
from core.principal import Principal
from crm.contacts.actions import create_contact, delete_contact, resolve_contact, update_contact
from crm.contacts.models import ContactEdit, NewContact
from crm.custom_fields.actions import (
    archive_custom_field,
    create_custom_field,
    move_custom_field,
    restore_custom_field,
    update_custom_field,
)
from crm.custom_fields.links import linked_names
from crm.custom_fields.models import Choice, CustomFieldEdit, NewCustomField, key_of
from crm.custom_fields.queries import list_custom_fields
from crm.identity.models import SCOPES, Role
from events.ids import RecordKind

_SIZES = (Choice("small", "Малая"), Choice("big", "Большая"))


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("Годовой оборот", "godovoy_oborot"),
        ("Plan (2026)", "plan_2026"),
        ("2026", "field_2026"),
        ("???", "field"),
    ],
)
def test_a_key_is_made_of_the_label(label: str, key: str) -> None:
    assert key_of(label) == key


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        (ValueKind.TEXT, "Рига", "Рига"),
        (ValueKind.NUMBER, "12.50", 12.5),
        (ValueKind.NUMBER, 12.0, 12),
        (ValueKind.MONEY, {"amount_minor": 5, "currency": "EUR"}, {"amount_minor": 5, "currency": "EUR"}),
        (ValueKind.DATE, "2026-12-01", "2026-12-01"),
        (ValueKind.CHOICE, "большая", "big"),
        (ValueKind.CHOICES, ["small", "Большая", "small"], ["small", "big"]),
        (ValueKind.BOOLEAN, False, False),
    ],
)
async def test_a_value_is_kept_in_one_form(
    database: Database, organization: Principal, kind: ValueKind, given: JsonValue, stored: JsonValue
) -> None:
    choices = _SIZES if kind in (ValueKind.CHOICE, ValueKind.CHOICES) else ()
    async with database.transaction(organization, "test") as tx:
        await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "Size", kind, choices=choices))

        contact = await create_contact(tx, NewContact("Anna", custom={"size": given}))

    assert contact.custom == {"size": stored}


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (ValueKind.NUMBER, "many", "custom.size needs a number"),
        (ValueKind.NUMBER, True, "custom.size needs a number"),
        (ValueKind.MONEY, 5, "custom.size needs money"),
        (ValueKind.MONEY, {"amount_minor": 0.5, "currency": "EUR"}, "custom.size needs money"),
        (ValueKind.DATE, "01.12.2026", "custom.size needs a date"),
        (ValueKind.CHOICE, "medium", "choose from: Малая, Большая"),
        (ValueKind.BOOLEAN, "yes", "custom.size needs true or false"),
        (ValueKind.TEXT, "x" * 1001, "custom.size needs a text"),
    ],
)
async def test_a_value_of_another_kind_is_refused_by_name(
    database: Database, organization: Principal, kind: ValueKind, given: JsonValue, words: str
) -> None:
    choices = _SIZES if kind is ValueKind.CHOICE else ()
    async with database.transaction(organization, "test") as tx:
        await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "Size", kind, choices=choices))

        with pytest.raises(Unprocessable, match=words):
            await create_contact(tx, NewContact("Anna", custom={"size": given}))


async def test_an_edit_changes_one_value_and_empties_another(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        for label in ("One", "Two", "Three"):
            await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, label, ValueKind.TEXT))
        anna = await create_contact(tx, NewContact("Anna", custom={"one": "1", "two": "2", "three": "3"}))

        changed = await update_contact(
            tx, anna.id, ContactEdit(custom={"one": "I", "two": None}), version=anna.version
        )

        assert changed.custom == {"one": "I", "three": "3"}
        with pytest.raises(Unprocessable, match="no custom field 'four'; there are: one, two, three"):
            await update_contact(tx, anna.id, ContactEdit(custom={"four": "4"}), version=changed.version)


async def test_an_archived_field_takes_no_values_and_comes_back_with_its_old_ones(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        size = await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "Size", ValueKind.TEXT))
        anna = await create_contact(tx, NewContact("Anna", custom={"size": "XL"}))
        await archive_custom_field(tx, size.id)
        assert await list_custom_fields(tx, RecordKind.CONTACT) == []
        with pytest.raises(Unprocessable, match="there are: none yet"):
            await update_contact(tx, anna.id, ContactEdit(custom={"size": "S"}), version=anna.version)

        await restore_custom_field(tx, size.id)
        changed = await update_contact(tx, anna.id, ContactEdit(title="CEO"), version=anna.version)

    assert changed.custom == {"size": "XL"}


@pytest.mark.parametrize(
    "new",
    [
        NewCustomField(RecordKind.CONTACT, " ", ValueKind.TEXT),
        NewCustomField(RecordKind.LEAD, "Size", ValueKind.TEXT),
        NewCustomField(RecordKind.CONTACT, "Size", ValueKind.MOMENT),
        NewCustomField(RecordKind.CONTACT, "Size", ValueKind.CHOICE),
        NewCustomField(RecordKind.CONTACT, "Size", ValueKind.TEXT, choices=_SIZES),
        NewCustomField(RecordKind.CONTACT, "Size", ValueKind.CHOICE, choices=(_SIZES[0], _SIZES[0])),
        NewCustomField(RecordKind.CONTACT, "Size", ValueKind.RECORD),
        NewCustomField(RecordKind.CONTACT, "Size", ValueKind.RECORD, target_kind=RecordKind.LEAD),
    ],
)
async def test_a_field_that_cannot_be_is_refused(
    database: Database, organization: Principal, new: NewCustomField
) -> None:
    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Unprocessable):
            await create_custom_field(tx, new)


async def test_a_key_is_taken_once_and_an_old_version_is_refused(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        size = await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "Size", ValueKind.TEXT))
        with pytest.raises(Conflict, match="size"):
            await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "SIZE", ValueKind.NUMBER))

        renamed = await update_custom_field(tx, size.id, CustomFieldEdit(label="Размер"), version=1)

        assert (renamed.key, renamed.label) == ("size", "Размер")
        with pytest.raises(Stale):
            await update_custom_field(tx, size.id, CustomFieldEdit(label="Size"), version=1)


@pytest.mark.parametrize("role", [Role.BIDI, Role.VIEWER])
async def test_fields_are_for_those_who_manage_the_crm(
    database: Database, organization: Principal, role: Role
) -> None:
    async with database.transaction(replace(organization, scopes=SCOPES[role]), "test") as tx:
        with pytest.raises(Forbidden):
            await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "Size", ValueKind.TEXT))


async def test_money_keeps_to_the_currency_of_its_field(database: Database, organization: Principal) -> None:
    budget = NewCustomField(RecordKind.CONTACT, "Budget", ValueKind.MONEY, currency="EUR")
    async with database.transaction(organization, "test") as tx:
        field = await create_custom_field(tx, budget)
        await create_contact(
            tx, NewContact("Vera", custom={"budget": {"amount_minor": 5, "currency": "EUR"}})
        )

        with pytest.raises(Unprocessable, match="EUR"):
            await create_contact(
                tx, NewContact("Bo", custom={"budget": {"amount_minor": 5, "currency": "USD"}})
            )
        with pytest.raises(Conflict, match="1 records"):
            await update_custom_field(tx, field.id, CustomFieldEdit(currency="USD"), version=1)


async def test_a_required_field_is_asked_of_whoever_makes_or_changes_a_record(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        before = await create_contact(tx, NewContact("Bo"))
        await create_custom_field(
            tx, NewCustomField(RecordKind.CONTACT, "Office", ValueKind.TEXT, is_required=True)
        )

        with pytest.raises(Unprocessable, match="Office"):
            await create_contact(tx, NewContact("Vera"))
        vera = await create_contact(tx, NewContact("Vera", custom={"office": "Riga"}))
        with pytest.raises(Unprocessable, match="Office"):
            await update_contact(tx, vera.id, ContactEdit(custom={"office": None}), version=1)
        changed = await update_contact(tx, before.id, ContactEdit(title="Buyer"), version=1)
        written = await resolve_contact(tx, handles=(("email", "x@y.example"),), name="X", language="en")

    assert (vera.custom, changed.title, written.custom) == ({"office": "Riga"}, "Buyer", {})


async def test_fields_are_moved_among_those_in_use(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        made = [
            await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, label, ValueKind.TEXT))
            for label in "ABCD"
        ]
        await archive_custom_field(tx, made[1].id)

        await move_custom_field(tx, made[3].id, places=-1)
        await move_custom_field(tx, made[0].id, places=-5)
        shown = [field.label for field in await list_custom_fields(tx, RecordKind.CONTACT)]

    assert shown == ["A", "D", "C"]


@pytest.mark.parametrize(
    "new",
    [
        NewCustomField(RecordKind.CONTACT, "Size", ValueKind.TEXT, key="Size!"),
        NewCustomField(RecordKind.CONTACT, "Size", ValueKind.TEXT, currency="EUR"),
        NewCustomField(RecordKind.CONTACT, "Size", ValueKind.MONEY, currency="EUX"),
        NewCustomField(RecordKind.CONTACT, "x" * 101, ValueKind.TEXT),
    ],
    ids=["key", "currency of a text", "unknown currency", "long label"],
)
async def test_a_field_says_what_is_wrong_with_it(
    database: Database, organization: Principal, new: NewCustomField
) -> None:
    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Unprocessable):
            await create_custom_field(tx, new)


async def test_choices_are_renamed_and_put_in_order(database: Database, organization: Principal) -> None:
    size = NewCustomField(RecordKind.CONTACT, "Size", ValueKind.CHOICE, choices=_SIZES)
    async with database.transaction(organization, "test") as tx:
        field = await create_custom_field(tx, size)
        vera = await create_contact(tx, NewContact("Vera", custom={"size": "big"}))
        renamed = (Choice("big", "Огромная"), _SIZES[0])

        changed = await update_custom_field(tx, field.id, CustomFieldEdit(choices=renamed), version=1)
        other = await create_contact(tx, NewContact("Bo", custom={"size": "огромная"}))

    assert (changed.options, vera.custom, other.custom) == (renamed, {"size": "big"}, {"size": "big"})


@pytest.mark.parametrize("target", [RecordKind.CONTACT, RecordKind.COMPANY, RecordKind.DEAL])
async def test_a_link_leads_to_a_record_that_is_there(
    database: Database, organization: Principal, other_organization: Principal, target: RecordKind
) -> None:
    async with database.transaction(other_organization, "test") as tx:
        theirs = await create_contact(tx, NewContact("Bo"))
    async with database.transaction(organization, "test") as tx:
        field = NewCustomField(RecordKind.CONTACT, "Partner", ValueKind.RECORD, target_kind=target)
        await create_custom_field(tx, field)
        anna = await create_contact(tx, NewContact("Anna"))

        for nowhere in (uuid7(), theirs.id):
            edit = ContactEdit(custom={"partner": str(nowhere)})
            with pytest.raises(Unprocessable, match=f"Partner: there is no {target.value} {nowhere}"):
                await update_contact(tx, anna.id, edit, version=anna.version)


async def test_a_link_may_lead_to_the_trash(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        field = NewCustomField(RecordKind.CONTACT, "Boss", ValueKind.RECORD, target_kind=RecordKind.CONTACT)
        made = await create_custom_field(tx, field)
        anna = await create_contact(tx, NewContact("Anna"))
        bo = await create_contact(tx, NewContact("Bo", custom={"boss": str(anna.id)}))
        await delete_contact(tx, anna.id, version=anna.version)

        names = await linked_names(tx, [made], [bo.custom, {"boss": str(uuid7())}])

    assert names == {anna.id: "Anna"}
