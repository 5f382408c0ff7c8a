"""What several nouns send along on request: who is responsible for a record, its tags, what its fields lead to."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from api.fields import Out
from api.lists import Loader
from core.db import Tx
from crm.custom_fields.links import linked_names
from crm.custom_fields.queries import list_custom_fields
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


class LinkOut(Out):
    kind: RecordKind = Field(examples=["company"])
    id: UUID
    name: str | None = Field(
        examples=["Lind Logistics"], description="Null where it is gone for good, or may not be read."
    )


# What the custom fields of kind record lead to, by their keys.
Links = Annotated[
    dict[str, LinkOut],
    Field(default={}, description="With `include=links`: what custom fields lead to, by their keys."),
]


def links_of(kind: RecordKind) -> Loader:
    """What the links among the custom fields of records of one kind lead to."""

    async def links(tx: Tx, records: Sequence[Any]) -> dict[UUID, dict[str, LinkOut]]:
        fields = await list_custom_fields(tx, kind)
        targets = {field.key: field.target_kind for field in fields if field.target_kind}
        names = await linked_names(tx, fields, [record.custom for record in records])
        return {
            record.id: {
                key: LinkOut(kind=targets[key], id=UUID(id), name=names.get(UUID(id)))
                for key, id in record.custom.items()
                if key in targets
            }
            for record in records
        }

    return links


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
