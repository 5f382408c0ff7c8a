"""Organizations, members and the account behind a session."""

from collections.abc import Collection
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

    def may(self, scope: str) -> bool:
        """Whether who has this role has a permission."""
        return bool(SCOPES[self] & {"*", scope})


_READ = {
    "crm:read",
    "contacts:read",
    "companies:read",
    "leads:read",
    "deals:read",
    "tasks:read",
    "notes:read",
    "meetings:read",
    "files:read",
    "facts:read",
    "conversations:read",
    "knowledge:read",
}
_WRITE = {
    "contacts:write", "companies:write", "leads:write", "deals:write", "tasks:write", "notes:write", "meetings:write",
    "files:write", "facts:write", "conversations:write", "messages:send", "drafts:write", "drafts:approve",
    "suggestions:write", "views:write",
}  # fmt: skip

# What every member may do with what is theirs.
_OWN = {"api_keys:write"}
_MANAGE = {
    "api_keys:manage", "automation:manage", "bidi:instruct", "bidi:manage", "channel_accounts:manage", "evaluations:read",
    "evaluations:write", "fields:write", "imports:write", "knowledge:write", "language_models:manage",
    "pipelines:write", "policy:manage", "records:export", "webhooks:manage",
}  # fmt: skip
# Every permission there is; "*" stands for all of them.
ALL_SCOPES = frozenset(_READ | _WRITE | _OWN | _MANAGE)

SCOPES: dict[Role, frozenset[str]] = {
    Role.OWNER: frozenset({"*"}),
    Role.ADMIN: frozenset({"*"}),
    Role.SUPERVISOR: frozenset(
        _READ
        | _WRITE
        | _OWN
        | {"bidi:instruct", "knowledge:write", "fields:write", "imports:write", "pipelines:write"}
    ),
    Role.BIDI: frozenset(_READ | _WRITE | _OWN),
    Role.VIEWER: frozenset(_READ | _OWN),
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


def member_principal(
    user_id: UserId, organization_id: OrganizationId, role: Role, *, within: Collection[str] | None = None
) -> Principal:
    """A member, however they signed in: their role says what they may do, and `within` leaves some of it."""
    scopes = SCOPES[Role(role)]
    if within is not None:
        scopes = frozenset(scope for scope in within if scope in scopes or "*" in scopes)
    return Principal(PrincipalKind.USER, user_id, organization_id, scopes=scopes)
