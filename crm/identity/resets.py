"""A new password for somebody who has forgotten the old one: a link to their address, good once and for an hour."""

from datetime import timedelta

from core import clock, crypto
from core.db import Database, Tx
from core.errors import NotFound
from core.ids import uuid7
from crm.identity import mails, passwords
from crm.identity.letters import letter
from crm.identity.queries import get_person
from events.ids import OrganizationId, UserId
from events.outbox import emit
from events.types import PasswordResetRequested

LIFETIME = timedelta(hours=1)


async def request_reset(tx: Tx, user_id: UserId, *, site: str, key: str) -> None:
    """Mail a link to a member of the transaction's organization."""
    person, token = await get_person(tx, user_id), crypto.new_token()
    await tx.execute(
        """
        INSERT INTO password_resets (organization_id, id, user_id, token_hash, expires_at)
        VALUES (%(organization_id)s, %(id)s, %(user_id)s, %(token_hash)s, %(expires_at)s)
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        user_id=user_id,
        token_hash=crypto.hash_token(token),
        expires_at=clock.now() + LIFETIME,
    )
    await emit(tx, PasswordResetRequested(user_id))
    reset = letter("reset", person.locale, link=f"{site}/password/new?token={token}")
    await mails.queue_mail(tx, person.email, reset, key=key)


async def find_organization(db: Database, token: str) -> OrganizationId | None:
    """The organization that a link leads to, or None."""
    rows = await db.look_up(
        "SELECT organization_of_reset(%(token_hash)s) AS id", token_hash=crypto.hash_token(token)
    )
    return OrganizationId(rows[0]["id"]) if rows[0]["id"] else None


async def reset_password(tx: Tx, token: str, password_hash: str, *, site: str, key: str) -> None:
    """Set the password that the link was asked for; every link of that person is used up with it.

    Raises: NotFound for a link that is used, over or none.
    """
    user_id = await tx.value(
        """
        SELECT user_id
          FROM password_resets
         WHERE token_hash = %(token_hash)s
           AND used_at IS NULL
           AND expires_at > %(now)s
           FOR UPDATE
        """,
        token_hash=crypto.hash_token(token),
        now=clock.now(),
    )
    if user_id is None:
        raise NotFound("This link was used or is older than an hour; ask for a new one.")
    await tx.execute(
        "UPDATE password_resets SET used_at = %(now)s WHERE user_id = %(user_id)s AND used_at IS NULL",
        user_id=user_id,
        now=clock.now(),
    )
    await passwords.set_password(tx, UserId(user_id), password_hash)
    await tell_changed(tx, UserId(user_id), site=site, key=key)


async def tell_changed(tx: Tx, user_id: UserId, *, site: str, key: str) -> None:
    """Somebody whose password was changed hears of it, whoever did it."""
    person = await get_person(tx, user_id)
    changed = letter("password_changed", person.locale, link=f"{site}/password/forgotten")
    await mails.queue_mail(tx, person.email, changed, key=key)
