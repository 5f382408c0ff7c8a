"""Sessions: where somebody is signed in, page by cookie or program by token, and what ends one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core import clock, crypto
from core.db import Tx
from core.errors import NotFound
from core.ids import uuid7
from crm.identity.models import Account
from events.ids import SessionId, UserId
from events.outbox import emit
from events.types import SessionRevoked, UserLoggedIn, UserLoggedOut

SESSION_LIFETIME = timedelta(days=7)
# How exact `last_seen_at` is: a page that is open all day writes once in this while.
SEEN_EVERY = timedelta(minutes=5)
_DEVICE_CHARACTERS = 200


class SessionKind(StrEnum):
    PAGE = "page"
    PROGRAM = "program"


@dataclass(frozen=True)
class Sighting:
    """Where a request comes from: its device as the browser names it, and its address."""

    device: str = ""
    address: str = ""

    @classmethod
    def of(cls, device: str, address: str) -> "Sighting":
        return cls(device[:_DEVICE_CHARACTERS], address[:_DEVICE_CHARACTERS])


@dataclass(frozen=True)
class OpenSession:
    """A session that is in force, as its person sees it."""

    id: SessionId
    kind: SessionKind
    device: str
    address: str
    created_at: datetime
    last_seen_at: datetime


async def open_session(
    tx: Tx, seen: Sighting | None = None, *, issuer: str = "", is_confined: bool = False
) -> str:
    """Open a page's session for the transaction's user and return its token; only the hash is kept."""
    token = crypto.new_token()
    page = SessionKind.PAGE
    await insert_session(tx, SessionId(uuid7()), page, seen or Sighting(), token, is_confined=is_confined)
    await emit(tx, UserLoggedIn(UserId(tx.principal.id)), {"issuer": (None, issuer)} if issuer else None)
    return token


async def insert_session(
    tx: Tx,
    session_id: SessionId,
    kind: SessionKind,
    seen: Sighting,
    token: str | None,
    *,
    is_confined: bool = False,
) -> None:
    """A row for the transaction's user; a program's session has no token of its own."""
    await tx.execute(
        """
        INSERT INTO sessions (organization_id, id, user_id, kind, token_hash, device, address, expires_at,
                              is_confined)
        VALUES (%(organization_id)s, %(id)s, %(user_id)s, %(kind)s, %(token_hash)s, %(device)s, %(address)s,
                %(expires_at)s, %(is_confined)s)
        """,
        organization_id=tx.organization_id,
        id=session_id,
        user_id=tx.principal.id,
        kind=kind,
        token_hash=crypto.hash_token(token) if token else None,
        device=seen.device,
        address=seen.address,
        expires_at=clock.now() + SESSION_LIFETIME,
        is_confined=is_confined,
    )


async def is_new_place(tx: Tx, device: str | None = None) -> bool:
    """Whether the transaction's user has signed in before, here (with this device, if one is named) or elsewhere only."""
    known, any_other = await tx.value(
        """
        SELECT ARRAY[bool_or(device = %(device)s), count(*) > 0]
          FROM sessions
         WHERE user_id = %(user_id)s
        """,
        device=device,
        user_id=tx.principal.id,
    )
    return bool(any_other and not known)


async def close_session(tx: Tx, account: Account) -> None:
    """End the account's session at once."""
    await tx.execute(
        "UPDATE sessions SET revoked_at = now() WHERE id = %(id)s AND revoked_at IS NULL",
        id=account.session_id,
    )
    await emit(tx, UserLoggedOut(account.user_id))


async def note_seen(tx: Tx, session_id: SessionId, seen: Sighting) -> None:
    """Remember when and from where a session was used last; of many requests at once only the first writes."""
    await tx.execute(
        """
        UPDATE sessions
           SET last_seen_at = %(now)s, device = %(device)s, address = %(address)s
         WHERE id = %(session_id)s
           AND last_seen_at < %(noted_before)s
        """,
        now=clock.now(),
        device=seen.device,
        address=seen.address,
        session_id=session_id,
        noted_before=clock.now() - SEEN_EVERY,
    )


async def list_open_sessions(tx: Tx) -> list[OpenSession]:
    """Where the transaction's user is signed in to this organization, the one used last first."""
    return await tx.all(
        OpenSession,
        """
        SELECT s.id, s.kind, s.device, s.address, s.created_at, s.last_seen_at
          FROM sessions s
          JOIN members m ON m.organization_id = s.organization_id AND m.user_id = s.user_id
          JOIN users u ON u.id = s.user_id
         WHERE s.user_id = %(user_id)s
           AND s.revoked_at IS NULL
           AND s.expires_at > now()
           AND s.created_at >= coalesce(greatest(u.signed_out_before, m.signed_out_before), s.created_at)
         ORDER BY s.last_seen_at DESC, s.id DESC
        """,
        user_id=tx.principal.id,
    )


async def revoke_session(tx: Tx, session_id: SessionId) -> None:
    """End one of one's own sessions at once; a second call changes nothing.

    Raises: NotFound, also for somebody else's.
    """
    is_own = await tx.value(
        "SELECT true FROM sessions WHERE id = %(id)s AND user_id = %(user_id)s",
        id=session_id,
        user_id=tx.principal.id,
    )
    if not is_own:
        raise NotFound("No such session of yours; the list shows those that are open.")
    await _revoke(tx, [session_id])


async def revoke_other_sessions(tx: Tx, session_id: SessionId) -> int:
    """End all of one's sessions but this one; returns how many."""
    others = [one.id for one in await list_open_sessions(tx) if one.id != session_id]
    await _revoke(tx, others)
    return len(others)


async def _revoke(tx: Tx, session_ids: Sequence[SessionId]) -> None:
    for session_id in session_ids:
        ended = await tx.execute(
            "UPDATE sessions SET revoked_at = now() WHERE id = %(id)s AND revoked_at IS NULL", id=session_id
        )
        if ended:
            await emit(tx, SessionRevoked(session_id))
