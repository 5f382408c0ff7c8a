"""Exports: everything of a kind, escaped, and taken back by our own import as it was."""

import csv
import io
import json
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.db import Database, Tx
from core.errors import Forbidden, Unprocessable
from core.filters import ValueKind
from core.pagination import MAX_PAGE
from core.principal import Principal
from core.tables import writing
from crm.contacts import actions as contacts
from crm.contacts.models import NewContact
from crm.custom_fields import actions as custom_fields
from crm.custom_fields.models import NewCustomField
from crm.identity.models import SCOPES, Role
from crm.imports.models import Exported
from crm.imports.tables import export
from crm.imports.tables.export import Wanted
from crm.leads.actions import create_lead
from crm.leads.models import NewLead
from crm.meetings.actions import create_meeting
from crm.meetings.models import NewMeeting
from crm.notes.actions import create_note
from crm.pipelines.actions import create_pipeline
from crm.records.models import RecordRef
from crm.tasks.actions import create_task
from crm.tasks.models import NewTask
from events.ids import RecordKind
from infra.seed.tables import header, people
from tests.support.importing import Importing

# What is different in another organization.
_OWN = ("getsale contact id", "created at", "updated at")


async def _exported(db: Database, principal: Principal, wanted: Wanted, form: str = "csv") -> bytes:
    def transaction() -> AbstractAsyncContextManager[Tx]:
        return db.transaction(principal, "test")

    async with transaction() as tx:
        sheet = await export.sheet_of(tx, wanted.kind)
    rows = export.rows(transaction, sheet, wanted)
    pieces = writing.as_csv(sheet.columns, rows) if form == "csv" else writing.as_json(rows)
    return b"".join([piece async for piece in pieces])


def _read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def _comparable(content: bytes) -> list[dict[str, str]]:
    rows = [{name: cell for name, cell in row.items() if name not in _OWN} for row in _read(content)]
    return sorted(rows, key=lambda row: row["email"])  # ids decide between people of one name


async def _budget(db: Database, principal: Principal) -> None:
    async with db.transaction(principal, "test") as tx:
        await custom_fields.create_custom_field(
            tx, NewCustomField(RecordKind.CONTACT, "Budget", ValueKind.MONEY)
        )


async def test_an_export_comes_back_as_it_was_in_another_organization(
    database: Database, organization: Principal, other_organization: Principal, tmp_path: Path
) -> None:
    evil = ["=HYPERLINK(1)", "'-1", "@cmd|calc", "evil@mail.example", "", "", "", "", "+vip"]
    await _budget(database, organization)
    await _budget(database, other_organization)
    here, there = (
        Importing(database, organization, tmp_path),
        Importing(database, other_organization, tmp_path),
    )
    await here.run(await here.upload([header("en"), *people(250), evil]))
    first = await _exported(database, organization, Wanted(Exported.CONTACT))

    again = await there.run(await there.upload(first))

    assert (again.refused, again.made) == (0, 251)
    assert _comparable(
        await _exported(database, other_organization, Wanted(Exported.CONTACT))
    ) == _comparable(first)
    row = next(row for row in _read(first) if row["email"] == "evil@mail.example")
    assert (row["name"], row["title"], row["company"], row["tags"]) == (
        "'=HYPERLINK(1)", "'-1", "'@cmd|calc", "'+vip"
    )  # fmt: skip


async def test_an_export_taken_back_here_meets_its_own_records(
    database: Database, organization: Principal, tmp_path: Path
) -> None:
    here = Importing(database, organization, tmp_path)
    await here.run(
        await here.upload([["Name", "City"], ["Vera", "Oslo"], ["Oleg", "Omsk"]], RecordKind.CONTACT)
    )

    again = await here.run(
        await here.upload(await _exported(database, organization, Wanted(Exported.CONTACT)))
    )

    assert (again.made, again.skipped) == (0, 2)


async def test_an_export_keeps_to_the_words_and_the_filter_of_the_list(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        for name in ("Vera Lind", "Vera Zuev", "Oleg Lind"):
            await contacts.create_contact(tx, NewContact(name, title="Buyer" if "Zuev" not in name else ""))
    kept: Any = {"field": "title", "op": "is", "value": "Buyer"}

    found = await _exported(database, organization, Wanted(Exported.CONTACT, "vera", kept), "json")

    assert [row["name"] for row in json.loads(found)] == ["Vera Lind"]
    with pytest.raises(Unprocessable):
        await _exported(database, organization, Wanted(Exported.CONTACT, "", {"field": "password"}))


async def test_leads_notes_tasks_and_meetings_leave_too_with_what_they_are_about(
    database: Database, organization: Principal
) -> None:
    starts_at = datetime(2026, 12, 1, 9, tzinfo=UTC)
    async with database.transaction(organization, "test") as tx:
        await create_pipeline(tx, "Sales")
        handles = (("email", "vera@lind.example"), ("phone", "+79161234567"))
        vera = await contacts.create_contact(tx, NewContact("Vera Lind", handles=handles))
        lead = await create_lead(tx, NewLead(vera.id, source="=A fair"))
        about = RecordRef(RecordKind.LEAD, lead.id)
        await create_note(tx, about, "@SUM(1) is what she asked about")
        await create_task(tx, NewTask("-call her", about, due_at=starts_at))
        await create_meeting(
            tx,
            NewMeeting(
                "+Demo", starts_at, starts_at + timedelta(hours=1), record=about, contact_ids=(vera.id,)
            ),
        )

    (one_lead,), (note,), (task,), (meeting,) = [
        _read(await _exported(database, organization, Wanted(kind)))
        for kind in (Exported.LEAD, Exported.NOTE, Exported.TASK, Exported.MEETING)
    ]

    assert (one_lead["name"], one_lead["contact email"], one_lead["contact phone"], one_lead["source"]) == (
        "Vera Lind", "vera@lind.example", "'+79161234567", "'=A fair"
    )  # fmt: skip
    for row in (note, task, meeting):
        assert (row["record kind"], row["record id"], row["record"]) == ("lead", str(lead.id), "Vera Lind")
    assert (note["text"], note["author"]) == ("'@SUM(1) is what she asked about", "Olga Owner")
    assert (task["title"], task["due at"]) == ("'-call her", "2026-12-01T09:00:00+00:00")
    assert (meeting["title"], meeting["contacts"]) == ("'+Demo", "Vera Lind")


async def test_more_notes_than_a_page_holds_leave_each_once(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        vera = await contacts.create_contact(tx, NewContact("Vera Lind"))
        for number in range(MAX_PAGE + 5):
            await create_note(tx, RecordRef(RecordKind.CONTACT, vera.id), f"Note {number}")

    rows = json.loads(await _exported(database, organization, Wanted(Exported.NOTE), "json"))

    assert sorted(row["text"] for row in rows) == sorted(f"Note {number}" for number in range(MAX_PAGE + 5))


async def test_notes_are_exported_whole_or_not_at_all(database: Database, organization: Principal) -> None:
    with pytest.raises(Unprocessable):
        await _exported(database, organization, Wanted(Exported.NOTE, "vera"))


@pytest.mark.parametrize("kind", Exported)
async def test_who_may_not_read_a_kind_may_not_export_it(
    database: Database, organization: Principal, kind: Exported
) -> None:
    others = {f"{one.plural}:read" for one in Exported if one is not kind}
    clerk = replace(organization, scopes=frozenset(others | {"records:export"}))

    with pytest.raises(Forbidden):
        await _exported(database, clerk, Wanted(kind))


async def test_a_supervisor_may_not_export(database: Database, organization: Principal) -> None:
    supervisor = Principal(
        organization.kind, organization.id, organization.organization_id, scopes=SCOPES[Role.SUPERVISOR]
    )

    with pytest.raises(Forbidden):
        await _exported(database, supervisor, Wanted(Exported.CONTACT))
