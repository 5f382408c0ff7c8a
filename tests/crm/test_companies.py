"""Companies: a web domain belongs to one of them."""

import pytest

from core.db import Database
from core.errors import Conflict, Stale, Unprocessable
from core.principal import Principal
from core.sql import ListQuery
from crm.companies.actions import create_company, delete_company, restore_company, update_company
from crm.companies.models import CompanyEdit, NewCompany, normalize_domain
from crm.companies.queries import find_company_by_domain, get_company, list_companies
from tests.support.changes import changes_of


@pytest.mark.parametrize(
    ("given", "stored"),
    [("https://www.Acme.io/about?x=1", "acme.io"), ("acme.io", "acme.io"), ("  ", None), (None, None)],
)
def test_a_domain_has_one_spelling(given: str | None, stored: str | None) -> None:
    assert normalize_domain(given) == stored


async def test_two_companies_cannot_share_a_domain(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        acme = await create_company(tx, NewCompany("Acme", domain="acme.io", employees=20))
        other = await create_company(tx, NewCompany("Other"))

        with pytest.raises(Conflict):
            await create_company(tx, NewCompany("Acme again", domain="www.acme.io"))
        assert await find_company_by_domain(tx, "ACME.io") == acme
    with pytest.raises(Conflict):
        async with database.transaction(organization, "test") as tx:
            await update_company(tx, other.id, CompanyEdit(domain="acme.io"), version=1)
    async with database.transaction(organization, "test") as tx:
        assert (await get_company(tx, other.id)).domain is None


async def test_an_update_raises_the_version_and_records_the_change(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        acme = await create_company(tx, NewCompany("Acme", city="Riga"))

        updated = await update_company(tx, acme.id, CompanyEdit(city="Tallinn"), version=1)

        assert (updated.city, updated.version) == ("Tallinn", 2)
        last = (await changes_of(tx, acme.id))[-1]
        assert (last.type, last.changes) == ("company.updated", {"city": ["Riga", "Tallinn"]})
        with pytest.raises(Stale):
            await update_company(tx, acme.id, CompanyEdit(city="Vilnius"), version=1)


async def test_a_name_may_hold_any_sign(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        acme = await create_company(tx, NewCompany("Acme", city="Riga"))

        updated = await update_company(tx, acme.id, CompanyEdit(name="100% %(x)s O'Hara \\ {}"), version=1)

    assert updated.name == "100% %(x)s O'Hara \\ {}"


async def test_a_field_can_be_emptied(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        acme = await create_company(tx, NewCompany("Acme", domain="acme.io", employees=5))

        updated = await update_company(tx, acme.id, CompanyEdit(domain=None, employees=None), version=1)

    assert (updated.domain, updated.employees) == (None, None)


async def test_a_domain_in_the_trash_is_free_until_somebody_wants_it_back(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        acme = await create_company(tx, NewCompany("Acme", domain="acme.io"))
        await delete_company(tx, acme.id, version=1)
        assert (await list_companies(tx)).items == []
        await create_company(tx, NewCompany("Acme again", domain="acme.io"))

        with pytest.raises(Conflict):
            await restore_company(tx, acme.id)


@pytest.mark.parametrize("new", [NewCompany(" "), NewCompany("Acme", employees=-1)])
async def test_a_company_that_cannot_be_is_refused(
    database: Database, organization: Principal, new: NewCompany
) -> None:
    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Unprocessable):
            await create_company(tx, new)


async def test_companies_are_paged_and_searched(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        for name in ("Север", "Acme", "Borealis"):
            await create_company(tx, NewCompany(name))

        first = await list_companies(tx, ListQuery(limit=2))
        second = await list_companies(tx, ListQuery(limit=2, cursor=first.next_cursor))

        assert [company.name for company in first.items + second.items] == ["Acme", "Borealis", "Север"]
        assert second.next_cursor is None
        assert [company.name for company in (await list_companies(tx, text="СЕВ")).items] == ["Север"]
