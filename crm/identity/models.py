"""Organizations, members and the account behind a session."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from core.principal import Principal, PrincipalKind
from events.ids import OrganizationId, UserId


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    BIDI = "bidi"
    VIEWER = "viewer"


_READ = {
    "crm:read",
    "contacts:read",
    "companies:read",
    "deals:read",
    "tasks:read",
    "facts:read",
    "conversations:read",
    "knowledge:read",
}
_WRITE = {
    "contacts:write", "companies:write", "deals:write", "tasks:write", "facts:write",
    "conversations:write", "messages:send", "drafts:write", "drafts:approve",
}  # fmt: skip

SCOPES: dict[Role, frozenset[str]] = {
    Role.OWNER: frozenset({"*"}),
    Role.ADMIN: frozenset({"*"}),
    Role.SUPERVISOR: frozenset(_READ | _WRITE | {"knowledge:write", "fields:write", "imports:write"}),
    Role.BIDI: frozenset(_READ | _WRITE),
    Role.VIEWER: frozenset(_READ),
}


@dataclass(frozen=True)
class Organization:
    organization_id: OrganizationId
    slug: str
    name: str
    locale: str
    time_zone: str


@dataclass(frozen=True)
class Account:
    """Who is signed in, in which organization and with which role."""

    session_id: UUID
    user_id: UserId
    organization_id: OrganizationId
    member_id: UUID
    role: Role
    name: str
    email: str
    locale: str

    @property
    def principal(self) -> Principal:
        return member_principal(self.user_id, self.organization_id, self.role)


def member_principal(user_id: UserId, organization_id: OrganizationId, role: Role) -> Principal:
    """A member, however they signed in: their role says what they may do."""
    return Principal(PrincipalKind.USER, user_id, organization_id, scopes=SCOPES[Role(role)])
