"""Deals from tables: stage by name, contact by address, company by name; a table never moves a deal that is there."""

from pathlib import Path

import pytest

from core.db import Database
from core.principal import Principal
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.deals.models import DealLine
from crm.deals.queries import list_deals
from crm.imports.tables.models import Duplicates, Options, Source, Why
from crm.imports.tables.queries import list_row_notes
from crm.pipelines.actions import create_pipeline
from events.ids import RecordKind
from tests.support.importing import Importing

AMOCRM = [
    "ID",
    "Название сделки",
    "Компания",
    "Рабочий email",
    "Этап сделки",
    "Бюджет",
    "Дата закрытия",
    "Теги сделки",
]
ROWS = [
    ["1001", "Сканеры", "Ромашка", "vera@lind.example", "Qualified", "120 000 ₽", "31.12.2026", "вип"],
    ["1002", "Принтеры", "Вектор", "nobody@zuev.example", "Won", "5 000", "", ""],
    ["1003", "Замеры", "Вектор", "", "Нет такого", "1", "", ""],
]


@pytest.fixture
async def importing(database: Database, organization: Principal, tmp_path: Path) -> Importing:
    async with database.transaction(organization, "test") as tx:
        await create_pipeline(tx, "Sales")
        await create_contact(tx, NewContact("Vera Lind", handles=(("email", "vera@lind.example"),)))
    return Importing(database, organization, tmp_path)


async def _deals(importing: Importing) -> dict[str, DealLine]:
    async with importing.db.transaction(importing.principal, "test") as tx:
        return {deal.name: deal for deal in (await list_deals(tx)).items}


async def test_an_export_of_amocrm_becomes_deals_in_their_stages(importing: Importing) -> None:
    current = await importing.upload([AMOCRM, *ROWS])
    assert (current.record_kind, current.mapping.source) == (RecordKind.DEAL, Source.AMOCRM)

    done = await importing.run(await importing.map(current, Options(region="RU", currency="RUB")))

    deals = await _deals(importing)
    scanners, printers = deals["Сканеры"], deals["Принтеры"]
    assert (done.made, done.refused, done.companies_made) == (2, 1, 2)
    assert (scanners.stage, scanners.amount_minor, scanners.currency) == ("Qualified", 12_000_000, "RUB")
    assert (scanners.contact_name, scanners.company_name, str(scanners.close_date)) == (
        "Vera Lind", "Ромашка", "2026-12-31"
    )  # fmt: skip
    assert (printers.contact_name, printers.stage, printers.closed_at is None) == (None, "Won", False)
    async with importing.db.transaction(importing.principal, "test") as tx:
        notes = {note.number: note.reasons[0].why for note in await list_row_notes(tx, done.id)}
        visits = await tx.value("SELECT count(*) FROM stage_visits WHERE left_at IS NULL")
    assert notes == {3: Why.UNKNOWN_CONTACT, 4: Why.UNKNOWN_STAGE}
    assert visits == 2


async def test_a_second_export_meets_the_same_deals_and_moves_none(importing: Importing) -> None:
    options = Options(region="RU", currency="RUB", duplicates=Duplicates.OVERWRITE)
    await importing.run(await importing.map(await importing.upload([AMOCRM, *ROWS[:1]]), options))
    later = ["1001", "Сканеры", "", "", "Won", "90 000 ₽", "", ""]

    done = await importing.run(await importing.map(await importing.upload([AMOCRM, later]), options))

    (deal,) = (await _deals(importing)).values()
    assert (done.made, done.updated, deal.amount_minor, deal.stage) == (0, 1, 9_000_000, "Qualified")


async def test_an_undo_takes_deals_and_their_companies_back(importing: Importing) -> None:
    done = await importing.run(
        await importing.map(await importing.upload([AMOCRM, *ROWS]), Options(currency="RUB"))
    )

    undone = await importing.undo(done)

    async with importing.db.transaction(importing.principal, "test") as tx:
        left = await tx.value("SELECT (SELECT count(*) FROM companies) + (SELECT count(*) FROM stage_visits)")
    assert (undone.kept, await _deals(importing), left) == (0, {}, 0)
