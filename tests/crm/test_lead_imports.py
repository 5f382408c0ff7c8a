"""Leads from tables: the person by address or by name, made where nobody has them; stage by name, company by name or domain."""

from pathlib import Path
from typing import Any

import pytest

from core.db import Database
from core.principal import Principal
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact, delete_contact, update_contact
from crm.contacts.models import Contact, ContactEdit, NewContact
from crm.contacts.queries import find_contact_by_handle, get_contact, list_handles
from crm.imports.models import Exported, ImportStatus
from crm.imports.tables import export
from crm.imports.tables.export import Wanted
from crm.imports.tables.models import Duplicates, Options, Source, TableImport, Verdict, Why
from crm.imports.tables.queries import list_kept, list_row_notes
from crm.leads.models import LeadLine
from crm.leads.queries import list_leads
from crm.pipelines.actions import create_pipeline
from crm.pipelines.models import NewStage
from events.ids import RecordKind
from tests.support.importing import Importing

HEAD = ["Name", "Email", "Phone", "Company", "Company website", "Source", "Stage", "Next step", "Tags"]
VERA = [
    "Vera Lind",
    "vera@lind.example",
    "+7 916 123-45-67",
    "Lind Logistics",
    "lind.example",
    "Fair",
    "Replied",
    "Call",
    "vip",
]
OLEG = ["Олег Зуев", "oleg@zuev.example", "", "Зуев", "", "Сайт", "", "", ""]
OPTIONS = Options(region="RU")


@pytest.fixture
async def importing(database: Database, organization: Principal, tmp_path: Path) -> Importing:
    async with database.transaction(organization, "test") as tx:
        await create_pipeline(tx, "Sales", [NewStage("New"), NewStage("Replied")])
    return Importing(database, organization, tmp_path)


async def _leads(importing: Importing) -> dict[str, LeadLine]:
    async with importing.db.transaction(importing.principal, "test") as tx:
        return {lead.contact: lead for lead in (await list_leads(tx)).items}


async def _known(importing: Importing, name: str, *emails: str, **fields: Any) -> Contact:
    async with importing.db.transaction(importing.principal, "test") as tx:
        handles = tuple(("email", email) for email in emails)
        return await create_contact(tx, NewContact(name, handles=handles, **fields))


async def _run(importing: Importing, *rows: list[str], options: Options = OPTIONS) -> TableImport:
    current = await importing.upload([HEAD, *rows], RecordKind.LEAD)
    return await importing.run(await importing.map(current, options))


async def _reasons(importing: Importing, done: TableImport) -> dict[int, tuple[Verdict, list[Why]]]:
    async with importing.db.transaction(importing.principal, "test") as tx:
        notes = await list_row_notes(tx, done.id)
        return {note.number: (note.verdict, [reason.why for reason in note.reasons]) for note in notes}


async def _count(importing: Importing) -> tuple[int, int, int, int]:
    """Leads, contacts, companies and places in stages."""
    async with importing.db.transaction(importing.principal, "test") as tx:
        return (
            await tx.value("SELECT count(*) FROM leads"),
            await tx.value("SELECT count(*) FROM contacts"),
            await tx.value("SELECT count(*) FROM companies"),
            await tx.value("SELECT count(*) FROM stage_visits WHERE left_at IS NULL"),
        )


async def test_a_table_of_people_with_a_source_and_a_stage_is_taken_for_leads(importing: Importing) -> None:
    current = await importing.upload([HEAD, VERA])

    assert (current.record_kind, current.mapping.source) == (RecordKind.LEAD, Source.GENERIC)
    assert current.mapping.targets == (
        "name", "contact_email", "contact_phone", "company", "company_domain", "source", "stage", "next_step", "tags",
    )  # fmt: skip


async def test_new_people_come_with_their_addresses_their_company_and_their_lead(
    importing: Importing,
) -> None:
    done = await _run(importing, VERA, OLEG)

    leads = await _leads(importing)
    vera, oleg = leads["Vera Lind"], leads["Олег Зуев"]
    assert (done.made, done.refused, done.companies_made) == (2, 0, 2)
    assert (vera.stage, vera.source, vera.next_step, vera.company_name) == (
        "Replied",
        "Fair",
        "Call",
        "Lind Logistics",
    )
    assert (oleg.stage, oleg.source, oleg.company_name) == ("New", "Сайт", "Зуев")
    assert await _count(importing) == (2, 2, 2, 2)
    async with importing.db.transaction(importing.principal, "test") as tx:
        person = await find_contact_by_handle(tx, "email", "vera@lind.example")
        assert person is not None
        handles = {handle.value for handle in await list_handles(tx, person.id)}
    assert handles == {"vera@lind.example", "+79161234567"}


async def test_a_person_is_met_by_email_and_stays_as_they_are(importing: Importing) -> None:
    vera = await _known(importing, "Vera L.", "vera@lind.example", title="Buyer")

    done = await _run(importing, VERA)

    assert (done.made, done.companies_made) == (1, 0)
    assert (await _leads(importing))["Vera L."].contact_id == vera.id
    async with importing.db.transaction(importing.principal, "test") as tx:
        now = await get_contact(tx, vera.id)
    assert (now.version, now.title, now.company_id) == (vera.version, "Buyer", None)


async def test_a_person_without_an_address_is_met_by_their_name_in_their_company(
    importing: Importing,
) -> None:
    async with importing.db.transaction(importing.principal, "test") as tx:
        lind, zuev = [await create_company(tx, NewCompany(name)) for name in ("Lind", "Zuev")]
    here = await _known(importing, "Vera Lind", company_id=lind.id)
    await _known(importing, "Vera Lind", company_id=zuev.id)

    done = await _run(importing, ["Vera Lind", "", "", "LIND", "", "Fair", "", "", ""])

    ((lead,),) = [tuple((await _leads(importing)).values())]
    assert (done.made, lead.contact_id) == (1, here.id)
    assert (await _count(importing))[1] == 2


async def test_a_name_that_several_have_is_refused_with_the_way_out(importing: Importing) -> None:
    for _ in range(2):
        await _known(importing, "Vera Lind")

    done = await _run(importing, ["Vera Lind", "", "", "", "", "", "", "", ""], OLEG)

    assert (done.made, done.refused) == (1, 1)
    assert await _reasons(importing, done) == {2: (Verdict.REFUSED, [Why.SEVERAL_PEOPLE])}


async def test_rows_that_cannot_be_read_are_refused_with_reasons(importing: Importing) -> None:
    nameless = ["", "", "", "Lind", "", "Fair", "", "", ""]
    bad_email = ["Anna", "no address", "", "", "", "", "", "", ""]
    no_stage = ["Ivan", "ivan@lind.example", "", "", "", "", "Nowhere", "", ""]

    done = await _run(importing, nameless, bad_email, no_stage, VERA)

    assert (done.made, done.refused) == (1, 3)
    assert await _reasons(importing, done) == {
        2: (Verdict.REFUSED, [Why.NO_NAME]),
        3: (Verdict.REFUSED, [Why.BAD_EMAIL]),
        4: (Verdict.REFUSED, [Why.UNKNOWN_STAGE]),
    }
    assert (await _count(importing))[:3] == (1, 1, 1)


async def test_a_person_in_the_trash_is_told(importing: Importing) -> None:
    vera = await _known(importing, "Vera Lind", "vera@lind.example")
    async with importing.db.transaction(importing.principal, "test") as tx:
        await delete_contact(tx, vera.id, version=vera.version)

    done = await _run(importing, VERA)

    assert await _reasons(importing, done) == {2: (Verdict.REFUSED, [Why.IN_TRASH])}


async def test_a_person_is_in_the_pipeline_once_however_often_a_table_says_so(importing: Importing) -> None:
    again = ["V. Lind", "vera@lind.example", "", "", "", "", "", "", ""]
    by_phone = ["Vera", "", "8 916 123-45-67", "", "", "", "", "", ""]

    first = await _run(importing, VERA, again, by_phone)
    second = await _run(importing, VERA)

    assert (first.made, first.skipped, second.made, second.skipped) == (1, 2, 0, 1)
    assert await _reasons(importing, second) == {2: (Verdict.SKIPPED, [Why.SAME_LEAD])}
    assert (await _count(importing))[:2] == (1, 1)


async def test_a_lead_that_is_there_is_filled_or_overwritten_and_never_moved(importing: Importing) -> None:
    await _run(importing, VERA)
    later = ["Vera Lind", "vera@lind.example", "", "", "", "Web", "New", "", "hot"]

    filled = await _run(importing, later, options=Options(duplicates=Duplicates.FILL))
    after_fill = (await _leads(importing))["Vera Lind"]
    written = await _run(importing, later, options=Options(duplicates=Duplicates.OVERWRITE))
    after_writing = (await _leads(importing))["Vera Lind"]

    assert (filled.updated, after_fill.source) == (1, "Fair")
    assert (written.updated, after_writing.source, after_writing.next_step) == (1, "Web", "Call")
    assert after_writing.stage == "Replied"


async def test_a_check_says_what_would_happen_and_writes_nothing(importing: Importing) -> None:
    current = await importing.upload([HEAD, VERA, OLEG, VERA], RecordKind.LEAD)

    checked = await importing.check(await importing.map(current, OPTIONS))

    assert (checked.status, checked.made, checked.skipped, checked.companies_made) == (
        ImportStatus.CHECKED, 2, 1, 2
    )  # fmt: skip
    assert await _count(importing) == (0, 0, 0, 0)


async def test_an_undo_takes_leads_people_and_companies_back(importing: Importing) -> None:
    await _known(importing, "Known", "oleg@zuev.example")
    done = await _run(importing, VERA, OLEG)

    undone = await importing.undo(done)

    assert (undone.status, undone.kept) == (ImportStatus.UNDONE, 0)
    assert await _count(importing) == (0, 1, 0, 0)


async def test_an_undo_gives_a_changed_lead_its_values_back(importing: Importing) -> None:
    await _run(importing, VERA)
    later = ["Vera Lind", "vera@lind.example", "", "", "", "Web", "", "", "hot"]
    done = await _run(importing, later, options=Options(duplicates=Duplicates.OVERWRITE))

    undone = await importing.undo(done)

    assert (undone.kept, (await _leads(importing))["Vera Lind"].source) == (0, "Fair")


async def test_an_undo_keeps_a_person_whom_somebody_has_worked_on(importing: Importing) -> None:
    done = await _run(importing, VERA)
    async with importing.db.transaction(importing.principal, "test") as tx:
        vera = await find_contact_by_handle(tx, "email", "vera@lind.example")
        assert vera is not None
        await update_contact(tx, vera.id, ContactEdit(title="Buyer"), version=vera.version)

    await importing.undo(done)

    async with importing.db.transaction(importing.principal, "test") as tx:
        kept = await list_kept(tx, done.id)
    assert {(kind, name) for kind, _, name in kept} == {
        ("contact", "Vera Lind"),
        ("company", "Lind Logistics"),
    }
    assert (await _count(importing))[0] == 0


async def test_our_own_export_meets_the_same_leads(importing: Importing) -> None:
    await _run(importing, VERA, OLEG)
    async with importing.db.transaction(importing.principal, "test") as tx:
        sheet = await export.sheet_of(tx, Exported.LEAD)
        rows, _ = await export.page(tx, sheet, Wanted(Exported.LEAD), None)
    table = [list(sheet.columns), *[[str(row.get(name) or "") for name in sheet.columns] for row in rows]]

    current = await importing.upload(table)
    again = await importing.run(current)

    assert (current.record_kind, current.mapping.source) == (RecordKind.LEAD, Source.GETSALE)
    assert (again.made, again.skipped) == (0, 2)


async def test_another_organization_s_people_are_nobody_here(
    importing: Importing, other_organization: Principal, tmp_path: Path
) -> None:
    there = Importing(importing.db, other_organization, tmp_path)
    await _known(there, "Vera Lind", "vera@lind.example")

    done = await _run(importing, VERA)

    assert (done.made, (await _count(importing))[1]) == (1, 1)
    assert (await _count(there))[:2] == (0, 1)
