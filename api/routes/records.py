"""What hangs on records of any kind: their timeline, and how a body names a record."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query
from pydantic import Field, model_validator

from api.deps import ApiTx
from api.errors import problems
from api.fields import Cursor, In, Limit, Out, PageOut
from api.nouns import Noun
from crm.records.models import RecordRef
from crm.timeline.models import ItemKind
from crm.timeline.queries import list_timeline
from events.ids import ConversationId, RecordKind

router = Noun(prefix="/records/{record_kind}/{record_id}", tags=["timeline"])


class AboutRecord(In):
    """A body that may name the record that it is about: both fields, or neither."""

    record_kind: RecordKind | None = Field(default=None, examples=["contact"])
    record_id: UUID | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.record_kind is None) != (self.record_id is None):
            raise ValueError("record_kind and record_id go together; send both or neither.")
        return self

    @property
    def record(self) -> RecordRef | None:
        if self.record_kind is None or self.record_id is None:
            return None
        return RecordRef(self.record_kind, self.record_id)


KindQuery = Annotated[RecordKind, Query(description="With `record_id`: keeps what hangs on this record.")]


def record_of(kind: RecordKind, record_id: UUID | None) -> RecordRef | None:
    """The record that a list is filtered by, if any."""
    return RecordRef(kind, record_id) if record_id else None


Kinds = Annotated[Sequence[ItemKind], Query(description="Keeps only these; may be repeated.")]


class ItemOut(Out):
    kind: ItemKind
    id: UUID
    at: datetime
    record_kind: RecordKind
    record_id: UUID = Field(description="What it hangs on: the record, or one that belongs to it.")
    record_name: str | None
    actor_kind: str = Field(examples=["user"])
    actor_id: UUID | None
    actor_name: str | None
    title: str = Field(description="Of a task, meeting or file; of a change the name of its event.")
    text: str
    status: str = Field(description="Of a task or meeting; of a message its direction.")
    conversation_id: ConversationId | None
    changed: list[str] = Field(description="The fields that a change changed.")
    stages: list[str | None] = Field(description="From which stage to which.")


@router.get(
    "/timeline",
    operation_id="get_timeline",
    summary="List what happened around a record, the newest first",
    responses=problems(404),
)
async def get_timeline(
    tx: ApiTx,
    record_kind: RecordKind,
    record_id: UUID,
    kind: Kinds = (),
    cursor: Cursor = None,
    limit: Limit = 25,
) -> PageOut[ItemOut]:
    """Messages, notes, tasks, meetings, files, changes of stages and of fields, also of what belongs to the record:
    the people and deals of a company, the deals of a contact."""
    page = await list_timeline(tx, RecordRef(record_kind, record_id), kind, cursor=cursor, limit=limit)
    return PageOut[ItemOut].of(page)
