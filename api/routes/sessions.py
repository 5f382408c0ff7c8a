"""Sessions: where one is signed in."""

from datetime import datetime

from pydantic import Field

from api.deps import ApiTx
from api.errors import problems
from api.fields import Out
from api.nouns import Noun
from crm.identity import sessions
from crm.identity.sessions import SessionKind
from events.ids import SessionId

router = Noun(prefix="/sessions", tags=["signing in"])


class SessionOut(Out):
    id: SessionId
    kind: SessionKind
    device: str = Field(description="As it names itself.", examples=["Mozilla/5.0 (X11; Linux x86_64)"])
    address: str = Field(examples=["203.0.113.7"])
    created_at: datetime
    last_seen_at: datetime = Field(description="To five minutes; a program's to its last refresh.")


class SessionsOut(Out):
    items: list[SessionOut]
    next_cursor: str | None = Field(default=None, description="Always null: nobody has many.")


class RevokedOut(Out):
    id: SessionId
    is_revoked: bool = Field(default=True, examples=[True])


@router.get("", operation_id="list_sessions", summary="List one's own sessions in this organization")
async def list_sessions(tx: ApiTx) -> SessionsOut:
    """The one used last comes first."""
    return SessionsOut(
        items=[SessionOut.model_validate(one) for one in await sessions.list_open_sessions(tx)]
    )


@router.post(
    "/{session_id}/revocation",
    operation_id="revoke_session",
    summary="End one of one's own sessions at once",
    responses=problems(404),
)
async def revoke_session(tx: ApiTx, session_id: SessionId) -> RevokedOut:
    """What it opened (live pages, sockets) closes within five seconds."""
    await sessions.revoke_session(tx, session_id)
    return RevokedOut(id=session_id)
