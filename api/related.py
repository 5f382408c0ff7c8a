"""What several nouns send along on request: who is responsible for a record, and its tags."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic import Field

from api.fields import Out
from api.lists import Loader
from core.db import Tx
from crm.identity.queries import list_members
from crm.tags.queries import list_tags_of
from events.ids import MemberId, RecordKind, TagId


class OwnerOut(Out):
    id: MemberId
    name: str = Field(examples=["Anna Sever"])


class RecordTagOut(Out):
    id: TagId
    name: str = Field(examples=["Fair 2026"])
    tint: int = Field(description="One of eight colours of the pages, 0 to 7.")


async def owners(tx: Tx, records: Sequence[Any]) -> dict[UUID, OwnerOut]:
    """Who is responsible for each record that somebody is responsible for."""
    known = {member.id: OwnerOut.model_validate(member) for member in await list_members(tx)}
    return {record.id: known[record.owner_id] for record in records if record.owner_id in known}


def tags_of(kind: RecordKind) -> Loader:
    """The tags of records of one kind, by name."""

    async def tags(tx: Tx, records: Sequence[Any]) -> dict[UUID, list[RecordTagOut]]:
        found: dict[UUID, list[RecordTagOut]] = {record.id: [] for record in records}
        for tag in await list_tags_of(tx, kind, list(found)):
            found[tag.record_id].append(RecordTagOut.model_validate(tag))
        return found

    return tags
