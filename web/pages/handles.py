"""The addresses of a contact and what they agreed to, on the contact's page."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import Response

from core.errors import Conflict, Unprocessable
from crm.contacts import actions as contacts
from crm.contacts.models import ConsentChannel
from crm.contacts.queries import (
    find_contact_by_handle,
    get_contact,
    list_consent_history,
    list_consents,
)
from crm.conversations.inbox import count_folders
from events.ids import ContactId
from web.fields import CONTACTS
from web.pages.cards import done, render
from web.phrases import CONSENT_CHANNELS, N_
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/contacts/{contact_id}")
Text = Annotated[str, Form(max_length=300, pattern="^[^\x00]*$")]


@router.post("/handles")
async def add_handle(
    session: CurrentSession, contact_id: ContactId, kind: Text, value: Text = "", label: Text = ""
) -> Response:
    """Whoever has the address already is named."""
    try:
        async with session.tx.savepoint():
            await contacts.add_handle(session.tx, contact_id, kind, value, label=label)
    except (Conflict, Unprocessable) as err:
        problem = await _why_not(session, kind, value, err)
        return await render(
            session, CONTACTS, contact_id, err.status.value, problems={"handles": problem, "value": value}
        )
    return await done(session, CONTACTS, contact_id)


async def _why_not(session: Session, kind: str, value: str, err: Conflict | Unprocessable) -> str:
    say = session.words.gettext
    if isinstance(err, Unprocessable):
        return say(N_("Write an address or a number."))
    other = await find_contact_by_handle(session.tx, kind, value)
    return say(N_("It belongs to %(name)s already."), name=other.name if other else "?")


@router.post("/handles/{handle_id}/removal")
async def remove_handle(session: CurrentSession, contact_id: ContactId, handle_id: UUID) -> Response:
    await contacts.remove_handle(session.tx, contact_id, handle_id)
    return await done(session, CONTACTS, contact_id)


@router.post("/handles/{handle_id}/preference")
async def prefer_handle(session: CurrentSession, contact_id: ContactId, handle_id: UUID) -> Response:
    await contacts.prefer_handle(session.tx, contact_id, handle_id)
    return await done(session, CONTACTS, contact_id)


@router.get("/consents")
async def show_consents(session: CurrentSession, contact_id: ContactId) -> Response:
    """Everything that was said about what we may write: when, by whom, from which source, before and after."""
    return session.page(
        "contacts/consents.html",
        section="contacts",
        counts=await count_folders(session.tx),
        contact=await get_contact(session.tx, contact_id),
        held={one.channel: one for one in await list_consents(session.tx, contact_id)},
        history=await list_consent_history(session.tx, contact_id),
        channels=CONSENT_CHANNELS,
    )


@router.post("/consents")
async def record_consent(
    session: CurrentSession,
    contact_id: ContactId,
    channel: Annotated[ConsentChannel, Form()],
    is_given: Annotated[bool, Form()],
    source: Text = "",
) -> Response:
    """A statement needs its source: a form, a call, a letter."""
    try:
        async with session.tx.savepoint():
            await contacts.record_consent(session.tx, contact_id, channel, is_given=is_given, source=source)
    except Unprocessable as err:
        problem = session.words.gettext("Say where the consent comes from.")
        return await render(session, CONTACTS, contact_id, err.status.value, problems={"consents": problem})
    return await done(session, CONTACTS, contact_id)
