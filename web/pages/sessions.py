"""Where somebody is signed in: every browser and program, and the way to end one."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from crm.conversations.inbox import count_folders
from crm.identity import sessions
from events.ids import SessionId
from web.devices import device_name
from web.viewer import CurrentSession

router = APIRouter(prefix="/sessions")


@router.get("")
async def show_sessions(session: CurrentSession) -> Response:
    opened = await sessions.list_open_sessions(session.tx)
    return session.page(
        "sessions/index.html",
        section="preferences",
        counts=await count_folders(session.tx),
        sessions=opened,
        names={one.id: device_name(one.device, session.words) for one in opened},
        current_id=session.account.session_id,
    )


@router.post("/revocation")
async def revoke_others(session: CurrentSession) -> Response:
    await sessions.revoke_other_sessions(session.tx, SessionId(session.account.session_id))
    return RedirectResponse("/sessions", 303)


@router.post("/{session_id}/revocation")
async def revoke_one(session: CurrentSession, session_id: SessionId) -> Response:
    """Raises: NotFound for somebody else's."""
    await sessions.revoke_session(session.tx, session_id)
    return RedirectResponse("/sessions", 303)
