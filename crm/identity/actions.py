"""Making organizations and users, signing in and out."""

from datetime import timedelta

from core import clock, crypto
from core.db import Database, Tx
from core.errors import Unauthorized, Unprocessable
from core.ids import uuid7
from core.principal import Principal, PrincipalKind
from crm.identity import queries
from crm.identity.models import Account, Role
from events.ids import OrganizationId, UserId
from events.outbox import emit
from events.types import OrganizationCreated, UserCreated, UserLoggedIn, UserLoggedOut

SESSION_LIFETIME = timedelta(days=7)
LOCALES = ("en", "ru")


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
    if len(password) < 10:
        raise Unprocessable("The password is too short; use at least 10 characters.", field="password")
    return await _insert_user(tx, email, name, await crypto.hash_password(password), role, locale)


async def create_stand_in(tx: Tx, *, name: str, role: Role, locale: str) -> UserId:
    """Make a member as whom nobody can sign in, for organizations in which only machines play.

    Raises: Unprocessable.
    """
    return await _insert_user(tx, f"{uuid7()}@stand-in.invalid", name, "no login", role, locale)


async def _insert_user(tx: Tx, email: str, name: str, password_hash: str, role: Role, locale: str) -> UserId:
    user_id = UserId(uuid7())
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
    await emit(tx, UserCreated(user_id))
    return user_id


async def check_password(db: Database, email: str, password: str) -> queries.Credentials:
    """Raises: Unauthorized, in the same time and words for unknown accounts and wrong passwords."""
    found = await queries.find_credentials(db, email)
    if not await crypto.verify_password(password, found.password_hash if found else None) or found is None:
        raise Unauthorized("The email or the password is wrong.")
    return found


def signing_in(credentials: queries.Credentials) -> Principal:
    """The principal of a person whose password was just checked."""
    return Principal(PrincipalKind.USER, credentials.user_id, credentials.organization_id)


async def open_session(tx: Tx) -> str:
    """Open a session for the transaction's user and return its token; only the hash is kept."""
    token = crypto.new_token()
    await tx.execute(
        """
        INSERT INTO sessions (organization_id, id, user_id, token_hash, expires_at)
        VALUES (%(organization_id)s, %(id)s, %(user_id)s, %(token_hash)s, %(expires_at)s)
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        user_id=tx.principal.id,
        token_hash=crypto.hash_token(token),
        expires_at=clock.now() + SESSION_LIFETIME,
    )
    await emit(tx, UserLoggedIn(UserId(tx.principal.id)))
    return token


async def close_session(tx: Tx, account: Account) -> None:
    """End the account's session at once."""
    await tx.execute(
        "UPDATE sessions SET revoked_at = now() WHERE id = %(id)s AND revoked_at IS NULL",
        id=account.session_id,
    )
    await emit(tx, UserLoggedOut(account.user_id))


async def set_locale(tx: Tx, account: Account, locale: str) -> None:
    """Raises: Unprocessable when the product does not speak the language."""
    if locale not in LOCALES:
        raise Unprocessable(f"The language {locale} is not one of {', '.join(LOCALES)}.", field="locale")
    await tx.execute(
        "UPDATE users SET locale = %(locale)s WHERE id = %(id)s", locale=locale, id=account.user_id
    )
