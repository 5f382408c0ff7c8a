"""Signing up: an address shows that it is somebody's before there is an account, and then gets an organization."""

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from core import clock, crypto
from core.db import Database, Tx
from core.errors import Conflict, NotFound, Unprocessable
from core.ids import uuid7
from crm.identity import mails
from crm.identity.actions import add_user, create_organization
from crm.identity.letters import letter
from crm.identity.models import Role
from events import due
from events.ids import OrganizationId, SignUpId, UserId
from events.outbox import emit
from events.types import SignUpRequested

LIFETIME = timedelta(days=2)
FORGET = "sign_up.forget"
_OVER = "This link was used or is older than two days; sign up again."


@dataclass(frozen=True)
class NewSignUp:
    """What somebody says of themselves; the password is hashed already."""

    email: str
    name: str
    password_hash: str
    organization_name: str
    locale: str


@dataclass(frozen=True)
class _Claimed:
    email: str
    name: str
    password_hash: str
    organization_name: str
    locale: str


def require_names(new_name: str, organization_name: str) -> None:
    """Raises: Unprocessable, naming what is missing."""
    if not new_name.strip():
        raise Unprocessable("A person needs a name; write how colleagues call you.", field="name")
    if not organization_name.strip():
        raise Unprocessable("The organization needs a name; you can change it later.", field="organization")


async def request_sign_up(tx: Tx, new: NewSignUp, *, site: str, key: str) -> None:
    """Keep a sign-up in the organization to be, whose id the transaction carries, and mail its link."""
    sign_up_id, token = SignUpId(uuid7()), crypto.new_token()
    expires_at = clock.now() + LIFETIME
    await tx.execute(
        """
        INSERT INTO sign_ups (organization_id, id, token_hash, email, name, password_hash, organization_name, locale,
                              expires_at)
        VALUES (%(organization_id)s, %(id)s, %(token_hash)s, lower(%(email)s), %(name)s, %(password_hash)s,
                %(organization_name)s, %(locale)s, %(expires_at)s)
        """,
        organization_id=tx.organization_id,
        id=sign_up_id,
        token_hash=crypto.hash_token(token),
        email=new.email,
        name=new.name,
        password_hash=new.password_hash,
        organization_name=new.organization_name,
        locale=new.locale,
        expires_at=expires_at,
    )
    await due.schedule(tx, FORGET, sign_up_id, expires_at)
    await emit(tx, SignUpRequested(sign_up_id))
    link = f"{site}/sign-up/confirmation?token={token}"
    confirm = letter("verification", new.locale, name=new.name, organization=new.organization_name, link=link)
    await mails.queue_mail(tx, new.email, confirm, key=key)


async def tell_owner(tx: Tx, email: str, locale: str, *, site: str, key: str) -> None:
    """Somebody signed up with an address that has an account: only its owner hears of it."""
    known = letter("account_exists", locale, link=f"{site}/session/new")
    await mails.queue_mail(tx, email, known, key=key)


async def find_organization(db: Database, token: str) -> OrganizationId | None:
    """The organization to be that a link belongs to, or None."""
    rows = await db.look_up(
        "SELECT organization_of_sign_up(%(token_hash)s) AS id", token_hash=crypto.hash_token(token)
    )
    return OrganizationId(rows[0]["id"]) if rows[0]["id"] else None


async def confirm_sign_up(tx: Tx, token: str) -> UserId:
    """Make the organization and its owner; the link is used up.

    Raises: NotFound for a link that is used, over or none; Conflict when the address has got an account meanwhile.
    """
    claimed = await tx.find(
        _Claimed,
        """
        UPDATE sign_ups
           SET used_at = %(now)s
         WHERE token_hash = %(token_hash)s
           AND used_at IS NULL
           AND expires_at > %(now)s
        RETURNING email, name, password_hash, organization_name, locale
        """,
        token_hash=crypto.hash_token(token),
        now=clock.now(),
    )
    if claimed is None:
        raise NotFound(_OVER)
    await create_organization(
        tx,
        slug=new_slug(claimed.organization_name),
        name=claimed.organization_name,
        locale=claimed.locale,
        time_zone="UTC",
    )
    try:
        return await add_user(
            tx,
            email=claimed.email,
            name=claimed.name,
            password_hash=claimed.password_hash,
            role=Role.OWNER,
            locale=claimed.locale,
        )
    except Unprocessable as err:
        raise Conflict(f"{claimed.email} already has an account; sign in with it.") from err


async def forget_sign_up(tx: Tx, sign_up_id: SignUpId) -> None:
    """Nothing stays of somebody who never showed that the address is theirs, nor of what they wrote when they did."""
    await tx.execute("DELETE FROM sign_ups WHERE id = %(sign_up_id)s", sign_up_id=sign_up_id)
    await tx.execute(
        """
        DELETE FROM system_mails
         WHERE kind = 'verification'
           AND status IN ('sent', 'kept', 'failed', 'unknown')
        """
    )


def new_slug(name: str) -> str:
    """A name for addresses that nobody else has."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return f"{words or 'team'}-{secrets.token_hex(3)}"
