"""The mails that this installation has kept, where there is no mail server: the demo and whoever runs it read them here."""

import re
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from api.deps import CurrentServices
from core.errors import NotFound
from core.mail_folder import KeptMail, MailFolder
from web.viewer import CurrentVisit

router = APIRouter()
_LINK = re.compile(r"^https?://\S+$")


@dataclass(frozen=True)
class Line:
    """One line of a mail; a link that stands alone can be followed."""

    text: str
    is_link: bool


@router.get("/mails")
async def show_mails(visit: CurrentVisit, services: CurrentServices) -> Response:
    """Before anybody is signed in, for that is what the links are for. Raises: NotFound where it is not allowed."""
    if not services.settings.show_mails:
        raise NotFound("Mails are not shown here.")
    kept = await MailFolder(services.settings.data).list_newest()
    return visit.page("system_mails/index.html", mails=[(mail, _lines(mail)) for mail in kept])


def _lines(mail: KeptMail) -> list[Line]:
    return [Line(text, bool(_LINK.match(text))) for text in mail.text.strip().splitlines()]
