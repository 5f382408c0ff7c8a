"""Reading organizations, members and sessions; the lookups that run before a tenant is known."""

from dataclasses import dataclass
from uuid import UUID

from core import crypto
from core.db import Database, Tx
from core.errors import Unprocessable
from crm.identity.models import Account, Organization, Role
from events.ids import MemberId, OrganizationId, UserId


@dataclass(frozen=True)
class Credentials:
    """What a sign-in is checked against; `issuer` vouches for whoever brings no password."""

    user_id: UserId
    organization_id: OrganizationId
    password_hash: str
    issuer: str = ""
    # the issuer is the organization's own: it lets people in there, and nowhere else
    is_confined: bool = False

    @property
    def has_password(self) -> bool:
        return self.password_hash.startswith("$argon2")


@dataclass(frozen=True)
class Member:
    id: UUID
    user_id: UserId
    name: str
    role: Role
    is_disabled: bool = False

    def may(self, scope: str) -> bool:
        """Whether they can be asked to do what takes this permission."""
        return not self.is_disabled and self.role.may(scope)


@dataclass(frozen=True)
class Membership:
    """An organization somebody belongs to, as the switcher offers it."""

    organization_id: OrganizationId
    slug: str
    name: str
    role: Role


@dataclass(frozen=True)
class Person:
    """Whom a mail is written to."""

    email: str
    name: str
    locale: str


async def get_person(tx: Tx, user_id: UserId) -> Person:
    """A member of this organization. Raises: NotFound."""
    return await tx.one(
        Person, "SELECT email, name, locale FROM users WHERE id = %(user_id)s", user_id=user_id
    )


async def get_organization(tx: Tx) -> Organization:
    """The organization of this transaction."""
    return await tx.one(
        Organization,
        "SELECT organization_id, slug, name, locale, time_zone, working_hours, holidays FROM organizations",
    )


async def list_members(tx: Tx) -> list[Member]:
    """Everybody who has not left."""
    return await tx.all(
        Member,
        """
        SELECT id, user_id, name, role, disabled_at IS NOT NULL AS is_disabled
          FROM members
         WHERE removed_at IS NULL
         ORDER BY created_at, id
        """,
    )


async def require_member(tx: Tx, member_id: UUID, *, field: str = "owner_id") -> None:
    """Raises: Unprocessable when nobody who is here and not disabled has this id."""
    is_here = await tx.value(
        "SELECT true FROM members WHERE id = %(member_id)s AND disabled_at IS NULL AND removed_at IS NULL",
        member_id=member_id,
    )
    if not is_here:
        raise Unprocessable(
            f"There is no member {member_id}; choose somebody of the organization.", field=field
        )


async def find_member_id(tx: Tx, user_id: UUID) -> MemberId | None:
    """The membership of a user here; None for a seat or the product itself."""
    found: MemberId | None = await tx.value(
        "SELECT id FROM members WHERE user_id = %(user_id)s", user_id=user_id
    )
    return found


async def find_member(tx: Tx, email: str) -> Member | None:
    """The member of this organization who signs in with this email, or None."""
    return await tx.find(
        Member,
        """
        SELECT m.id, m.user_id, m.name, m.role, m.disabled_at IS NOT NULL AS is_disabled
          FROM members m
          JOIN users u ON u.id = m.user_id
         WHERE u.email = lower(%(email)s)
           AND m.removed_at IS NULL
        """,
        email=email,
    )


async def find_credentials(db: Database, email: str) -> Credentials | None:
    """Look an email up in every organization, through a function that returns nothing else."""
    rows = await db.look_up(
        "SELECT user_id, password_hash, organization_id FROM login_account(%(email)s)", email=email
    )
    return Credentials(**rows[0]) if rows else None


async def find_session(db: Database, token: str) -> Account | None:
    """The account behind a session token, or None when it has ended."""
    rows = await db.look_up(
        """
        SELECT session_id, user_id, organization_id, member_id, role, name, email, locale, time_zone, is_confined
          FROM session_account(%(token_hash)s)
        """,
        token_hash=crypto.hash_token(token),
    )
    return Account(**rows[0]) if rows else None


async def list_memberships(db: Database, user_id: UserId) -> list[Membership]:
    """Where a person may go: every organization that they are a member of, by name."""
    rows = await db.look_up(
        "SELECT organization_id, slug, name, role FROM organizations_of_user(%(user_id)s)", user_id=user_id
    )
    return [Membership(**(row | {"role": Role(row["role"])})) for row in rows]


async def find_organization_id(db: Database, slug: str) -> OrganizationId | None:
    """The organization with this slug, or None."""
    rows = await db.look_up("SELECT organization_by_slug(%(slug)s) AS id", slug=slug)
    return OrganizationId(rows[0]["id"]) if rows[0]["id"] else None


async def list_organization_ids(db: Database) -> list[OrganizationId]:
    """All organizations; only the worker may ask."""
    rows = await db.look_up("SELECT all_organizations() AS id")
    return [OrganizationId(row["id"]) for row in rows]
