"""Who may be one person: weak signs become rows, and nobody is merged because of them."""

import pytest

from core.db import Database
from core.principal import Principal
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact, resolve_contact
from crm.contacts.matches import MatchReason, are_alike, list_matches, note_matches_of
from crm.contacts.models import NewContact
from events.ids import ContactId
from tests.support.mail import make_post, written


async def _reasons(db: Database, owner: Principal, contact_id: ContactId) -> dict[MatchReason, str]:
    async with db.transaction(owner, "test") as tx:
        await note_matches_of(tx, contact_id)
        await note_matches_of(tx, contact_id)
        return {match.reason: match.evidence for match in await list_matches(tx, contact_id)}


async def _add(db: Database, owner: Principal, new: NewContact) -> ContactId:
    async with db.transaction(owner, "test") as tx:
        return (await create_contact(tx, new)).id


async def test_the_same_name_at_the_same_company_domain(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        company = await create_company(tx, NewCompany("Lind Logistics", domain="lind.example"))
    new = NewContact("Vera Lind", company_id=company.id, handles=(("telegram_id", "5"),))
    await _add(database, organization, new)
    mail = await _add(
        database, organization, NewContact("vera lind", handles=(("email", "vl@lind.example"),))
    )

    assert await _reasons(database, organization, mail) == {
        MatchReason.NAME_AND_COMPANY: "Vera Lind, Lind Logistics"
    }


async def test_the_same_name_alone_is_a_weaker_sign(database: Database, organization: Principal) -> None:
    await _add(database, organization, NewContact("Вера Линд", handles=(("telegram_id", "5"),)))
    other = await _add(database, organization, NewContact("Вера Линд", handles=(("email", "v@x.example"),)))

    assert list(await _reasons(database, organization, other)) == [MatchReason.NAME]


async def test_one_word_is_no_name_to_go_by(database: Database, organization: Principal) -> None:
    await _add(database, organization, NewContact("Vera"))
    other = await _add(database, organization, NewContact("Vera"))

    assert await _reasons(database, organization, other) == {}


async def test_a_username_like_the_mail_address(database: Database, organization: Principal) -> None:
    await _add(database, organization, NewContact("V", handles=(("telegram_username", "Vera_Lind"),)))
    other = await _add(database, organization, NewContact("W", handles=(("email", "vera.lind@x.example"),)))

    assert await _reasons(database, organization, other) == {
        MatchReason.USERNAME: "vera.lind@x.example, vera_lind"
    }


async def test_a_phone_shared_later_joins_nobody_by_itself(
    database: Database, organization: Principal
) -> None:
    known = await _add(
        database, organization, NewContact("Vera Lind", handles=(("phone", "+46 70 123 45 67"),))
    )
    async with database.transaction(organization, "test") as tx:
        first = await resolve_contact(tx, handles=(("telegram_id", "5"),), name="V", language="en")
        again = await resolve_contact(
            tx, handles=(("telegram_id", "5"), ("phone", "+46701234567")), name="V", language="en"
        )
        (match,) = await list_matches(tx, known)

    assert first.id == again.id != known
    assert (match.reason, match.evidence) == (MatchReason.SAME_HANDLE, "+46701234567")


async def test_a_phone_given_with_the_first_message_is_the_same_person(
    database: Database, organization: Principal
) -> None:
    known = await _add(
        database, organization, NewContact("Vera Lind", handles=(("phone", "+46 70 123 45 67"),))
    )
    async with database.transaction(organization, "test") as tx:
        found = await resolve_contact(
            tx, handles=(("telegram_id", "5"), ("phone", "+46701234567")), name="V", language="en"
        )

    assert found.id == known


@pytest.mark.parametrize(("owner_name", "is_noted"), [("Вера Линд", True), ("Tomas Ferreira", False)])
async def test_a_number_in_a_signature_needs_a_name_that_is_alike(
    database: Database, organization: Principal, owner_name: str, is_noted: bool
) -> None:
    known = await _add(database, organization, NewContact(owner_name, handles=(("phone", "+46701234567"),)))
    post = await make_post(database, organization)

    await post.receive(
        written("What is the price?\n\n-- \nVera Lind\nHead of operations\n+46 70 123 45 67\n")
    )

    async with database.transaction(organization, "test") as tx:
        found = await list_matches(tx, known)
    assert [match.reason for match in found] == ([MatchReason.SIGNATURE_PHONE] if is_noted else [])
    assert (await post.conversation()).contact_id != known


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Vera Lind", "Вера Линд", True),
        ("Vera Lind", "Lind, V.", True),
        ("Jo Li", "Jo Wu", False),
        ("Анна Смирнова", "Anna S", True),
    ],
)
def test_names_are_compared_over_both_alphabets(one: str, other: str, alike: bool) -> None:
    assert are_alike(one, other) is alike
