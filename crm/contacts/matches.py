"""Contacts who may be one person. A match is a row with its reason; nothing is merged because of it.

Keys that lead to one person only (a mail address, a phone number, a Telegram id) join contacts by themselves, in
`resolve_contact`. What is here is weaker, or came too late: both contacts were there already.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from core.db import Tx
from core.ids import uuid7
from core.languages import in_latin
from events.ids import ContactId


class MatchReason(StrEnum):
    """Why two contacts may be one person, the surest first."""

    SAME_HANDLE = "same_handle"  # both gave the same address or number
    SIGNATURE_PHONE = "signature_phone"  # one signs with the other's number, and their names are alike
    NAME_AND_COMPANY = "name_and_company"
    USERNAME = "username"  # the Telegram username is the first part of the mail address
    NAME = "name"


_SCORES = {
    MatchReason.SAME_HANDLE: 0.95,
    MatchReason.SIGNATURE_PHONE: 0.85,
    MatchReason.NAME_AND_COMPANY: 0.8,
    MatchReason.USERNAME: 0.6,
    MatchReason.NAME: 0.4,
}


@dataclass(frozen=True)
class ContactMatch:
    id: UUID
    contact_id: ContactId
    other_contact_id: ContactId
    reason: MatchReason
    score: float
    evidence: str
    status: str


@dataclass(frozen=True)
class _Candidate:
    id: ContactId
    name: str
    evidence: str
    is_close: bool


async def note_match(
    tx: Tx, contact_id: ContactId, other_id: ContactId, reason: MatchReason, evidence: str
) -> None:
    """Keep that two contacts may be one; what is known already, or was dismissed, stays as it is."""
    if contact_id == other_id:
        return
    first, second = sorted((contact_id, other_id))
    await tx.execute(
        """
        INSERT INTO contact_matches (organization_id, id, contact_id, other_contact_id, reason, score, evidence)
        VALUES (%(organization_id)s, %(id)s, %(first)s, %(second)s, %(reason)s, %(score)s, %(evidence)s)
        ON CONFLICT (organization_id, contact_id, other_contact_id, reason) DO NOTHING
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        first=first,
        second=second,
        reason=reason,
        score=_SCORES[reason],
        evidence=evidence,
    )


async def note_matches_of(tx: Tx, contact_id: ContactId) -> None:
    """Look for others who may be this contact: by name, by name and company, by the names they give themselves."""
    for candidate in await _with_same_name(tx, contact_id):
        reason = MatchReason.NAME_AND_COMPANY if candidate.is_close else MatchReason.NAME
        await note_match(tx, contact_id, candidate.id, reason, candidate.evidence)
    for candidate in await _with_same_username(tx, contact_id):
        await note_match(tx, contact_id, candidate.id, MatchReason.USERNAME, candidate.evidence)


async def _with_same_name(tx: Tx, contact_id: ContactId) -> list[_Candidate]:
    """Of the same full name; close when they share a company or the domain of one's address is the other's company."""
    return await tx.all(
        _Candidate,
        """
        SELECT o.id, o.name, concat_ws(', ', o.name, NULLIF(coalesce(f.name, ''), '')) AS evidence,
               coalesce(o.company_id = c.company_id, false)
                   OR EXISTS (SELECT
                                FROM contact_handles h
                                JOIN contact_handles g
                                  ON split_part(g.value, '@', 2) = split_part(h.value, '@', 2)
                               WHERE h.contact_id = c.id AND h.kind = 'email'
                                 AND g.contact_id = o.id AND g.kind = 'email')
                   OR EXISTS (SELECT
                                FROM contact_handles h
                                JOIN companies k ON k.id IN (c.company_id, o.company_id)
                               WHERE h.contact_id IN (c.id, o.id) AND h.kind = 'email'
                                 AND split_part(h.value, '@', 2) = k.domain) AS is_close
          FROM contacts c
          JOIN contacts o ON o.plain_name = c.plain_name AND o.id <> c.id AND o.deleted_at IS NULL
          LEFT JOIN companies f ON f.id = o.company_id
         WHERE c.id = %(contact_id)s
           AND c.plain_name LIKE '%% %%'
         ORDER BY o.id
         LIMIT 20
        """,
        contact_id=contact_id,
    )


async def _with_same_username(tx: Tx, contact_id: ContactId) -> list[_Candidate]:
    return await tx.all(
        _Candidate,
        """
        SELECT o.id, o.name, h.value || ', ' || g.value AS evidence, false AS is_close
          FROM contact_handles h
          JOIN contact_handles g
            ON g.plain_name = h.plain_name
           AND g.kind = CASE h.kind WHEN 'email' THEN 'telegram_username' ELSE 'email' END
          JOIN contacts o ON o.id = g.contact_id AND o.deleted_at IS NULL
         WHERE h.contact_id = %(contact_id)s
           AND h.kind IN ('email', 'telegram_username')
           AND length(h.plain_name) >= 5
           AND g.contact_id <> h.contact_id
         ORDER BY o.id
         LIMIT 20
        """,
        contact_id=contact_id,
    )


async def note_signature(tx: Tx, contact_id: ContactId, name: str, phones: tuple[str, ...]) -> None:
    """Numbers that somebody signs with: anybody can write any number, so they join nobody by themselves."""
    if not phones:
        return
    owners = await tx.all(
        _Candidate,
        """
        SELECT o.id, o.name, h.value AS evidence, false AS is_close
          FROM contact_handles h
          JOIN contacts o ON o.id = h.contact_id AND o.deleted_at IS NULL
         WHERE h.kind = 'phone'
           AND h.value = ANY(%(phones)s)
           AND h.contact_id <> %(contact_id)s
         ORDER BY o.id
        """,
        phones=list(phones),
        contact_id=contact_id,
    )
    for owner in owners:
        if are_alike(name, owner.name):
            await note_match(tx, contact_id, owner.id, MatchReason.SIGNATURE_PHONE, owner.evidence)


def are_alike(one: str, other: str) -> bool:
    """Whether two names share a word of three letters or more, in either alphabet."""
    return bool(_words(one) & _words(other))


def _words(name: str) -> set[str]:
    return {word for word in re.findall(r"[^\W\d_]+", in_latin(name.casefold())) if len(word) >= 3}


async def list_matches(tx: Tx, contact_id: ContactId) -> list[ContactMatch]:
    """Who this contact may also be, the surest first."""
    tx.principal.require("contacts:read")
    return await tx.all(
        ContactMatch,
        """
        SELECT id, contact_id, other_contact_id, reason, score, evidence, status
          FROM contact_matches
         WHERE contact_id = %(contact_id)s
            OR other_contact_id = %(contact_id)s
         ORDER BY score DESC, id
        """,
        contact_id=contact_id,
    )
