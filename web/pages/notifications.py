"""What one was told: the list, the bell in the navigation, and reading."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from crm.notifications import actions as notifications
from crm.notifications import queries
from events.ids import NotificationId
from web.pages import records
from web.viewer import CurrentSession

router = APIRouter(prefix="/notifications")
# Where the pages of what is told about are.
_PLACES = {
    "task": "/tasks",
    "meeting": "/meetings",
    "webhook": "/settings/webhooks",
    "approval": "/approvals",
    "conversation": "/inbox",
}


@router.get("")
async def show_notifications(session: CurrentSession, cursor: str = "", part: str = "") -> Response:
    page = await queries.list_notifications(session.tx, cursor=cursor or None)
    if part == "list":
        return session.page("notifications/_list.html", told=page)
    frame = await records.frame(session, "notifications")
    return session.page("notifications/index.html", told=page, **frame)


@router.get("/bell")
async def show_bell(session: CurrentSession) -> Response:
    """The entry of the navigation with the number of unread ones."""
    return session.page("components/_bell.html", section="")


@router.post("/reading")
async def read_all(session: CurrentSession) -> Response:
    await notifications.mark_all_read(session.tx)
    return RedirectResponse("/notifications", 303)


@router.post("/{notification_id}/reading")
async def read(session: CurrentSession, notification_id: NotificationId) -> Response:
    """Read it and go to what it is about."""
    told = await notifications.mark_read(session.tx, notification_id)
    return RedirectResponse(f"{_PLACES[told.subject_kind]}/{told.subject_id}", 303)
