"""Setting up a second factor: an app is shown a QR code, its first code turns it on, and recovery codes are shown once."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import segno
from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api import accounts, doors, gate
from core.errors import AppError, Conflict, Limited, Unauthorized
from crm.conversations.inbox import count_folders
from crm.identity import mails, second_factors
from crm.identity.letters import letter
from web.phrases import N_
from web.refusals import refusal_text
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/profile/second-factor")
Code = Annotated[str, Form(max_length=100)]
TURNED_ON = N_("A second factor was turned on for your account.")
TURNED_OFF = N_("The second factor of your account was turned off.")


@router.get("")
async def show_second_factor(session: CurrentSession) -> Response:
    return await _page(session)


@router.post("")
async def begin(session: CurrentSession) -> Response:
    session.account.require_whole()
    await second_factors.begin(session.tx, session.account.user_id, keys=session.services.settings.keyring)
    return RedirectResponse("/profile/second-factor", 303)


@router.post("/confirmation")
async def confirm(request: Request, session: CurrentSession, code: Code = "") -> Response:
    session.account.require_whole()
    try:
        async with session.tx.savepoint():
            codes = await second_factors.confirm(
                session.tx, session.account.user_id, code, keys=session.services.settings.keyring
            )
            await _tell(request, session, TURNED_ON)
    except (Unauthorized, Conflict) as err:
        return await _page(session, err=err)
    return await _page(session, codes=codes)


@router.post("/recovery-codes")
async def renew(request: Request, session: CurrentSession, code: Code = "") -> Response:
    try:
        async with _counted(request, session), session.tx.savepoint():
            codes = await second_factors.renew_codes(
                session.tx, session.account.user_id, code, keys=session.services.settings.keyring
            )
    except (Unauthorized, Conflict, Limited) as err:
        return await _page(session, err=err)
    return await _page(session, codes=codes)


@router.post("/removal")
async def remove(request: Request, session: CurrentSession, code: Code = "") -> Response:
    try:
        async with _counted(request, session), session.tx.savepoint():
            await second_factors.disable(
                session.tx, session.account.user_id, code, keys=session.services.settings.keyring
            )
            await _tell(request, session, TURNED_OFF)
    except (Unauthorized, Conflict, Limited) as err:
        return await _page(session, err=err)
    return RedirectResponse("/profile/second-factor", 303)


def _counted(request: Request, session: Session) -> AbstractAsyncContextManager[bool]:
    """Wrong codes here count as wrong ones at the door. Raises: Limited."""
    services, account = session.services, session.account
    knock = doors.knock(request, services.settings, account.email)
    return gate.counted(services, knock, account)


async def _tell(request: Request, session: Session, what: str) -> None:
    """The person hears by mail of what was done in their name."""
    site = accounts.site_url_if_known(request, session.services.settings)
    said = session.words.gettext(what)
    news = letter("second_factor", session.words.locale, what=said, link=f"{site}/sessions")
    await mails.queue_mail(session.tx, session.account.email, news, key=_key(session))


async def _page(session: Session, *, err: AppError | None = None, codes: Sequence[str] = ()) -> Response:
    account = session.account
    factor = await second_factors.find_second_factor(session.tx, account.user_id)
    uri = ""
    if factor is not None and not factor.is_on:
        uri = await second_factors.provisioning_uri(
            session.tx, account.user_id, account.email, keys=session.services.settings.keyring
        )
    return session.page(
        "second_factor/show.html",
        status=err.status.value if err and err.status != HTTPStatus.UNAUTHORIZED else 422 if err else 200,
        section="preferences",
        counts=await count_folders(session.tx),
        factor=factor,
        problem=refusal_text(err, session.words) if err else "",
        codes=codes,
        # light in either theme, for cameras read dark on light
        picture=segno.make(uri, error="m").svg_data_uri(scale=5, light="#fff", border=3) if uri else "",
        secret=_secret_of(uri),
    )


def _secret_of(uri: str) -> str:
    """The secret in groups, for whoever types it in."""
    secret = parse_qs(urlsplit(uri).query).get("secret", [""])[0]
    return " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))


def _key(session: Session) -> str:
    return session.services.settings.secret_key.get_secret_value()
