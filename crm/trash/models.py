"""What lies in the trash."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from core.principal import PrincipalKind


class TrashKind(StrEnum):
    """What is deleted so that it can be restored, in the order in which kinds are offered."""

    CONTACT = "contact"
    COMPANY = "company"
    DEAL = "deal"
    LEAD = "lead"
    TASK = "task"
    MEETING = "meeting"
    NOTE = "note"
    FILE = "file"
    DOCUMENT = "document"

    @property
    def plural(self) -> str:
        """How scopes call all of them."""
        match self:
            case TrashKind.COMPANY:
                return "companies"
            case TrashKind.DOCUMENT:
                return "knowledge"
            case _:
                return f"{self.value}s"


@dataclass(frozen=True)
class Trashed:
    """One thing in the trash. `about` is the name of the record that it hangs on; who deleted it is None where
    nobody in particular did, as when a merge put a second lead away."""

    kind: TrashKind
    id: UUID
    name: str
    about: str | None
    deleted_at: datetime
    deleted_by_kind: PrincipalKind | None
    deleted_by: str | None
