"""Records to choose from while one types: what the search finds, and what it does not know of yet."""

from dataclasses import dataclass
from uuid import UUID

from core.db import Tx
from crm.search.models import FoundKind
from crm.search.queries import search
from events.ids import RecordKind
from web.links import find_records

MOST = 8


@dataclass(frozen=True)
class Suggestion:
    """A record that a field may lead to; `detail` tells it from others of its name."""

    id: UUID
    name: str
    detail: str = ""


async def suggest(tx: Tx, kind: RecordKind, text: str) -> list[Suggestion]:
    """The likeliest first, also with typos and in the other layout; some records where nothing is typed."""
    hits = (await search(tx, text, kinds=(FoundKind(kind),), limit=MOST)).hits
    found = {hit.id: Suggestion(hit.id, hit.title.text, hit.detail.text) for hit in hits}
    for id, name in await find_records(tx, kind, text):
        found.setdefault(id, Suggestion(id, name))
    return list(found.values())[:MOST]
