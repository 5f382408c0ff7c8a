"""Recording, confirming, correcting and taking back facts, and measuring how close people are."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from core import clock
from core.db import Tx
from core.errors import Conflict, Forbidden, NotFound, Unprocessable
from core.ids import uuid7
from core.principal import PrincipalKind
from crm.facts.models import (
    ENDS,
    SATURATION_MESSAGES,
    STRONGEST,
    TRUSTED_SOURCES,
    EntityKind,
    Fact,
    FactEdit,
    NewFact,
    Relation,
    Source,
    SourceKind,
    Trust,
)
from crm.facts.models import HALF_LIFE as _HALF_LIFE
from crm.facts.queries import exists, get_current_relation, get_fact, list_facts
from events.ids import ContactId, FactId, MessageId
from events.outbox import emit
from events.types import FactAsserted, FactRetracted

_OWN_SOURCE = {
    PrincipalKind.USER: SourceKind.USER,
    PrincipalKind.BIDI: SourceKind.AGENT,
    PrincipalKind.SYSTEM: SourceKind.SYSTEM,
}


async def assert_relation(
    tx: Tx,
    *,
    subject: tuple[str, UUID],
    predicate: str,
    object: tuple[str, UUID],
    strength: float = 0.5,
    text: str = "",
    source_label: str = "",
) -> Fact:
    """Say that two entities are related; see `assert_fact`."""
    source = Source(_OWN_SOURCE[tx.principal.kind], label=source_label)
    return await assert_fact(
        tx, NewFact(subject, predicate, object, text=text, strength=strength, source=source)
    )


async def assert_text(
    tx: Tx,
    *,
    subject: tuple[str, UUID],
    predicate: str,
    text: str,
    source_label: str = "",
    is_confirmed: bool = True,
) -> Fact:
    """Say something about an entity in words; see `assert_fact`."""
    source = Source(_OWN_SOURCE[tx.principal.kind], label=source_label)
    return await assert_fact(
        tx, NewFact(subject, predicate, text=text, source=source, is_confirmed=is_confirmed)
    )


async def assert_fact(tx: Tx, new: NewFact) -> Fact:
    """Record a statement. One that came from outside, or from an agent, waits in quarantine for a person.

    A relation that is stated again becomes stronger and surer, never weaker; a quarantined statement leaves a
    confirmed one as it is.

    Raises:
        NotFound: no such subject or object in this organization.
        Unprocessable: a relation between the wrong kinds, no text, or numbers out of range.
    """
    tx.principal.require("facts:write")
    new = _checked(new)
    await _require_entity(tx, new.subject)
    if new.object is not None:
        await _require_entity(tx, new.object)
    fact = await _insert(tx, new, _trust_of(tx, new), corrects_id=None)
    if fact is None:
        return await _outweighing(tx, new)
    await emit(tx, FactAsserted(fact.id))
    return fact


async def learn(tx: Tx, new: NewFact, *, replaces: FactId | None = None) -> Fact:
    """Record words about an entity, unless they are known: said by another source they are believed more instead.

    `replaces` names the statement that holds no longer; its validity ends when the new one begins. A confirmed one is
    ended by nobody but a person, so both then stand beside each other.

    Raises: as `assert_fact`; NotFound for what is to be replaced.
    """
    tx.principal.require("facts:write")
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('facts ' || %(id)s, 0))", id=str(new.subject[1])
    )
    for standing in await list_facts(tx, new.subject[1], limit=200):
        if standing.predicate == new.predicate and folded(standing.text) == folded(new.text):
            return await _corroborate(tx, standing, new)
    if replaces is not None:
        await _end(tx, await get_fact(tx, replaces, lock=True), new)
    return await assert_fact(tx, new)


def folded(text: str) -> str:
    """A statement without what does not change its sense: case, marks, spaces."""
    return " ".join(_WORD.findall(text.casefold().replace("ё", "е")))


_WORD = re.compile(r"[\w%€$₽+]+")


async def _corroborate(tx: Tx, fact: Fact, new: NewFact) -> Fact:
    """Two sources that say the same are both wrong less often than either; the same source says nothing new."""
    if new.source is None or new.source.id is None or new.source.id == fact.source_id:
        return fact
    confidence = 1 - (1 - fact.confidence) * (1 - new.confidence)
    surer = await tx.one(
        Fact,
        """
        UPDATE facts
           SET confidence = %(confidence)s, strengthened_at = %(now)s
         WHERE id = %(fact_id)s
        RETURNING id, subject_kind, subject_id, predicate, object_kind, object_id, text, strength, confidence, trust,
                  source_kind, source_id, source_label, valid_from, valid_to, strengthened_at, recorded_at, retracted_at
        """,
        confidence=round(confidence, 4),
        now=clock.now(),
        fact_id=fact.id,
    )
    await emit(tx, FactAsserted(fact.id), changes={"confidence": (fact.confidence, surer.confidence)})
    return surer


async def _end(tx: Tx, old: Fact, new: NewFact) -> None:
    """What was said of the same entity, in the same respect, before; nothing else is ended by it."""
    is_about_it = (old.subject_id, old.predicate) == (new.subject[1], new.predicate)
    ends_at = new.valid_from or clock.now()
    is_over = old.is_retracted or (old.valid_to is not None and old.valid_to <= ends_at)
    if not is_about_it or is_over or old.trust is Trust.CONFIRMED or old.valid_from > ends_at:
        return
    await correct_fact(tx, old.id, FactEdit(valid_to=ends_at))


def _checked(new: NewFact) -> NewFact:
    """The statement in the one form under which it is stored."""
    if not (0 <= new.strength <= 1 and 0 <= new.confidence <= 1):
        raise Unprocessable("Strength and confidence lie between 0 and 1.", field="strength")
    if new.valid_from and new.valid_to and new.valid_to < new.valid_from:
        raise Unprocessable("A statement cannot end before it begins.", field="valid_to")
    new = replace(new, text=new.text.strip())
    if new.predicate not in set(Relation):
        return _checked_text(new)
    if new.object is None:
        raise Unprocessable(f"{new.predicate} relates two entities; name the second.", field="object")
    if (new.subject[0], new.object[0]) not in ENDS[Relation(new.predicate)]:
        raise Unprocessable(f"{new.subject[0]} {new.predicate} {new.object[0]} is no relation of ours.")
    if new.subject[1] == new.object[1]:
        raise Unprocessable("Nobody is related to themselves.", field="object")
    if new.subject[0] == new.object[0] and new.subject[1] > new.object[1]:
        # knowing each other has no direction: one spelling, so that one fact states it
        return replace(new, subject=new.object, object=new.subject)
    return new


def _checked_text(new: NewFact) -> NewFact:
    if new.object is not None or not new.predicate.isidentifier():
        raise Unprocessable(f"{new.predicate} is no relation; use one of {', '.join(Relation)}, or a text.")
    if not new.text:
        raise Unprocessable("A statement needs words.", field="text")
    return new


def _trust_of(tx: Tx, new: NewFact) -> Trust:
    """The source decides, not the caller: an agent's word is quarantined whatever it says of itself."""
    kind = new.source.kind if new.source else _OWN_SOURCE[tx.principal.kind]
    is_trusted = kind in TRUSTED_SOURCES and tx.principal.kind is not PrincipalKind.BIDI
    return Trust.CONFIRMED if is_trusted and new.is_confirmed else Trust.QUARANTINED


async def _require_entity(tx: Tx, entity: tuple[str, UUID]) -> None:
    if not await exists(tx, EntityKind(entity[0]), entity[1]):
        raise NotFound(f"No such {entity[0]} in this organization.")


async def _insert(tx: Tx, new: NewFact, trust: Trust, corrects_id: FactId | None) -> Fact | None:
    """Insert, or strengthen the standing statement of the same relation; None when that one outweighs ours."""
    source = new.source or Source(_OWN_SOURCE[tx.principal.kind])
    now = clock.now()
    return await tx.find(
        Fact,
        """
        INSERT INTO facts AS f (organization_id, id, subject_kind, subject_id, predicate, object_kind, object_id,
                                text, strength, confidence, trust, source_kind, source_id, source_label,
                                valid_from, valid_to, strengthened_at, recorded_at, corrects_id)
        VALUES (%(organization_id)s, %(id)s, %(subject_kind)s, %(subject_id)s, %(predicate)s, %(object_kind)s,
                %(object_id)s, %(text)s, %(strength)s, %(confidence)s, %(trust)s, %(source_kind)s, %(source_id)s,
                %(source_label)s, %(valid_from)s, %(valid_to)s, %(now)s, %(now)s, %(corrects_id)s)
        ON CONFLICT (organization_id, subject_id, predicate, object_id)
              WHERE object_id IS NOT NULL AND valid_to IS NULL AND retracted_at IS NULL
        DO UPDATE SET strength = greatest(f.strength, EXCLUDED.strength),
                      confidence = greatest(f.confidence, EXCLUDED.confidence),
                      trust = EXCLUDED.trust,
                      text = CASE WHEN EXCLUDED.text = '' THEN f.text ELSE EXCLUDED.text END,
                      source_kind = EXCLUDED.source_kind,
                      source_id = EXCLUDED.source_id,
                      source_label = EXCLUDED.source_label,
                      valid_from = least(f.valid_from, EXCLUDED.valid_from),
                      strengthened_at = greatest(f.strengthened_at, EXCLUDED.strengthened_at)
                WHERE f.trust = 'quarantined' OR EXCLUDED.trust = 'confirmed'
        RETURNING id, subject_kind, subject_id, predicate, object_kind, object_id, text, strength, confidence, trust,
                  source_kind, source_id, source_label, valid_from, valid_to, strengthened_at, recorded_at, retracted_at
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        subject_kind=str(new.subject[0]),
        subject_id=new.subject[1],
        predicate=new.predicate,
        object_kind=str(new.object[0]) if new.object else None,
        object_id=new.object[1] if new.object else None,
        text=new.text,
        strength=new.strength,
        confidence=new.confidence,
        trust=trust.value,
        source_kind=source.kind.value,
        source_id=source.id,
        source_label=source.label,
        valid_from=new.valid_from or now,
        valid_to=new.valid_to,
        now=now,
        corrects_id=corrects_id,
    )


async def _outweighing(tx: Tx, new: NewFact) -> Fact:
    if new.object is None:
        raise RuntimeError("only a relation can meet a standing one")
    return await get_current_relation(tx, new.subject[1], new.predicate, new.object[1])


async def confirm_fact(tx: Tx, fact_id: FactId) -> Fact:
    """Let a statement out of quarantine; a second confirmation changes nothing.

    Raises:
        NotFound: no such fact.
        Conflict: it was taken back.
        Forbidden: an agent cannot vouch for what it read.
    """
    fact = await get_fact(tx, fact_id, lock=True)
    tx.principal.require("facts:write")
    if tx.principal.kind is PrincipalKind.BIDI:
        raise Forbidden("Only a person can confirm a fact.", scope="facts:write")
    _require_standing(fact)
    if fact.trust is Trust.CONFIRMED:
        return fact
    confirmed = await tx.one(
        Fact,
        """
        UPDATE facts
           SET trust = 'confirmed'
         WHERE id = %(fact_id)s
        RETURNING id, subject_kind, subject_id, predicate, object_kind, object_id, text, strength, confidence, trust,
                  source_kind, source_id, source_label, valid_from, valid_to, strengthened_at, recorded_at, retracted_at
        """,
        fact_id=fact_id,
    )
    await emit(tx, FactAsserted(fact_id), changes={"trust": (fact.trust, confirmed.trust)})
    return confirmed


async def correct_fact(tx: Tx, fact_id: FactId, edit: FactEdit) -> Fact:
    """Replace a statement by a better one; what we used to believe stays on record.

    An employment or acquaintance that ended is a correction with `valid_to`.

    Raises:
        NotFound: no such fact.
        Conflict: it was taken back.
        Unprocessable: an empty text or a strength out of range.
    """
    old = await get_fact(tx, fact_id, lock=True)
    tx.principal.require("facts:write")
    _require_standing(old)
    await _mark_retracted(tx, fact_id)
    await emit(tx, FactRetracted(fact_id))
    new = _checked(_edited(old, edit))
    fact = await _insert(tx, new, _trust_of(tx, new), corrects_id=fact_id)
    if fact is None:
        return await _outweighing(tx, new)
    await emit(tx, FactAsserted(fact.id), changes={"corrects_id": (fact_id, fact.id)})
    return fact


def _edited(old: Fact, edit: FactEdit) -> NewFact:
    """The old statement with the new values; it stays quarantined if it was, its source is the old one."""
    is_relation = old.object_kind is not None and old.object_id is not None
    return NewFact(
        subject=(old.subject_kind, old.subject_id),
        predicate=old.predicate,
        object=(str(old.object_kind), UUID(str(old.object_id))) if is_relation else None,
        text=old.text if edit.text is None else edit.text,
        strength=old.strength if edit.strength is None else edit.strength,
        confidence=old.confidence,
        source=Source(SourceKind(old.source_kind), old.source_id, old.source_label),
        valid_from=edit.valid_from or old.valid_from,
        valid_to=edit.valid_to or old.valid_to,
        is_confirmed=old.trust == Trust.CONFIRMED,
    )


async def retract_fact(tx: Tx, fact_id: FactId) -> None:
    """Take a statement back: it never held. A second call changes nothing.

    Raises: NotFound.
    """
    fact = await get_fact(tx, fact_id, lock=True)
    tx.principal.require("facts:write")
    if fact.is_retracted:
        return
    await _mark_retracted(tx, fact_id)
    await emit(tx, FactRetracted(fact_id))


async def retract_facts_about(tx: Tx, entity_id: UUID, *, predicate: str | None = None) -> None:
    """Take back every standing statement that names an entity, or those of one predicate."""
    tx.principal.require("facts:write")
    standing = await tx.all(
        _Standing,
        """
        SELECT id
          FROM facts
         WHERE (subject_id = %(entity_id)s OR object_id = %(entity_id)s)
           AND (%(predicate)s::text IS NULL OR predicate = %(predicate)s)
           AND retracted_at IS NULL
         ORDER BY id
        """,
        entity_id=entity_id,
        predicate=predicate,
    )
    for fact in standing:
        await retract_fact(tx, fact.id)


@dataclass(frozen=True)
class _Standing:
    id: FactId


def _require_standing(fact: Fact) -> None:
    if fact.is_retracted:
        raise Conflict(f"Fact {fact.id} was taken back; record a new one.")


async def _mark_retracted(tx: Tx, fact_id: FactId) -> None:
    await tx.execute(
        "UPDATE facts SET retracted_at = %(now)s WHERE id = %(fact_id)s", now=clock.now(), fact_id=fact_id
    )


async def record_employment(tx: Tx, contact_id: ContactId) -> None:
    """Keep the stated employment in step with the company on the contact's card; a former one ends today."""
    tx.principal.require("facts:write")
    for fact_id in await _outdated_employments(tx, contact_id):
        await correct_fact(tx, fact_id, FactEdit(valid_to=clock.now()))
    company_id = await tx.value(
        """
        SELECT c.company_id
          FROM contacts c
         WHERE c.id = %(contact_id)s
           AND c.company_id IS NOT NULL
           AND NOT EXISTS (
               SELECT FROM facts f
                WHERE f.organization_id = c.organization_id
                  AND f.subject_id = c.id
                  AND f.predicate = 'works_at'
                  AND f.object_id = c.company_id
                  AND f.trust = 'confirmed'
                  AND f.valid_to IS NULL
                  AND f.retracted_at IS NULL)
        """,
        contact_id=contact_id,
    )
    if company_id is not None:
        await assert_relation(
            tx,
            subject=("contact", contact_id),
            predicate="works_at",
            object=("company", company_id),
            strength=1.0,
            source_label="Contact card",
        )


async def _outdated_employments(tx: Tx, contact_id: ContactId) -> list[FactId]:
    """Employments that were taken from the card and that the card no longer names."""
    facts = await tx.all(
        Fact,
        """
        SELECT f.id, f.subject_kind, f.subject_id, f.predicate, f.object_kind, f.object_id, f.text, f.strength,
               f.confidence, f.trust, f.source_kind, f.source_id, f.source_label, f.valid_from, f.valid_to,
               f.strengthened_at, f.recorded_at, f.retracted_at
          FROM facts f
          JOIN contacts c ON c.organization_id = f.organization_id AND c.id = f.subject_id
         WHERE f.subject_id = %(contact_id)s
           AND f.predicate = 'works_at'
           AND f.object_id IS DISTINCT FROM c.company_id
           AND f.source_kind = 'system'
           AND f.valid_to IS NULL
           AND f.retracted_at IS NULL
        """,
        contact_id=contact_id,
    )
    return [fact.id for fact in facts]


async def record_interaction(
    tx: Tx,
    contact_id: ContactId,
    message_id: MessageId | None,
    *,
    occurred_at: datetime,
    seat_kind: str,
    seat_id: UUID | None,
) -> None:
    """Strengthen what a message says about closeness: between the person on our side and the contact.

    What a contact writes while nobody, or an agent, holds the conversation counts for the person who dealt with
    the contact last; what an agent writes counts for nobody. The same message twice in a row counts once.

    Source of the strength: `crm.facts.models.strength_at` documents the formula, which stands here in SQL.
    """
    tx.principal.require("facts:write")
    if seat_kind == "bidi":
        return
    fact_id = await tx.value(
        """
        WITH side AS (
            SELECT coalesce(
                       %(user_id)s::uuid,
                       (SELECT subject_id
                          FROM facts
                         WHERE object_id = %(contact_id)s
                           AND predicate = 'interacted'
                           AND valid_to IS NULL
                           AND retracted_at IS NULL
                         ORDER BY strengthened_at DESC
                         LIMIT 1)) AS user_id
        )
        INSERT INTO facts AS f (organization_id, id, subject_kind, subject_id, predicate, object_kind, object_id,
                                strength, trust, source_kind, source_id, valid_from, strengthened_at, recorded_at)
        SELECT %(organization_id)s, %(id)s, 'user', user_id, 'interacted', 'contact', %(contact_id)s,
               1 - exp(-1 / %(saturation)s::float8), 'confirmed', 'message', %(message_id)s, %(at)s, %(at)s, %(now)s
          FROM side
         WHERE user_id IS NOT NULL
        ON CONFLICT (organization_id, subject_id, predicate, object_id)
              WHERE object_id IS NOT NULL AND valid_to IS NULL AND retracted_at IS NULL
        DO UPDATE SET strength = least(
                          %(strongest)s::float8,
                          1 - power(1 - f.strength::float8,
                                    power(0.5, greatest(extract(epoch FROM EXCLUDED.strengthened_at - f.strengthened_at), 0)
                                               / %(half_life_seconds)s::float8))
                              * exp(-1 / %(saturation)s::float8)),
                      source_id = EXCLUDED.source_id,
                      valid_from = least(f.valid_from, EXCLUDED.valid_from),
                      strengthened_at = greatest(f.strengthened_at, EXCLUDED.strengthened_at)
                WHERE f.source_id IS NULL OR f.source_id IS DISTINCT FROM EXCLUDED.source_id
        RETURNING id
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        user_id=seat_id if seat_kind in ("user", "person") else None,
        contact_id=contact_id,
        message_id=message_id,
        saturation=SATURATION_MESSAGES,
        strongest=STRONGEST,
        half_life_seconds=_HALF_LIFE.total_seconds(),
        at=occurred_at,
        now=clock.now(),
    )
    if fact_id is not None:
        await emit(tx, FactAsserted(FactId(fact_id)))
