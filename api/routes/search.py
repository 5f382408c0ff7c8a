"""Search: one box over everything that the caller may read."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

from api.deps import ApiTx
from api.fields import Limit, Out
from api.nouns import Noun
from crm.search import queries
from crm.search.models import FoundKind
from events.ids import ConversationId, RecordKind

router = Noun(prefix="/search", tags=["search"])
Words = Annotated[
    str,
    Query(
        max_length=200,
        pattern=r"^[^\x00]*$",
        description="Words, beginnings of words, digits or parts of an address. Typing errors, the wrong keyboard"
        " layout and the other alphabet are understood.",
        examples=["anna sever"],
    ),
]


class MarkedOut(Out):
    text: str = Field(examples=["Anna Petrova"])
    ranges: list[tuple[int, int]] = Field(
        description="The parts that were asked for: from (inclusive) and to (exclusive), in characters.",
        examples=[[[0, 4]]],
    )


class HitOut(Out):
    kind: FoundKind
    id: UUID
    title: MarkedOut = Field(
        description="The record's name; of a message the person it is from or to, of a note the record it is about."
    )
    detail: MarkedOut
    snippet: MarkedOut = Field(
        description="The part of its text, the handle, the tag or the custom value where words were found."
    )
    at: datetime = Field(description="When it was last changed, or said.")
    conversation_id: ConversationId | None = Field(
        validation_alias="thread_id", description="Of a message: where it was said."
    )
    record_kind: RecordKind | None = Field(
        description="Of a task, a meeting, a note or a file: the kind of record it hangs on."
    )
    record_id: UUID | None = Field(description="And which one.")
    score: float = Field(description="How well it fits; comparable within one answer only.")


class FoundOut(Out):
    items: list[HitOut] = Field(validation_alias="hits")
    understood: str = Field(
        description="The words as they were read, when that is not as they were typed; otherwise empty."
    )


@router.get("", operation_id="search", summary="Find records by words, the best first")
async def search(
    tx: ApiTx,
    q: Words = "",
    kinds: Annotated[
        list[FoundKind] | None, Query(max_length=20, description="Only these kinds; all when left out.")
    ] = None,
    limit: Limit = 20,
) -> FoundOut:
    """Kinds that the caller may not read are left out. No words, no hits."""
    found = await queries.search(tx, q, kinds=kinds or tuple(FoundKind), limit=limit)
    return FoundOut.model_validate(found)
