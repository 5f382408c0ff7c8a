"""Passwords: which ones will do, and changing one, which ends every session."""

from zxcvbn import zxcvbn

from core import crypto
from core.db import Tx
from core.errors import Unprocessable
from core.layouts import other_layout
from core.principal import Principal, PrincipalKind
from crm.identity.queries import Credentials
from events.ids import UserId
from events.outbox import emit
from events.types import PasswordChanged

SHORTEST, LONGEST = 10, 200
# The estimator takes no more; 72 characters that are hard to guess are hard enough.
_LOOKED_AT = 72
# Of 0 to 4: below it fewer than a million guesses find the password.
_HARD_ENOUGH = 2


def signing_in(credentials: Credentials) -> Principal:
    """The principal of a person whose password was just checked."""
    return Principal(PrincipalKind.USER, credentials.user_id, credentials.organization_id)


async def hash_new(password: str) -> str:
    """The hash of a password that somebody chose. Raises: Unprocessable when it is too short, too long or easy
    to guess."""
    if len(password) < SHORTEST:
        raise Unprocessable(
            f"The password is too short; use at least {SHORTEST} characters.", field="password"
        )
    if len(password) > LONGEST:
        raise Unprocessable(f"The password is too long; use at most {LONGEST} characters.", field="password")
    if _is_easy(password):
        raise Unprocessable(
            "The password is easy to guess, as one of the most common or nearly; several words that have nothing to do"
            " with each other are harder.",
            field="password",
        )
    return await crypto.hash_password(password)


def _is_easy(password: str) -> bool:
    """Common passwords, repeats and rows of keys, also typed on the other layout: `йцукенгшщз` is `qwertyuiop`."""
    readings = {password, other_layout(password.lower())}
    return any(zxcvbn(reading[:_LOOKED_AT])["score"] < _HARD_ENOUGH for reading in readings if reading)


async def set_password(tx: Tx, user_id: UserId, password_hash: str) -> None:
    """Give the transaction's user another password; the database ends all of their sessions with it."""
    await tx.execute(
        "UPDATE users SET password_hash = %(password_hash)s WHERE id = %(user_id)s",
        password_hash=password_hash,
        user_id=user_id,
    )
    await emit(tx, PasswordChanged(user_id))
