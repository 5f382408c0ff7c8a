"""A request of a person about their own data, and what of theirs there is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from events.ids import ContactId, PrivacyRequestId

MANAGE = "privacy:manage"
# Where the files of exports lie in storage, apart from everything else.
EXPORTS = "exports"


class RequestKind(StrEnum):
    EXPORT = "export"
    ERASURE = "erasure"


class RequestStatus(StrEnum):
    """An erasure waits for a person who has seen what it would reach; the file of an export is forgotten after a while."""

    LOOKING = "looking"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True)
class Request:
    """`found` are rows by table that lead to the person, `quoted` those about others that quote them, `left_over` what
    of both an erasure left; `held` is what stays and why.

    `contact_name` is None once the person is erased.
    """

    id: PrivacyRequestId
    organization_id: UUID
    kind: RequestKind
    status: RequestStatus
    contact_id: ContactId
    contact_ids: list[UUID]
    contact_name: str | None
    why: str
    asked_by: UUID
    asked_by_name: str | None
    asked_at: datetime
    due_at: datetime
    confirmed_by: UUID | None
    found: Mapping[str, int]
    quoted: Mapping[str, int]
    left_over: Mapping[str, int]
    held: Mapping[str, str]
    blob_key: str | None
    size_bytes: int | None
    expires_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class Person:
    """The ids of everything that leads to a person, and the words that name nobody else.

    `runs` are those of agents for this person alone; `everything` are the ids of all rows that lead to them.
    """

    contacts: tuple[UUID, ...]
    conversations: tuple[UUID, ...] = ()
    leads: tuple[UUID, ...] = ()
    deals: tuple[UUID, ...] = ()
    runs: tuple[UUID, ...] = ()
    everything: tuple[UUID, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def ids(self) -> dict[str, list[UUID]]:
        """The parameters of the conditions in places.py."""
        return {
            "contacts": list(self.contacts),
            "conversations": list(self.conversations),
            "leads": list(self.leads),
            "deals": list(self.deals),
            "runs": list(self.runs),
            "subjects": [*self.contacts, *self.leads, *self.deals],
            "everything": list(self.everything),
        }
