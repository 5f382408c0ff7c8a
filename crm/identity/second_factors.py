"""A second factor: codes of an authenticator app, each good once, and recovery codes for when it is lost."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyotp

from core import clock, crypto, envelopes
from core.db import Tx
from core.envelopes import Keyring, Place
from core.errors import Conflict, Unauthorized
from core.ids import uuid7
from events.ids import UserId
from events.outbox import emit
from events.types import (
    RecoveryCodesRenewed,
    RecoveryCodeUsed,
    SecondFactorDisabled,
    SecondFactorEnabled,
)

ISSUER = "GetSale"
STEP_SECONDS = 30
# Source: RFC 6238, section 5.2: one step for clocks that are a little off.
_STEPS_OFF = (0, -1, 1)
RECOVERY_CODES = 10
_WRONG = "The code is wrong, or was used before; take the next one."


class SecondFactorRequired(Unauthorized):
    """The password is right, and a code is needed beside it."""

    code = "second_factor_required"


@dataclass(frozen=True)
class SecondFactor:
    """Whether a person signs in with a second factor; not confirmed, it is being set up and asks for nothing yet."""

    confirmed_at: datetime | None
    codes_left: int = 0

    @property
    def is_on(self) -> bool:
        return self.confirmed_at is not None


@dataclass(frozen=True)
class _Kept:
    secret: bytes
    confirmed_at: datetime | None


async def find_second_factor(tx: Tx, user_id: UserId) -> SecondFactor | None:
    return await tx.find(
        SecondFactor,
        """
        SELECT f.confirmed_at,
               (SELECT count(*) FROM recovery_codes c WHERE c.user_id = f.user_id AND c.used_at IS NULL) AS codes_left
          FROM second_factors f
         WHERE f.user_id = %(user_id)s
        """,
        user_id=user_id,
    )


async def is_on(tx: Tx, user_id: UserId) -> bool:
    found = await find_second_factor(tx, user_id)
    return found is not None and found.is_on


async def begin(tx: Tx, user_id: UserId, *, keys: Keyring) -> None:
    """Make a secret for an app; it counts once a code of the app has come. Raises: Conflict when one counts already."""
    made = await tx.execute(
        """
        INSERT INTO second_factors AS f (user_id, secret)
        VALUES (%(user_id)s, %(secret)s)
        ON CONFLICT (user_id) DO UPDATE
           SET secret = EXCLUDED.secret, last_step = 0
         WHERE f.confirmed_at IS NULL
        """,
        user_id=user_id,
        secret=envelopes.seal(keys, pyotp.random_base32(), _place(user_id)),
    )
    if not made:
        raise Conflict("Your second factor is on already; turn it off to set up another app.")


async def provisioning_uri(tx: Tx, user_id: UserId, email: str, *, keys: Keyring) -> str:
    """What the QR code of a secret that is being set up says. Raises: NotFound; Conflict once it is confirmed."""
    kept = await _get(tx, user_id)
    if kept.confirmed_at is not None:
        raise Conflict("Your second factor is on already; turn it off to set up another app.")
    secret = envelopes.unseal(keys, kept.secret, _place(user_id))
    return pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=email, issuer_name=ISSUER)


async def confirm(tx: Tx, user_id: UserId, code: str, *, keys: Keyring) -> Sequence[str]:
    """Turn the second factor on with the first code of the app; returns the recovery codes, this once.

    Raises: NotFound when none was begun; Unauthorized for a wrong code; Conflict when it is on already.
    """
    kept = await _get(tx, user_id)
    if kept.confirmed_at is not None:
        raise Conflict("Your second factor is on already; turn it off to set up another app.")
    await _use_app_code(tx, user_id, kept, code, keys=keys)
    await tx.execute(
        "UPDATE second_factors SET confirmed_at = %(now)s WHERE user_id = %(user_id)s",
        user_id=user_id,
        now=clock.now(),
    )
    await emit(tx, SecondFactorEnabled(user_id))
    return await _renew_codes(tx, user_id, keys=keys)


async def renew_codes(tx: Tx, user_id: UserId, code: str, *, keys: Keyring) -> Sequence[str]:
    """New recovery codes in place of the old ones, for whoever has a code of the app. Raises: NotFound; Unauthorized."""
    await _use_app_code(tx, user_id, await _get(tx, user_id), code, keys=keys)
    await emit(tx, RecoveryCodesRenewed(user_id))
    return await _renew_codes(tx, user_id, keys=keys)


async def disable(tx: Tx, user_id: UserId, code: str, *, keys: Keyring) -> None:
    """Turn it off, with a code of either kind. Raises: NotFound; Unauthorized."""
    await use_code(tx, user_id, code, keys=keys)
    await tx.execute("DELETE FROM recovery_codes WHERE user_id = %(user_id)s", user_id=user_id)
    await tx.execute("DELETE FROM second_factors WHERE user_id = %(user_id)s", user_id=user_id)
    await emit(tx, SecondFactorDisabled(user_id))


async def use_code(tx: Tx, user_id: UserId, code: str, *, keys: Keyring) -> None:
    """Use a code up: one of the app, or one of recovery. Raises: Unauthorized for one that is wrong or was used."""
    plain = _plain(code)
    if plain.isdigit():
        await _use_app_code(tx, user_id, await _get(tx, user_id), plain, keys=keys)
        return
    used = await tx.execute(
        """
        UPDATE recovery_codes
           SET used_at = %(now)s
         WHERE user_id = %(user_id)s
           AND code_hash = ANY(%(code_hashes)s)
           AND used_at IS NULL
        """,
        user_id=user_id,
        code_hashes=[_code_hash(key, user_id, plain) for key in (keys.secret, *keys.old_secrets)],
        now=clock.now(),
    )
    if not used:
        raise Unauthorized(_WRONG)
    await emit(tx, RecoveryCodeUsed(user_id))


async def _get(tx: Tx, user_id: UserId) -> _Kept:
    kept = await tx.find(
        _Kept,
        "SELECT secret, confirmed_at FROM second_factors WHERE user_id = %(user_id)s",
        user_id=user_id,
    )
    if kept is None:
        raise Conflict("Your second factor is off; begin with setting an app up.")
    return kept


async def _use_app_code(tx: Tx, user_id: UserId, kept: _Kept, code: str, *, keys: Keyring) -> None:
    totp = pyotp.TOTP(envelopes.unseal(keys, kept.secret, _place(user_id)), interval=STEP_SECONDS)
    now = int(clock.now().timestamp()) // STEP_SECONDS
    plain = _plain(code)
    steps = [now + off for off in _STEPS_OFF if crypto.same(totp.generate_otp(now + off), plain)]
    # Compare and set: of all who bring one code at once, one moves the step, and nobody does so again.
    used = steps and await tx.execute(
        "UPDATE second_factors SET last_step = %(step)s WHERE user_id = %(user_id)s AND last_step < %(step)s",
        user_id=user_id,
        step=steps[0],
    )
    if not used:
        raise Unauthorized(_WRONG)


async def _renew_codes(tx: Tx, user_id: UserId, *, keys: Keyring) -> Sequence[str]:
    codes = [_new_code() for _ in range(RECOVERY_CODES)]
    await tx.execute("DELETE FROM recovery_codes WHERE user_id = %(user_id)s", user_id=user_id)
    await tx.execute_many(
        "INSERT INTO recovery_codes (user_id, id, code_hash) VALUES (%(user_id)s, %(id)s, %(code_hash)s)",
        [
            {"user_id": user_id, "id": uuid7(), "code_hash": _code_hash(keys.secret, user_id, _plain(code))}
            for code in codes
        ],
    )
    return codes


def _new_code() -> str:
    """Eighty random bits in letters and digits that are not mistaken for each other, at least one a letter."""
    while True:
        code = base64.b32encode(secrets.token_bytes(10)).decode().lower()
        if not code.isdigit():
            return "-".join(code[place : place + 4] for place in range(0, len(code), 4))


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()


def _code_hash(key: str, user_id: UserId, plain: str) -> bytes:
    """Keyed, so that a copy of the database alone is no list to try codes against."""
    return bytes.fromhex(crypto.sign(key, f"recovery code {user_id} {plain}"))


def _place(user_id: UserId) -> Place:
    """A person's own, whichever organization they are in."""
    return Place(None, "second_factors", user_id, "secret")
