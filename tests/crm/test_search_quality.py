"""How often what was meant is among the first three, over queries as people type them, in a crowd of other records."""

import random
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from core.db import Database, Tx
from core.principal import Principal
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.deals.actions import create_deal
from crm.deals.models import NewDeal
from crm.pipelines.actions import create_pipeline
from crm.pipelines.queries import list_stages
from crm.records.models import RecordRef
from crm.search import actions as index
from crm.search.models import FoundKind
from crm.search.queries import search
from crm.tasks.actions import create_task
from crm.tasks.models import NewTask
from events.ids import RecordKind

CASES = tomllib.loads(Path(__file__).with_name("data").joinpath("search.toml").read_text())
NAMES = tomllib.loads((Path(__file__).parents[2] / "infra" / "seed" / "names.toml").read_text())
CROWD = 400
ENOUGH = 0.98


async def test_what_was_meant_is_among_the_first_three(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        await _add_crowd(tx)
        ids = await _add_records(tx)
        for kind in FoundKind:
            await _index_all(tx, kind)
    missed = []
    for query, key in CASES["queries"]["expected"]:
        async with database.transaction(organization, "test") as tx:
            found = await search(tx, query, limit=3)
        if ids[key] not in [hit.id for hit in found.hits]:
            missed.append((query, key, [hit.title.text for hit in found.hits]))

    asked = len(CASES["queries"]["expected"])
    share = 1 - len(missed) / asked
    print(f"\nsearch quality: {share:.3f} of {asked} queries find it among the first three; missed: {missed}")
    assert asked >= 150
    assert share >= ENOUGH, missed


async def _index_all(tx: Tx, kind: FoundKind) -> None:
    batch = await index.index_next(tx, kind)
    while batch is not None:
        batch = await index.index_next(tx, kind, batch.last)


async def _add_crowd(tx: Tx) -> None:
    """People and companies whom nobody looks for, of the names that the demo takes."""
    chance = random.Random(7)
    given = [name for names in _lists(NAMES) for name in names]
    for number in range(CROWD):
        name = f"{chance.choice(given)} {chance.choice(given)}"
        email = ("email", f"person{number}@crowd{chance.randrange(90)}.example")
        await create_contact(
            tx, NewContact(name, handles=(email, ("phone", f"+7 900 {chance.randrange(10**7):07}")))
        )
    for number in range(CROWD // 4):
        await create_company(tx, NewCompany(f"{chance.choice(given)} {chance.choice(given)} {number}"))


def _lists(names: Mapping[str, Any]) -> list[list[str]]:
    found: list[list[str]] = []
    for value in names.values():
        if isinstance(value, dict):
            found += _lists(value)
        elif isinstance(value, list) and all(isinstance(one, str) for one in value):
            found.append(value)
    return found


async def _add_records(tx: Tx) -> dict[str, UUID]:
    companies = {
        key: (await create_company(tx, NewCompany(**fields))).id for key, fields in CASES["companies"].items()
    }
    contacts = {}
    for key, fields in CASES["contacts"].items():
        handles = tuple(("email" if "@" in one else "phone", one) for one in fields["handles"])
        new = NewContact(
            fields["name"], title=fields["title"], company_id=companies[fields["company"]], handles=handles
        )
        contacts[key] = (await create_contact(tx, new)).id
    stage = (await list_stages(tx, (await create_pipeline(tx, "Sales")).id))[0]
    ids: dict[str, UUID] = {**companies, **contacts}
    for key, fields in CASES["deals"].items():
        new_deal = NewDeal(
            fields["name"],
            stage.id,
            company_id=companies[fields["company"]],
            contact_id=contacts[fields["contact"]],
        )
        ids[key] = (await create_deal(tx, new_deal)).id
    for key, fields in CASES["tasks"].items():
        about = RecordRef(RecordKind.CONTACT, contacts[fields["contact"]])
        ids[key] = (await create_task(tx, NewTask(fields["title"], about))).id
    return ids
