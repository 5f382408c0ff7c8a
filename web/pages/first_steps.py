"""The first steps of an organization, on a page of their own and above an empty inbox."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from crm.analytics import first_steps
from crm.conversations.inbox import count_folders
from web.viewer import CurrentSession

router = APIRouter(prefix="/first-steps")


@router.get("")
async def show_first_steps(session: CurrentSession) -> Response:
    return session.page(
        "first_steps/index.html",
        section="settings",
        counts=await count_folders(session.tx),
        steps=await first_steps.get_first_steps(session.tx),
    )


@router.post("/end")
async def put_away(session: CurrentSession) -> Response:
    await first_steps.put_first_steps_away(session.tx)
    return RedirectResponse("/inbox", 303)
