"""API keys: a secret that acts as one member of one organization."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core import clock
from core.principal import Principal
from crm.identity.models import Role, member_principal
from events.ids import ApiKeyId, OrganizationId, UserId

# How exact `last_used_at` is: a key that calls all day writes once in this while.
USE_NOTED_EVERY = timedelta(minutes=5)


@dataclass(frozen=True)
class ApiKey:
    """What can be shown of a key; the secret itself is shown once and never stored.

    `scopes` is None for a key that may do whatever its person may, now and later.
    """

    id: ApiKeyId
    user_id: UserId
    name: str
    prefix: str
    scopes: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @property
    def is_in_force(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > clock.now())


@dataclass(frozen=True)
class KeyHolder:
    """The member behind a key that is in force."""

    key_id: ApiKeyId
    user_id: UserId
    organization_id: OrganizationId
    role: Role
    scopes: list[str] | None
    last_used_at: datetime | None

    @property
    def principal(self) -> Principal:
        """The member as far as the key reaches: never further than the member does today."""
        return member_principal(self.user_id, self.organization_id, self.role, within=self.scopes)

    @property
    def is_use_unnoted(self) -> bool:
        """Whether the key's last use was noted too long ago to leave it at that."""
        return self.last_used_at is None or self.last_used_at < clock.now() - USE_NOTED_EVERY


@dataclass(frozen=True)
class Credential:
    """A session or a key that is in force, by its id, and the member it lets in."""

    id: UUID
    principal: Principal
