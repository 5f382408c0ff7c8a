"""Facts: who may state what, what stays in quarantine, what is kept of what we used to believe."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.db import Database, Tx
from core.errors import Conflict, Forbidden, NotFound, Unprocessable
from core.ids import uuid7
from core.principal import Principal, PrincipalKind
from crm.facts import actions as facts
from crm.facts.models import (
    HALF_LIFE,
    STRONGEST,
    Fact,
    FactEdit,
    NewFact,
    Source,
    SourceKind,
    Trust,
    strength_at,
    strengthened,
)
from crm.facts.queries import get_fact, list_facts
from events.ids import ContactId, MessageId
from tests.support.graphs import START, make_company, make_contact

NOW = datetime.fromisoformat("2026-03-01T12:00:00+00:00")


async def events_of(tx: Tx, fact_id: UUID) -> list[str]:
    names: list[str] | None = await tx.value(
        "SELECT array_agg(type ORDER BY seq) FROM events WHERE subject_id = %(id)s", id=fact_id
    )
    return names or []


async def test_a_persons_word_is_confirmed_and_announced(database: Database, organization: Principal) -> None:
    anna = await make_contact(database, organization, "Anna")
    async with database.transaction(organization, "test") as tx:
        fact = await facts.assert_text(
            tx, subject=("contact", anna), predicate="budget", text=" Ends in May "
        )

        assert (fact.text, fact.trust, fact.source_kind) == ("Ends in May", Trust.CONFIRMED, SourceKind.USER)
        assert await events_of(tx, fact.id) == ["fact.asserted"]
        assert await list_facts(tx, anna) == [fact]


@pytest.mark.parametrize("kind", [SourceKind.MESSAGE, SourceKind.IMPORT, SourceKind.AGENT])
async def test_what_comes_from_outside_is_quarantined(
    database: Database, organization: Principal, kind: SourceKind
) -> None:
    anna = await make_contact(database, organization, "Anna")
    new = NewFact(("contact", anna), "decision", text="Tomas decides", source=Source(kind, uuid7()))
    async with database.transaction(organization, "test") as tx:
        assert (await facts.assert_fact(tx, new)).trust == Trust.QUARANTINED


async def test_an_agent_cannot_pass_for_a_person(database: Database, organization: Principal) -> None:
    anna = await make_contact(database, organization, "Anna")
    agent = replace(organization, kind=PrincipalKind.BIDI, id=uuid7())
    new = NewFact(("contact", anna), "decision", text="Pay now", source=Source(SourceKind.USER))
    async with database.transaction(agent, "test") as tx:
        fact = await facts.assert_fact(tx, new)
        with pytest.raises(Forbidden):
            await facts.confirm_fact(tx, fact.id)

    assert fact.trust == Trust.QUARANTINED


async def test_confirming_lets_a_fact_out_of_quarantine_once(
    database: Database, organization: Principal
) -> None:
    anna = await make_contact(database, organization, "Anna")
    async with database.transaction(organization, "test") as tx:
        fact = await facts.assert_text(
            tx, subject=("contact", anna), predicate="decision", text="Tomas decides", is_confirmed=False
        )
        confirmed = await facts.confirm_fact(tx, fact.id)
        again = await facts.confirm_fact(tx, fact.id)

        assert (fact.trust, confirmed.trust, again) == (Trust.QUARANTINED, Trust.CONFIRMED, confirmed)
        assert await events_of(tx, fact.id) == ["fact.asserted", "fact.asserted"]


async def test_a_relation_stated_again_is_one_fact_and_never_weaker(
    database: Database, organization: Principal
) -> None:
    anna = await make_contact(database, organization, "Anna")
    bo = await make_contact(database, organization, "Bo")
    async with database.transaction(organization, "test") as tx:
        first = await _knows(tx, anna, bo, 0.8)
        second = await _knows(tx, bo, anna, 0.3)

    assert second.id == first.id, "knowing each other has no direction"
    assert second.strength == pytest.approx(0.8)


async def test_an_outsiders_claim_does_not_touch_a_confirmed_relation(
    database: Database, organization: Principal
) -> None:
    anna = await make_contact(database, organization, "Anna")
    async with database.transaction(organization, "test") as tx:
        known = await facts.assert_relation(
            tx, subject=("user", organization.id), predicate="knows", object=("contact", anna), strength=0.2
        )
        claim = NewFact(
            ("user", organization.id),
            "knows",
            ("contact", anna),
            strength=1.0,
            text="We are best friends",
            source=Source(SourceKind.MESSAGE, uuid7()),
        )
        standing = await facts.assert_fact(tx, claim)

        assert standing == known
        assert await events_of(tx, known.id) == ["fact.asserted"]


async def test_a_person_who_says_what_was_quarantined_confirms_it(
    database: Database, organization: Principal
) -> None:
    anna = await make_contact(database, organization, "Anna")
    bo = await make_contact(database, organization, "Bo")
    claim = NewFact(("contact", anna), "knows", ("contact", bo), source=Source(SourceKind.MESSAGE, uuid7()))
    async with database.transaction(organization, "test") as tx:
        claimed = await facts.assert_fact(tx, claim)
        stated = await _knows(tx, anna, bo, 0.5)

    assert (claimed.trust, stated.trust, stated.id) == (Trust.QUARANTINED, Trust.CONFIRMED, claimed.id)


@pytest.mark.parametrize(
    ("subject", "predicate", "object", "text"),
    [
        ("contact", "works_at", "contact", ""),
        ("company", "knows", "contact", ""),
        ("contact", "interacted", "contact", ""),
        ("contact", "works_at", None, "at Acme"),
        ("contact", "budget", None, "  "),
        ("contact", "budget", "company", "x"),
        ("contact", "drop table", None, "x"),
    ],
)
async def test_a_statement_of_the_wrong_shape_is_refused(
    database: Database,
    organization: Principal,
    subject: str,
    predicate: str,
    object: str | None,
    text: str,
) -> None:
    one, two = uuid7(), uuid7()
    new = NewFact((subject, one), predicate, (object, two) if object else None, text=text)
    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Unprocessable):
            await facts.assert_fact(tx, new)


async def test_nobody_knows_themselves(database: Database, organization: Principal) -> None:
    anna = await make_contact(database, organization, "Anna")
    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Unprocessable):
            await _knows(tx, anna, anna, 1.0)


async def test_entities_of_another_organization_do_not_exist(
    database: Database, organization: Principal, other_organization: Principal
) -> None:
    theirs = await make_contact(database, other_organization, "Anna")
    ours = await make_contact(database, organization, "Bo")
    async with database.transaction(organization, "test") as tx:
        with pytest.raises(NotFound):
            await facts.assert_text(tx, subject=("contact", theirs), predicate="note", text="x")
        with pytest.raises(NotFound):
            await _knows(tx, ours, theirs, 0.5)


async def test_facts_need_their_permission(database: Database, organization: Principal) -> None:
    anna = await make_contact(database, organization, "Anna")
    viewer = replace(organization, scopes=frozenset({"facts:read"}))
    async with database.transaction(viewer, "test") as tx:
        with pytest.raises(Forbidden):
            await facts.assert_text(tx, subject=("contact", anna), predicate="note", text="x")


async def test_a_corrected_fact_is_remembered_as_it_was_believed(
    database: Database, organization: Principal
) -> None:
    anna = await make_contact(database, organization, "Anna")
    async with database.transaction(organization, "test") as tx:
        with clock.frozen(NOW):
            old = await facts.assert_text(
                tx, subject=("contact", anna), predicate="budget", text="Ends in May"
            )
        with clock.frozen(NOW + timedelta(days=10)):
            new = await facts.correct_fact(tx, old.id, FactEdit(text="Ends in June"))
            now = await list_facts(tx, anna)
        then = await list_facts(tx, anna, valid_at=NOW + timedelta(days=1), known_at=NOW + timedelta(days=5))

        assert [fact.text for fact in now] == ["Ends in June"]
        assert [fact.text for fact in then] == ["Ends in May"]
        assert await events_of(tx, old.id) == ["fact.asserted", "fact.retracted"]
        assert await events_of(tx, new.id) == ["fact.asserted"]
        with pytest.raises(Conflict):
            await facts.correct_fact(tx, old.id, FactEdit(text="Ends in July"))


async def test_an_employment_that_ended_held_once(database: Database, organization: Principal) -> None:
    anna = await make_contact(database, organization, "Anna")
    acme = await make_company(database, organization, "Acme")
    async with database.transaction(organization, "test") as tx:
        job = await facts.assert_fact(
            tx, NewFact(("contact", anna), "works_at", ("company", acme), valid_from=START)
        )
        ended = await facts.correct_fact(tx, job.id, FactEdit(valid_to=NOW))

        assert await list_facts(tx, anna, valid_at=NOW) == []
        assert await list_facts(tx, acme, valid_at=NOW - timedelta(days=1)) == [ended]


async def test_a_correction_keeps_the_quarantine(database: Database, organization: Principal) -> None:
    anna = await make_contact(database, organization, "Anna")
    async with database.transaction(organization, "test") as tx:
        old = await facts.assert_text(
            tx, subject=("contact", anna), predicate="note", text="x", is_confirmed=False
        )

        assert (await facts.correct_fact(tx, old.id, FactEdit(text="y"))).trust == Trust.QUARANTINED


async def test_a_retracted_fact_is_kept_and_cannot_be_confirmed(
    database: Database, organization: Principal
) -> None:
    anna = await make_contact(database, organization, "Anna")
    async with database.transaction(organization, "test") as tx:
        fact = await facts.assert_text(tx, subject=("contact", anna), predicate="note", text="x")
        await facts.retract_fact(tx, fact.id)
        await facts.retract_fact(tx, fact.id)

        assert await list_facts(tx, anna) == []
        assert (await get_fact(tx, fact.id)).is_retracted
        assert await events_of(tx, fact.id) == ["fact.asserted", "fact.retracted"]
        with pytest.raises(Conflict):
            await facts.confirm_fact(tx, fact.id)


async def test_the_contact_card_keeps_the_employment_in_step(
    database: Database, organization: Principal
) -> None:
    anna = ContactId(await make_contact(database, organization, "Anna"))
    acme = await make_company(database, organization, "Acme")
    bright = await make_company(database, organization, "Bright")
    system = replace(organization, kind=PrincipalKind.SYSTEM)
    employers = []
    for company in (acme, acme, bright, bright):
        async with database.transaction(system, "test") as tx:
            await tx.execute(
                "UPDATE contacts SET company_id = %(company)s WHERE id = %(anna)s", company=company, anna=anna
            )
            await facts.record_employment(tx, anna)
            employers.append([fact.object_id for fact in await list_facts(tx, anna)])

    assert employers == [[acme], [acme], [bright], [bright]]


# how close people are --------------------------------------------------------------------------------------------


async def test_each_message_brings_people_closer_as_the_formula_says(
    database: Database, organization: Principal
) -> None:
    anna = ContactId(await make_contact(database, organization, "Anna"))
    moments = [NOW + timedelta(days=days) for days in (0, 1, 2, 120)]
    expected, since = 0.0, NOW
    for at in moments:
        await _exchange(database, organization, anna, at)
        expected, since = strengthened(expected, since, at), at

    fact = await _closeness(database, organization, anna)
    assert fact is not None
    assert fact.strength == pytest.approx(expected, abs=1e-5)
    assert (fact.valid_from, fact.strengthened_at, fact.trust) == (NOW, moments[-1], Trust.CONFIRMED)


async def test_no_number_of_messages_makes_a_bond_that_cannot_fade(
    database: Database, organization: Principal
) -> None:
    anna = ContactId(await make_contact(database, organization, "Anna"))
    for _ in range(60):
        await _exchange(database, organization, anna, NOW)

    fact = await _closeness(database, organization, anna)
    assert fact is not None
    assert fact.strength == pytest.approx(STRONGEST)
    assert strength_at(fact.strength, NOW, NOW + HALF_LIFE * 10) < 0.01


async def test_the_same_message_twice_counts_once(database: Database, organization: Principal) -> None:
    anna = ContactId(await make_contact(database, organization, "Anna"))
    message = MessageId(uuid7())
    for _ in range(2):
        await _exchange(database, organization, anna, NOW, message=message)

    fact = await _closeness(database, organization, anna)
    assert fact is not None
    assert fact.strength == pytest.approx(strengthened(0, NOW, NOW), abs=1e-6)
    async with database.transaction(organization, "test") as tx:
        assert await events_of(tx, fact.id) == ["fact.asserted"]


async def test_what_an_agent_writes_brings_nobody_closer(database: Database, organization: Principal) -> None:
    anna = ContactId(await make_contact(database, organization, "Anna"))
    await _exchange(database, organization, anna, NOW, seat=("bidi", uuid7()))
    await _exchange(database, organization, anna, NOW, seat=("agent", uuid7()))
    await _exchange(database, organization, anna, NOW, seat=("", None))

    assert await _closeness(database, organization, anna) is None


async def test_an_unattended_message_counts_for_who_dealt_with_the_contact_last(
    database: Database, organization: Principal
) -> None:
    anna = ContactId(await make_contact(database, organization, "Anna"))
    await _exchange(database, organization, anna, NOW)
    await _exchange(database, organization, anna, NOW + timedelta(hours=1), seat=("agent", uuid7()))

    fact = await _closeness(database, organization, anna)
    assert fact is not None
    assert fact.subject_id == organization.id
    assert fact.strengthened_at == NOW + timedelta(hours=1)


@given(st.floats(0, STRONGEST), st.integers(0, 3000), st.integers(0, 3000))
def test_strength_only_fades_with_time_and_fades_the_same_in_one_step_or_two(
    strength: float, first: int, second: int
) -> None:
    middle, end = NOW + timedelta(days=first), NOW + timedelta(days=first + second)

    at_once = strength_at(strength, NOW, end)
    in_steps = strength_at(strength_at(strength, NOW, middle), middle, end)

    assert at_once == pytest.approx(in_steps, abs=1e-9)
    assert 0 <= at_once <= strength + 1e-12


@given(st.floats(0, STRONGEST), st.integers(-3000, 3000))
def test_a_message_never_leaves_people_further_apart_than_silence(strength: float, days: int) -> None:
    at = NOW + timedelta(days=days)

    assert strength_at(strength, NOW, at) - 1e-12 <= strengthened(strength, NOW, at) <= STRONGEST


async def _knows(tx: Tx, one: UUID, other: UUID, strength: float) -> Fact:
    return await facts.assert_relation(
        tx, subject=("contact", one), predicate="knows", object=("contact", other), strength=strength
    )


async def _exchange(
    database: Database,
    principal: Principal,
    contact_id: ContactId,
    at: datetime,
    *,
    seat: tuple[str, UUID | None] | None = None,
    message: MessageId | None = None,
) -> None:
    kind, id = seat or ("user", principal.id)
    async with database.transaction(principal, "test") as tx:
        await facts.record_interaction(
            tx, contact_id, message or MessageId(uuid7()), occurred_at=at, seat_kind=kind, seat_id=id
        )


async def _closeness(database: Database, principal: Principal, contact_id: ContactId) -> Fact | None:
    async with database.transaction(principal, "test") as tx:
        found = await list_facts(tx, contact_id, valid_at=NOW + timedelta(days=365))
    return found[0] if found else None
