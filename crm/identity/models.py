"""Organizations, members and the account behind a session."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from core.errors import Forbidden
from core.principal import Origin, Principal, PrincipalKind, Visibility
from crm.identity.roles import ALL_SCOPES as ALL_SCOPES
from crm.identity.roles import ASSIGNED_ONLY
from crm.identity.roles import SCOPES as SCOPES
from crm.identity.roles import Role as Role
from events.ids import OrganizationId, UserId


@dataclass(frozen=True)
class Organization:
    organization_id: OrganizationId
    slug: str
    name: str
    locale: str
    time_zone: str
    working_hours: Mapping[str, list[str]] = field(default_factory=dict)
    holidays: Sequence[date] = ()


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
    # '' is whatever the organization's is
    time_zone: str = ""
    # let in by the organization's own issuer: the account itself is not theirs to change
    is_confined: bool = False
    origin: Origin | None = None

    def require_whole(self) -> None:
        """Raises: Forbidden for whoever the organization's own issuer has let in."""
        if self.is_confined:
            raise Forbidden(
                "You came in by your organization's sign-in service; sign in with your password to do this."
            )

    @property
    def principal(self) -> Principal:
        person = member_principal(self.user_id, self.organization_id, self.role)
        return person.coming_from(self.origin) if self.origin else person


def member_principal(
    user_id: UserId, organization_id: OrganizationId, role: Role, *, within: Collection[str] | None = None
) -> Principal:
    """A member, however they signed in: their role says what they may do and see; `within` leaves some of the doing."""
    scopes = SCOPES[Role(role)]
    if within is not None:
        scopes = frozenset(scope for scope in within if scope in scopes or "*" in scopes)
    visibility = Visibility.ASSIGNED if role in ASSIGNED_ONLY else Visibility.ALL
    return Principal(PrincipalKind.USER, user_id, organization_id, scopes=scopes, visibility=visibility)
