"""Making organizations and the people in them."""

from core.db import Tx
from core.errors import Unprocessable
from core.ids import uuid7
from crm.identity import passwords
from crm.identity.models import Role
from events.ids import OrganizationId, UserId
from events.outbox import emit
from events.types import OrganizationCreated, UserCreated


async def create_organization(tx: Tx, *, slug: str, name: str, locale: str, time_zone: str) -> OrganizationId:
    """Make the organization whose id the transaction already carries."""
    organization_id = OrganizationId(tx.organization_id)
    await tx.execute(
        """
        INSERT INTO organizations (organization_id, slug, name, locale, time_zone)
        VALUES (%(organization_id)s, %(slug)s, %(name)s, %(locale)s, %(time_zone)s)
        """,
        organization_id=organization_id,
        slug=slug,
        name=name,
        locale=locale,
        time_zone=time_zone,
    )
    await emit(tx, OrganizationCreated(organization_id))
    return organization_id


async def create_user(tx: Tx, *, email: str, name: str, password: str, role: Role, locale: str) -> UserId:
    """Make a user and its membership in this organization.

    Raises:
        Unprocessable: the email is taken, or the password is shorter than ten characters.
    """
    password_hash = await passwords.hash_new(password)
    return await add_user(tx, email=email, name=name, password_hash=password_hash, role=role, locale=locale)


async def create_stand_in(tx: Tx, *, name: str, role: Role, locale: str) -> UserId:
    """Make a member as whom nobody can sign in, for organizations in which only machines play.

    Raises: Unprocessable.
    """
    email = f"{uuid7()}@stand-in.invalid"
    return await add_user(tx, email=email, name=name, password_hash="no login", role=role, locale=locale)


async def add_user(tx: Tx, *, email: str, name: str, password_hash: str, role: Role, locale: str) -> UserId:
    """Make a user whose password was hashed before, and its membership here. Raises: Unprocessable."""
    user_id = UserId(uuid7())
    await add_account(tx, user_id, email=email, name=name, password_hash=password_hash, locale=locale)
    await tx.execute(
        """
        INSERT INTO members (organization_id, id, user_id, name, role)
        VALUES (%(organization_id)s, %(id)s, %(user_id)s, %(name)s, %(role)s)
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        user_id=user_id,
        name=name,
        role=role,
    )
    return user_id


async def add_account(
    tx: Tx, user_id: UserId, *, email: str, name: str, password_hash: str, locale: str
) -> None:
    """Make a user who is no member yet. Raises: Unprocessable for an address that has an account."""
    # RETURNING, or naming the column of the conflict, would need the right to read the row before it is a member's.
    inserted = await tx.execute(
        """
        INSERT INTO users (id, email, name, password_hash, locale)
        VALUES (%(id)s, lower(%(email)s), %(name)s, %(password_hash)s, %(locale)s)
        ON CONFLICT DO NOTHING
        """,
        id=user_id,
        email=email,
        name=name,
        password_hash=password_hash,
        locale=locale,
    )
    if not inserted:
        raise Unprocessable(f"{email} already has an account; sign in with it.", field="email")
    await emit(tx, UserCreated(user_id))
