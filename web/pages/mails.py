"""A whole mail, as text: its quotes and signature too, which the thread leaves out."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from crm.conversations import inbox
from crm.conversations.queries import list_attachments
from crm.conversations.whole_mail import get_whole_mail
from events.ids import MessageId
from web.viewer import CurrentSession

router = APIRouter()


@router.get("/mails/{message_id}")
async def show_mail(session: CurrentSession, message_id: UUID) -> Response:
    mail = await get_whole_mail(session.tx, MessageId(message_id))
    files = await list_attachments(session.tx, [message_id])
    counts = await inbox.count_folders(session.tx)
    return session.page("mails/show.html", section="inbox", counts=counts, mail=mail, files=files)
