"""Refresh tokens of programs: each is good once, names its child, and a late second use ends the whole family.

Parallel calls of one program send the same token at once; within a leeway they all get the same child, so that nobody
is signed out by its own haste. Source: RFC 9700, section 4.14; the leeway is ours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core import clock, crypto
from core.db import Database, Tx
from core.ids import uuid7
from core.principal import Principal, PrincipalKind
from crm.identity.sessions import SessionKind, Sighting, insert_session
from events.ids import SessionId
from events.outbox import emit
from events.types import SessionOpened, SessionReused, SessionRevoked

LIFETIME = timedelta(days=7)
LEEWAY = timedelta(seconds=10)
# However busily it is refreshed, a program signs in again after so long.
LONGEST = timedelta(days=90)
_MARK = "gsr_"

# Makes the secret of a token from its id; only the server can, so that a child can be told twice and kept nowhere.
Derive = Callable[[UUID], str]


@dataclass(frozen=True)
class Holder:
    """Whose refresh token it is, in force or not; `organization_id` is where to look closer."""

    token_id: UUID
    organization_id: UUID
    user_id: UUID

    @property
    def principal(self) -> Principal:
        return Principal(PrincipalKind.USER, self.user_id, self.organization_id)


@dataclass(frozen=True)
class Refresh:
    """A session's newest refresh token."""

    session_id: SessionId
    secret: str
    expires_at: datetime


@dataclass(frozen=True)
class _Used:
    session_id: SessionId
    used_at: datetime | None
    child_id: UUID | None
    expires_at: datetime


def derive_with(key: str) -> Derive:
    return lambda token_id: _MARK + crypto.sign(key, f"refresh token {token_id}")


async def open_family(tx: Tx, derive: Derive, seen: Sighting) -> Refresh:
    """Sign the transaction's user in with a program."""
    session_id = SessionId(uuid7())
    await insert_session(tx, session_id, SessionKind.PROGRAM, seen, None)
    await emit(tx, SessionOpened(session_id))
    return await _insert(tx, derive, session_id, uuid7(), clock.now() + LIFETIME)


async def find_holder(db: Database, secret: str) -> Holder | None:
    """Whose token this is, used or not; None when it is none of ours."""
    rows = await db.look_up(
        "SELECT token_id, organization_id, user_id FROM refresh_token_holder(%(token_hash)s)",
        token_hash=crypto.hash_token(secret),
    )
    return Holder(**rows[0]) if rows else None


async def refresh(tx: Tx, derive: Derive, token_id: UUID) -> Refresh | None:
    """The child of a token: a new one, or within the leeway the one that a parallel call has got.

    None when it lets nobody in; a token that comes again later has then ended its session, in this transaction.
    """
    child_id = uuid7()
    # One atomic claim: of all that come at once one touches the row, the others wait for it and then touch none.
    claimed = await tx.value(
        """
        UPDATE refresh_tokens
           SET used_at = %(now)s, child_id = %(child_id)s
         WHERE id = %(token_id)s
           AND used_at IS NULL
           AND expires_at > %(now)s
        RETURNING session_id
        """,
        now=clock.now(),
        child_id=child_id,
        token_id=token_id,
    )
    if claimed is None:
        return await _again(tx, derive, token_id)
    session_id = SessionId(claimed)
    expires_at = await _extend(tx, session_id)
    return await _insert(tx, derive, session_id, child_id, expires_at) if expires_at else None


async def end_family(tx: Tx, token_id: UUID) -> None:
    """Sign a program out, by any token of its session."""
    session_id = await tx.value(
        """
        UPDATE sessions s
           SET revoked_at = now()
          FROM refresh_tokens t
         WHERE t.id = %(token_id)s
           AND s.organization_id = t.organization_id
           AND s.id = t.session_id
           AND s.revoked_at IS NULL
        RETURNING s.id
        """,
        token_id=token_id,
    )
    if session_id is not None:
        await emit(tx, SessionRevoked(SessionId(session_id)))


async def _extend(tx: Tx, session_id: SessionId) -> datetime | None:
    """Until when the session goes on; None when it has ended."""
    until: datetime | None = await tx.value(
        """
        UPDATE sessions s
           SET expires_at = least(%(now)s + %(lifetime)s, s.created_at + %(longest)s), last_seen_at = %(now)s
          FROM members m, users u
         WHERE s.id = %(session_id)s
           AND m.organization_id = s.organization_id
           AND m.user_id = s.user_id
           AND u.id = s.user_id
           AND u.disabled_at IS NULL
           AND s.revoked_at IS NULL
           AND s.expires_at > %(now)s
           AND s.created_at + %(longest)s > %(now)s
           AND s.created_at >= coalesce(greatest(u.signed_out_before, m.signed_out_before), s.created_at)
        RETURNING s.expires_at
        """,
        now=clock.now(),
        lifetime=LIFETIME,
        longest=LONGEST,
        session_id=session_id,
    )
    return until


async def _again(tx: Tx, derive: Derive, token_id: UUID) -> Refresh | None:
    used = await tx.one(
        _Used,
        """
        SELECT t.session_id, t.used_at, t.child_id, coalesce(child.expires_at, t.expires_at) AS expires_at
          FROM refresh_tokens t
          LEFT JOIN refresh_tokens child ON child.organization_id = t.organization_id AND child.id = t.child_id
         WHERE t.id = %(token_id)s
        """,
        token_id=token_id,
    )
    if used.used_at is None or used.child_id is None:
        return None
    if clock.now() - used.used_at <= LEEWAY:
        return Refresh(used.session_id, derive(used.child_id), used.expires_at)
    ended = await tx.execute(
        "UPDATE sessions SET revoked_at = now() WHERE id = %(id)s AND revoked_at IS NULL", id=used.session_id
    )
    if ended:
        await emit(tx, SessionReused(used.session_id))
    return None


async def _insert(
    tx: Tx, derive: Derive, session_id: SessionId, token_id: UUID, expires_at: datetime
) -> Refresh:
    secret = derive(token_id)
    await tx.execute(
        """
        INSERT INTO refresh_tokens (organization_id, id, session_id, token_hash, expires_at)
        VALUES (%(organization_id)s, %(id)s, %(session_id)s, %(token_hash)s, %(expires_at)s)
        """,
        organization_id=tx.organization_id,
        id=token_id,
        session_id=session_id,
        token_hash=crypto.hash_token(secret),
        expires_at=expires_at,
    )
    return Refresh(session_id, secret, expires_at)
