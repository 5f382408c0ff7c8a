"""Language and theme: kept for a member, and in cookies before anybody is signed in."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from api.deps import CurrentServices, MaybeAccount, remember_locale
from core.errors import Unprocessable
from crm.conversations.inbox import count_folders
from web import i18n
from web.viewer import LOCALE_COOKIE, THEME_COOKIE, THEMES, CurrentSession

router = APIRouter(prefix="/preferences")
_YEAR = 365 * 24 * 3600


@router.get("")
async def show_preferences(session: CurrentSession) -> Response:
    counts = await count_folders(session.tx)
    return session.page(
        "preferences/show.html",
        section="preferences",
        counts=counts,
        may_manage_webhooks=session.principal.may("webhooks:manage"),
    )


@router.post("")
async def change(
    account: MaybeAccount,
    services: CurrentServices,
    locale: Annotated[str, Form()] = "",
    theme: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "/inbox",
) -> Response:
    """Raises: Unprocessable for a language or a theme that is not there."""
    if (locale and locale not in i18n.LOCALES) or (theme and theme not in THEMES):
        raise Unprocessable("There is no such language or theme; choose one that the page offers.")
    response = RedirectResponse(safe_path(back), 303)
    for name, value in ((LOCALE_COOKIE, locale), (THEME_COOKIE, theme)):
        if value:
            response.set_cookie(
                name,
                value,
                max_age=_YEAR,
                httponly=True,
                samesite="lax",
                secure=services.settings.is_https,
            )
    if account is not None and locale:
        await remember_locale(services, account, locale)
    return response


def safe_path(path: str) -> str:
    """A path of this site, or the inbox: a form never leads anywhere else."""
    parts = urlsplit(path)
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc
    return path if is_ours and "\\" not in path else "/inbox"
