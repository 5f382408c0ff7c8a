"""What is said of a request: which kinds of data there are of a person, and what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from crm.privacy.models import Request, RequestKind, RequestStatus
from crm.privacy.places import PLACES, Store
from web.phrases import N_

STORES: Mapping[Store, str] = {
    Store.RECORD: N_("The person: name, addresses, fields, tags"),
    Store.CONSENTS: N_("Consents"),
    Store.CONVERSATIONS: N_("Conversations, messages, drafts, attachments"),
    Store.SALES: N_("Leads and deals"),
    Store.ACTIVITIES: N_("Notes, tasks, meetings"),
    Store.FILES: N_("Files"),
    Store.KNOWLEDGE: N_("Facts and memories"),
    Store.AGENTS: N_("What agents did for them"),
    Store.COPILOT: N_("Chats with the copilot"),
    Store.HISTORY: N_("History: changed values, notifications, webhooks"),
    Store.IMPORTS: N_("Imports they came from"),
    Store.INDEXES: N_("Search and graph"),
    Store.ELSEWHERE: N_("Elsewhere"),
}
KINDS = {RequestKind.EXPORT: N_("Everything as a file"), RequestKind.ERASURE: N_("Erasure")}
STATES = {
    RequestStatus.LOOKING: N_("looking for it"),
    RequestStatus.WAITING: N_("waits for you"),
    RequestStatus.RUNNING: N_("going on"),
    RequestStatus.DONE: N_("done"),
    RequestStatus.FAILED: N_("failed"),
    RequestStatus.CANCELLED: N_("cancelled"),
    RequestStatus.FORGOTTEN: N_("file forgotten"),
}


@dataclass(frozen=True)
class Line:
    """Rows of one kind: those that lead to the person, those of others that quote them, what an erasure left."""

    label: str
    led: int
    quoted: int
    left: int


def lines_of(request: Request) -> list[Line]:
    """What there is of the person, kind by kind; kinds with nothing are left out."""
    lines = []
    for store, label in STORES.items():
        tables = {place.table for place in PLACES if place.store is store}
        line = Line(
            label, *(_sum(counts, tables) for counts in (request.found, request.quoted, request.left_over))
        )
        if line.led or line.quoted or line.left:
            lines.append(line)
    return lines


def _sum(counts: Mapping[str, int], tables: set[str]) -> int:
    return sum(counts.get(table, 0) for table in tables)
