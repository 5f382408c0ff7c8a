"""Imports of tables: what comes in, what is met, what is refused and why, and how it all goes back."""

import random
from pathlib import Path
from typing import Any

import pytest

from core.db import Database
from core.errors import Conflict, Unprocessable
from core.filters import ValueKind
from core.principal import Principal
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.companies.queries import get_company
from crm.contacts import actions as contacts
from crm.contacts.models import Contact, ContactEdit, NewContact
from crm.contacts.queries import find_contact_by_handle, get_contact, list_handles
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import NewCustomField
from crm.imports.models import ImportStatus
from crm.imports.tables import actions, running
from crm.imports.tables.models import Duplicates, Options, RowNote, Verdict, Why
from crm.imports.tables.queries import list_kept, list_row_notes
from crm.merges.actions import merge_records
from events.ids import RecordKind
from infra.seed.tables import Mess, header, people
from tests.support.importing import Importing
from tests.support.until import until

RUSSIAN = Options(region="RU", currency="RUB")
HEAD = ["Name", "Email", "Phone", "Company", "Title"]
VERA = ["Vera Lind", "Vera@Lind.example", "+7 916 123-45-67", "Lind & Co", "Buyer"]
OLEG = ["Oleg Zuev", "oleg@zuev.example", "8 (495) 765-43-21", "Zuev", ""]


@pytest.fixture
def importing(database: Database, organization: Principal, tmp_path: Path) -> Importing:
    return Importing(database, organization, tmp_path)


async def _find(importing: Importing, email: str) -> Contact | None:
    async with importing.db.transaction(importing.principal, "test") as tx:
        return await find_contact_by_handle(tx, "email", email)


async def _known(importing: Importing, **fields: Any) -> Contact:
    async with importing.db.transaction(importing.principal, "test") as tx:
        return await contacts.create_contact(
            tx, NewContact(**{"name": "Vera L.", "handles": (("email", "vera@lind.example"),)} | fields)
        )


async def _notes(importing: Importing, current: Any) -> list[RowNote]:
    async with importing.db.transaction(importing.principal, "test") as tx:
        return await list_row_notes(tx, current.id)


async def _counts(importing: Importing) -> tuple[int, int, int]:
    """Contacts, handles and companies of the organization."""
    async with importing.db.transaction(importing.principal, "test") as tx:
        return (
            await tx.value("SELECT count(*) FROM contacts"),
            await tx.value("SELECT count(*) FROM contact_handles"),
            await tx.value("SELECT count(*) FROM companies"),
        )


async def test_people_come_in_with_handles_and_companies(importing: Importing) -> None:
    current = await importing.upload([HEAD, VERA, OLEG])

    done = await importing.run(await importing.map(current, RUSSIAN))

    assert (done.status, done.made, done.refused, done.companies_made) == (ImportStatus.FINISHED, 2, 0, 2)
    vera = await _find(importing, "vera@lind.example")
    assert vera is not None
    assert (vera.name, vera.title) == ("Vera Lind", "Buyer")
    async with importing.db.transaction(importing.principal, "test") as tx:
        handles = {(handle.kind.value, handle.value) for handle in await list_handles(tx, vera.id)}
        assert vera.company_id is not None
        company = await get_company(tx, vera.company_id)
    assert handles == {("email", "vera@lind.example"), ("phone", "+79161234567")}
    assert company.name == "Lind & Co"


async def test_a_check_says_what_a_run_then_does_and_writes_nothing(importing: Importing) -> None:
    await _known(importing)
    mess = Mess(bad_emails=0.05, bad_phones=0.05, repeated=0.1, unnamed=0.02)
    rows = [
        header("ru"),
        *people(1500, "ru", mess=mess),
        ["Вера", "", "", "vera@lind.example", "", "", "", "", ""],
    ]
    current = await importing.map(await importing.upload(rows), RUSSIAN)

    checked = await importing.check(current)
    between = await _counts(importing)
    told = await _notes(importing, current)
    done = await importing.run(current)

    assert between == (1, 1, 0)
    assert checked.status is ImportStatus.CHECKED
    assert (checked.made, checked.skipped, checked.refused) == (done.made, done.skipped, done.refused)
    assert done.refused > 100
    assert done.skipped > 100
    assert done.made + done.skipped + done.refused == 1501
    assert {note.number: note.verdict for note in told} == {
        note.number: note.verdict for note in await _notes(importing, current)
    }


async def test_a_refused_row_names_its_column_and_what_stood_there(importing: Importing) -> None:
    current = await importing.upload(
        [HEAD, ["Vera", "vera at lind", "12", "", ""], ["", "", "", "Lind", ""], OLEG]
    )

    done = await importing.run(await importing.map(current, RUSSIAN))

    first, second = await _notes(importing, done)
    assert (first.number, first.verdict) == (2, Verdict.REFUSED)
    assert [(one.why, one.column, one.value) for one in first.reasons] == [
        (Why.BAD_EMAIL, "Email", "vera at lind"),
        (Why.BAD_PHONE, "Phone", "12"),
    ]
    assert [one.why for one in second.reasons] == [Why.NO_NAME]
    assert done.made == 1


async def test_a_lenient_import_leaves_wrong_cells_out(importing: Importing) -> None:
    current = await importing.upload([HEAD, ["Vera", "vera@lind.example", "12", "", ""]])

    done = await importing.run(await importing.map(current, Options(is_lenient=True)))

    (note,) = await _notes(importing, done)
    assert (done.made, note.verdict, note.reasons[0].why) == (1, Verdict.MADE, Why.BAD_PHONE)


@pytest.mark.parametrize(
    ("duplicates", "name", "title"),
    [
        (Duplicates.SKIP, "Vera L.", ""),
        (Duplicates.FILL, "Vera L.", "Buyer"),
        (Duplicates.OVERWRITE, "Vera Lind", "Buyer"),
    ],
)
async def test_somebody_who_is_there_is_skipped_filled_or_overwritten(
    importing: Importing, duplicates: Duplicates, name: str, title: str
) -> None:
    known = await _known(importing)
    current = await importing.upload([HEAD, VERA, OLEG])

    done = await importing.run(await importing.map(current, Options(duplicates=duplicates, region="RU")))

    async with importing.db.transaction(importing.principal, "test") as tx:
        after = await get_contact(tx, known.id)
    assert (after.name, after.title, done.made) == (name, title, 1)
    (note,) = await _notes(importing, done)
    assert (note.reasons[0].why, note.record_id) == (Why.SAME_EMAIL, known.id)


async def test_rows_of_one_person_become_one_contact(importing: Importing) -> None:
    twin = ["V. Lind", "vera@lind.example", "", "", "CEO"]
    current = await importing.upload([HEAD, VERA, twin, ["Vera", "", "+79161234567", "", ""], OLEG])

    done = await importing.run(
        await importing.map(current, Options(region="RU", duplicates=Duplicates.OVERWRITE))
    )

    vera = await _find(importing, "vera@lind.example")
    assert vera is not None
    assert (done.made, done.updated, vera.name, vera.title) == (2, 2, "Vera", "CEO")


async def test_an_undo_takes_everything_back(importing: Importing) -> None:
    known = await _known(importing)
    before = await _counts(importing)
    current = await importing.upload(
        [[*HEAD, "Tags"], [*VERA, "vip"], *([*row[:2], "", *row[2:4], "new"] for row in people(1200))]
    )
    done = await importing.run(
        await importing.map(current, Options(duplicates=Duplicates.OVERWRITE, region="RU"))
    )

    undone = await importing.undo(done)

    async with importing.db.transaction(importing.principal, "test") as tx:
        after = await get_contact(tx, known.id)
        left = await tx.value("SELECT count(*) FROM record_tags") + await tx.value(
            "SELECT count(*) FROM facts"
        )
    assert (undone.status, undone.kept) == (ImportStatus.UNDONE, 0)
    assert await _counts(importing) == before
    assert (after.name, after.title, after.company_id, left) == (known.name, known.title, None, 0)


async def test_an_undo_leads_to_where_a_company_was_merged_meanwhile(importing: Importing) -> None:
    """The value that the import replaced names a company, in a column and in a custom field, that is another now."""
    async with importing.db.transaction(importing.principal, "test") as tx:
        field = NewCustomField(
            RecordKind.CONTACT, "Supplier", ValueKind.RECORD, key="supplier", target_kind=RecordKind.COMPANY
        )
        await create_custom_field(tx, field)
        await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "City", ValueKind.TEXT))
        old, between, last = [
            await create_company(tx, NewCompany(name)) for name in ("Lind", "Lind AB", "Lind Group")
        ]
    custom = {"supplier": str(old.id), "city": "Oslo"}
    vera = await _known(importing, company_id=old.id, custom=custom)
    rows = [["Email", "Company", "City"], ["vera@lind.example", "Zuev", "Omsk"]]
    current = await importing.upload(rows, RecordKind.CONTACT)
    overwriting = Options(duplicates=Duplicates.OVERWRITE)
    async with importing.db.transaction(importing.principal, "test") as tx:
        await actions.map_columns(tx, current.id, current.mapping.targets, overwriting, ["city"])
    done = await importing.run(current)
    async with importing.db.transaction(importing.principal, "test") as tx:
        assert (await get_contact(tx, vera.id)).company_id not in (None, old.id)
        # the record itself is not touched by the merges, or the undo would leave it alone
        version = (await get_contact(tx, vera.id)).version
        await tx.execute("UPDATE contacts SET custom = '{}' WHERE id = %(id)s", id=vera.id)
        await merge_records(tx, RecordKind.COMPANY, between.id, old.id)
        await merge_records(tx, RecordKind.COMPANY, last.id, between.id)
        assert (await get_contact(tx, vera.id)).version == version

    undone = await importing.undo(done)

    async with importing.db.transaction(importing.principal, "test") as tx:
        restored = await get_contact(tx, vera.id)
    assert undone.kept == 0
    assert restored.company_id == last.id
    assert restored.custom == {"supplier": str(last.id), "city": "Oslo"}


async def test_an_undo_leaves_no_link_to_a_company_that_another_undo_took_away(importing: Importing) -> None:
    await _known(importing)
    overwriting = Options(duplicates=Duplicates.OVERWRITE)

    async def bring(company: str) -> Any:
        rows = [["Email", "Company"], ["vera@lind.example", company]]
        current = await importing.upload(rows, RecordKind.CONTACT)
        return await importing.run(await importing.map(current, overwriting))

    first, second = await bring("Lind"), await bring("Zuev")
    await importing.undo(first)

    undone = await importing.undo(second)

    vera = await _find(importing, "vera@lind.example")
    assert undone.status is ImportStatus.UNDONE
    assert vera is not None
    assert vera.company_id is None


async def test_an_undo_leaves_what_people_have_worked_on_and_says_so(importing: Importing) -> None:
    current = await importing.upload([HEAD, VERA, OLEG])
    done = await importing.run(await importing.map(current, RUSSIAN))
    vera = await _find(importing, "vera@lind.example")
    assert vera is not None
    async with importing.db.transaction(importing.principal, "test") as tx:
        await contacts.update_contact(tx, vera.id, ContactEdit(title="CEO"), version=vera.version)

    undone = await importing.undo(done)

    async with importing.db.transaction(importing.principal, "test") as tx:
        kept = await list_kept(tx, done.id)
    assert [(kind, name) for kind, _, name in kept] == [("company", "Lind & Co"), ("contact", "Vera Lind")]
    assert (undone.taken_back, undone.kept) == (2, 2)
    assert await _find(importing, "oleg@zuev.example") is None


async def test_companies_are_met_by_domain_and_by_name(importing: Importing) -> None:
    head = ["Company name", "Website", "City", "Employees"]
    first = await importing.upload(
        [head, ["Lind", "", "Oslo", ""], ["Zuev", "https://www.zuev.example/x", "", "12"]]
    )
    await importing.run(first)

    again = await importing.upload(
        [head, ["LIND", "lind.example", "", "7"], ["Zuev Group", "zuev.example", "Omsk", ""]]
    )
    done = await importing.run(await importing.map(again, Options(duplicates=Duplicates.FILL)))

    assert again.record_kind is RecordKind.COMPANY
    assert (done.made, done.updated) == (0, 2)
    async with importing.db.transaction(importing.principal, "test") as tx:
        cursor = await tx.connection.execute(
            "SELECT name, domain, city, employees FROM companies ORDER BY name"
        )
        rows = [tuple(row.values()) for row in await cursor.fetchall()]
    assert rows == [("Lind", "lind.example", "Oslo", 7), ("Zuev", "zuev.example", "Omsk", 12)]


async def test_a_run_is_killed_at_any_point_and_still_takes_each_row_once(
    importing: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kill is a transaction that never commits, at a random place of a random one."""
    monkeypatch.setattr(running, "CHUNK", 40)
    dice = random.Random(5)
    mess = Mess(bad_emails=0.05, repeated=0.15)
    current = await importing.upload([header("en"), *people(700, mess=mess)])
    async with importing.db.transaction(importing.principal, "test") as tx:
        await actions.start_run(tx, current.id)

    kills = 0
    while (await importing.get(current.id)).status is ImportStatus.RUNNING:
        desk, steps_left = importing.desk(), dice.randrange(1, 6)

        async def dies(tx: Any) -> None:
            nonlocal steps_left
            steps_left -= 1
            if steps_left == 0:
                raise Killed

        class Killed(BaseException):
            """As by SIGKILL: nobody catches it."""

        try:
            await running.work(
                running.Desk(desk.transaction, dies, desk.find_file, desk.erased_key), current.id, seconds=60
            )
        except Killed:
            kills += 1

    done = await importing.get(current.id)
    assert kills >= 4
    assert done.made + done.skipped + done.refused == done.total == 700
    assert (await _counts(importing))[0] == done.made


async def test_a_paused_import_goes_on_where_it_stopped(
    importing: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "CHUNK", 50)
    current = await importing.upload([header("en"), *people(200)])
    async with importing.db.transaction(importing.principal, "test") as tx:
        await actions.start_run(tx, current.id)
    assert await running.work(importing.desk(), current.id, seconds=-1)  # one chunk, then the turn is over
    async with importing.db.transaction(importing.principal, "test") as tx:
        paused = await actions.pause_import(tx, current.id)
    await importing.work(current.id)
    still = await importing.get(current.id)
    async with importing.db.transaction(importing.principal, "test") as tx:
        await actions.resume_import(tx, current.id)

    done = await importing.work(current.id)

    assert (paused.position, still.position, done.position, done.made) == (50, 50, 200, 200)


async def test_the_planner_is_told_of_an_organization_that_grows(
    importing: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "CHUNK", 50)

    async def looks() -> int:
        async with importing.db.transaction(importing.principal, "test") as tx:
            return int(
                await tx.value(
                    "SELECT analyze_count FROM pg_stat_all_tables WHERE relname = 'contact_handles'"
                )
            )

    before = await looks()
    await importing.run(await importing.upload([header("en"), *people(200)]))

    async def looked_twice() -> bool:
        return await looks() >= before + 2

    await until(looked_twice, 10)


async def test_a_column_becomes_one_thing_only(importing: Importing) -> None:
    current = await importing.upload([HEAD, VERA])

    with pytest.raises(Unprocessable, match="cannot both become"):
        await importing.map(current, RUSSIAN, Title="name")
    with pytest.raises(Unprocessable, match="cannot become"):
        await importing.map(current, RUSSIAN, Title="password")


async def test_an_import_that_ran_is_not_changed(importing: Importing) -> None:
    done = await importing.run(await importing.upload([HEAD, VERA]))

    with pytest.raises(Conflict):
        await importing.map(done, RUSSIAN)
