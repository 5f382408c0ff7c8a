"""Passwords: which ones will do, and changing one, which ends every session."""

from core import crypto
from core.db import Tx
from core.errors import Unprocessable
from core.principal import Principal, PrincipalKind
from crm.identity.queries import Credentials
from events.ids import UserId
from events.outbox import emit
from events.types import PasswordChanged

SHORTEST, LONGEST = 10, 200


def signing_in(credentials: Credentials) -> Principal:
    """The principal of a person whose password was just checked."""
    return Principal(PrincipalKind.USER, credentials.user_id, credentials.organization_id)


async def hash_new(password: str) -> str:
    """The hash of a password that somebody chose. Raises: Unprocessable when it is too short or too long."""
    if len(password) < SHORTEST:
        raise Unprocessable(
            f"The password is too short; use at least {SHORTEST} characters.", field="password"
        )
    if len(password) > LONGEST:
        raise Unprocessable(f"The password is too long; use at most {LONGEST} characters.", field="password")
    return await crypto.hash_password(password)


async def set_password(tx: Tx, user_id: UserId, password_hash: str) -> None:
    """Give the transaction's user another password; the database ends all of their sessions with it."""
    await tx.execute(
        "UPDATE users SET password_hash = %(password_hash)s WHERE id = %(user_id)s",
        password_hash=password_hash,
        user_id=user_id,
    )
    await emit(tx, PasswordChanged(user_id))
