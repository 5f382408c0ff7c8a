"""Which records a tool call is about, by its arguments, and at which version each stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from core.db import Tx


@dataclass(frozen=True)
class Touched:
    """A record that an argument names; `version` rises with every change, in a conversation with every message in."""

    field: str
    kind: str
    id: UUID
    name: str
    version: int


@dataclass(frozen=True)
class _Found:
    name: str
    version: int


# The closed list of what arguments may name: `deal_id` is a deal.
_FIND: Mapping[str, LiteralString] = {
    "contact": "SELECT name, version FROM contacts WHERE id = %(id)s",
    "company": "SELECT name, version FROM companies WHERE id = %(id)s",
    "deal": "SELECT name, version FROM deals WHERE id = %(id)s",
    "task": "SELECT title AS name, version FROM tasks WHERE id = %(id)s",
    "meeting": "SELECT title AS name, version FROM meetings WHERE id = %(id)s",
    "note": "SELECT body AS name, version FROM notes WHERE id = %(id)s",
    "draft": "SELECT body AS name, version FROM drafts WHERE id = %(id)s",
    "segment": "SELECT name, version FROM segments WHERE id = %(id)s",
    "member": "SELECT name, 1 AS version FROM members WHERE id = %(id)s",
    "lead": """
        SELECT c.name, l.version
          FROM leads l
          JOIN contacts c ON (c.organization_id, c.id) = (l.organization_id, l.contact_id)
         WHERE l.id = %(id)s
        """,
    "conversation": """
        SELECT c.name, v.last_inbound_seq AS version
          FROM conversations v
          JOIN contacts c ON (c.organization_id, c.id) = (v.organization_id, v.contact_id)
         WHERE v.id = %(id)s
        """,
}
# Under these names arguments name a colleague.
_COLLEAGUES = frozenset({"assignee_id", "owner_id", "member_id"})
_HOLD: Mapping[str, LiteralString] = {
    "member": "",
    "lead": " FOR UPDATE OF l",
    "conversation": " FOR UPDATE OF v",
}
_LONGEST_NAME = 120


async def find_touched(
    tx: Tx, arguments: Mapping[str, Any], *, lock: bool = False
) -> tuple[list[Touched], list[str]]:
    """The records that the arguments name, and the fields that name one that is not there.

    `lock` keeps them as they are until the transaction ends.
    """
    found, missing = [], []
    for field, kind, id in sorted(_named(arguments), key=lambda named: (named[1], named[2])):
        query = _FIND[kind] + _HOLD.get(kind, " FOR UPDATE") if lock else _FIND[kind]
        row = await tx.find(_Found, query, id=id)
        if row is None:
            missing.append(field)
        else:
            found.append(Touched(field, kind, id, row.name[:_LONGEST_NAME], row.version))
    return found, missing


def _named(arguments: Mapping[str, Any]) -> list[tuple[str, str, UUID]]:
    named = []
    for field, value in arguments.items():
        kind = _kind(field, arguments)
        if kind not in _FIND:
            continue
        try:
            named.append((field, kind, UUID(str(value))))
        except ValueError:
            continue
    return named


def _kind(field: str, arguments: Mapping[str, Any]) -> str:
    """What an argument names, or nothing that is known here."""
    if field in _COLLEAGUES:
        return "member"
    if field == "record_id":
        return str(arguments.get("record_kind"))
    return field.removesuffix("_id") if field.endswith("_id") else ""
