"""Imports of links: a cell that says which record is meant leads to it, and one that does not is told why."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest

from core.db import Database, Tx
from core.filters import ValueKind
from core.principal import Principal
from core.tables import writing
from crm.companies.actions import create_company, delete_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact, delete_contact
from crm.contacts.models import NewContact
from crm.contacts.queries import list_contacts
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import NewCustomField
from crm.deals.actions import create_deal
from crm.deals.models import NewDeal
from crm.imports.models import Exported
from crm.imports.tables import export, linking
from crm.imports.tables.activities import Cells
from crm.imports.tables.export import Sheet, Wanted
from crm.imports.tables.models import Duplicates, Options, TableImport, Verdict, Why
from crm.imports.tables.queries import list_row_notes
from crm.merges.actions import merge_records
from crm.pipelines.actions import create_pipeline
from events.ids import RecordKind
from tests.support.importing import Importing

HEAD = ["Name", "Email", "Partner"]
OPTIONS = Options(region="RU")


@pytest.fixture
async def importing(database: Database, organization: Principal, tmp_path: Path) -> Importing:
    return Importing(database, organization, tmp_path)


async def _link(importing: Importing, target: RecordKind) -> None:
    async with importing.db.transaction(importing.principal, "test") as tx:
        field = NewCustomField(RecordKind.CONTACT, "Partner", ValueKind.RECORD, target_kind=target)
        await create_custom_field(tx, field)


async def _take(importing: Importing, cells: Sequence[str], options: Options = OPTIONS) -> TableImport:
    """An import of as many people as there are cells, each of which says who their partner is."""
    rows = [[f"Person {number}", f"p{number}@rows.example", cell] for number, cell in enumerate(cells)]
    current = await importing.upload([HEAD, *rows], RecordKind.CONTACT)
    return await importing.run(await importing.map(current, options, fields=("partner",)))


async def _csv(sheet: Sheet, rows: Sequence[Cells]) -> bytes:
    async def given() -> AsyncIterator[Cells]:
        for row in rows:
            yield row

    return b"".join([piece async for piece in writing.as_csv(sheet.columns, given())])


async def _partners(importing: Importing) -> list[str | None]:
    async with importing.db.transaction(importing.principal, "test") as tx:
        people = [one for one in (await list_contacts(tx)).items if one.name.startswith("Person")]
    return [one.custom.get("partner") for one in people]  # type: ignore[misc]  # an id


async def _why(
    importing: Importing, current: TableImport
) -> dict[int, tuple[Verdict, list[tuple[Why, str, str]]]]:
    async with importing.db.transaction(importing.principal, "test") as tx:
        notes = await list_row_notes(tx, current.id)
    return {
        note.number: (note.verdict, [(one.why, one.column, one.value) for one in note.reasons])
        for note in notes
    }


async def test_a_company_is_found_by_its_id_domain_or_name(importing: Importing) -> None:
    await _link(importing, RecordKind.COMPANY)
    async with importing.db.transaction(importing.principal, "test") as tx:
        acme = str((await create_company(tx, NewCompany("Acme Nord", domain="acme.example"))).id)

    done = await _take(importing, [acme, "https://www.acme.example/about", "ACME  nord", ""])

    assert (done.made, done.refused) == (4, 0)
    assert await _partners(importing) == [acme, acme, acme, None]


async def test_a_person_is_found_by_their_id_any_address_or_name(importing: Importing) -> None:
    await _link(importing, RecordKind.CONTACT)
    handles = (("email", "vera@lind.example"), ("phone", "+79161234567"), ("telegram_username", "vera_lind"))
    async with importing.db.transaction(importing.principal, "test") as tx:
        vera = str((await create_contact(tx, NewContact("Vera Lind", handles=handles))).id)

    done = await _take(
        importing,
        [vera, "Vera@Lind.example", "8 (916) 123-45-67", "@vera_lind", "t.me/vera_lind", "vera lind"],
    )

    assert (done.made, done.refused) == (6, 0)
    assert await _partners(importing) == [vera] * 6


async def test_a_deal_is_found_by_its_id_or_name(importing: Importing) -> None:
    await _link(importing, RecordKind.DEAL)
    async with importing.db.transaction(importing.principal, "test") as tx:
        pipeline = await create_pipeline(tx, "Sales")
        stage = await tx.value(
            "SELECT id FROM stages WHERE pipeline_id = %(id)s ORDER BY position LIMIT 1", id=pipeline.id
        )
        deal = str((await create_deal(tx, NewDeal("40 scanners", stage))).id)

    await _take(importing, [deal, "40 Scanners"])

    assert await _partners(importing) == [deal, deal]


async def test_a_row_that_leads_nowhere_or_to_several_is_refused_by_its_cell(importing: Importing) -> None:
    await _link(importing, RecordKind.COMPANY)
    async with importing.db.transaction(importing.principal, "test") as tx:
        for name in ("Orbit", "orbit", "Gone"):
            company = await create_company(tx, NewCompany(name))
        await delete_company(tx, company.id, version=company.version)

    checked = await importing.upload([HEAD, ["Anna", "", "Orbit"]], RecordKind.CONTACT)
    tried = await importing.check(await importing.map(checked, OPTIONS, fields=("partner",)))
    done = await _take(importing, ["Nobody Ltd", "Orbit", "Gone"])

    assert (tried.refused, done.made, done.refused) == (1, 0, 3)
    assert await _why(importing, done) == {
        2: (Verdict.REFUSED, [(Why.UNKNOWN_RECORD, "Partner", "Nobody Ltd")]),
        3: (Verdict.REFUSED, [(Why.SEVERAL_RECORDS, "Partner", "Orbit")]),
        4: (Verdict.REFUSED, [(Why.UNKNOWN_RECORD, "Partner", "Gone")]),
    }


async def test_a_lenient_import_leaves_such_a_link_empty(importing: Importing) -> None:
    await _link(importing, RecordKind.CONTACT)
    async with importing.db.transaction(importing.principal, "test") as tx:
        vera = await create_contact(tx, NewContact("Vera", handles=(("email", "vera@lind.example"),)))
        await delete_contact(tx, vera.id, version=vera.version)

    done = await _take(importing, ["vera@lind.example"], Options(is_lenient=True))

    assert (done.made, done.refused) == (1, 0)
    assert await _partners(importing) == [None]
    assert await _why(importing, done) == {
        2: (Verdict.MADE, [(Why.UNKNOWN_RECORD, "Partner", "vera@lind.example")])
    }


async def test_the_address_of_somebody_who_was_merged_leads_to_who_they_are_now(importing: Importing) -> None:
    await _link(importing, RecordKind.CONTACT)
    async with importing.db.transaction(importing.principal, "test") as tx:
        vera = await create_contact(tx, NewContact("Vera", handles=(("email", "vera@lind.example"),)))
        same = await create_contact(tx, NewContact("V. Lind", handles=(("email", "v@lind.example"),)))
        await merge_records(tx, RecordKind.CONTACT, vera.id, same.id)

    await _take(importing, ["v@lind.example"])

    assert await _partners(importing) == [str(vera.id)]


async def test_a_chunk_asks_once_for_all_of_its_links(
    importing: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _link(importing, RecordKind.COMPANY)
    async with importing.db.transaction(importing.principal, "test") as tx:
        for number in range(40):
            await create_company(tx, NewCompany(f"Firm {number}"))
    asked: list[int] = []
    find = linking._by_name

    async def counting(tx: Tx, kind: RecordKind, texts: Sequence[str]) -> dict[str, set[UUID]]:
        asked.append(len(texts))
        return await find(tx, kind, texts)

    monkeypatch.setattr(linking, "_by_name", counting)

    done = await _take(importing, [f"Firm {number}" for number in range(40)])

    assert done.made == 40
    assert asked == [40]


async def test_an_export_has_names_and_ids_and_comes_back(importing: Importing) -> None:
    await _link(importing, RecordKind.COMPANY)
    async with importing.db.transaction(importing.principal, "test") as tx:
        # two of one name: only the id tells them apart
        orbit = [(await create_company(tx, NewCompany("Orbit"))).id for _ in range(2)]
        for number, company in enumerate(orbit):
            handles = (("email", f"p{number}@rows.example"),)
            new = NewContact(f"Person {number}", handles=handles, custom={"partner": str(company)})
            await create_contact(tx, new)

    async with importing.db.transaction(importing.principal, "test") as tx:
        sheet = await export.sheet_of(tx, Exported.CONTACT)
        rows, _ = await export.page(tx, sheet, Wanted(Exported.CONTACT), None)
        await tx.execute("UPDATE contacts SET custom = '{}'")
    current = await importing.upload(await _csv(sheet, rows))
    done = await importing.run(
        await importing.map(current, Options(duplicates=Duplicates.OVERWRITE), fields=("partner",))
    )

    assert [(row["Partner"], row["Partner id"]) for row in rows] == [("Orbit", str(one)) for one in orbit]
    assert (done.updated, done.refused) == (2, 0)
    assert await _partners(importing) == [str(one) for one in orbit]
