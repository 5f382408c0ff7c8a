"""Verbs of a conversation: write, take, give, snooze, resolve, reopen, mark as read."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from core.errors import Unprocessable
from crm.conversations import actions as conversations
from crm.conversations import inbox
from crm.runs import yielding
from events.ids import ConversationId, MemberId
from web import inbox_view
from web.pages.drafts import FolderField, Text
from web.pages.outcomes import Outcome, answer
from web.viewer import CurrentSession

router = APIRouter(prefix="/conversations/{conversation_id}")


@router.post("/messages")
async def write(
    session: CurrentSession, conversation_id: UUID, body: Text = "", folder: FolderField = "mine"
) -> Response:
    """Write oneself: the conversation becomes the writer's, an open draft is put aside."""
    try:
        async with session.tx.savepoint():
            text = body.replace("\r\n", "\n")
            await yielding.write(session.tx, ConversationId(conversation_id), body=text)
    except Unprocessable as err:
        error = session.words.gettext("The text is empty or too long. At most 4096 characters fit.")
        outcome = Outcome(status=err.status.value)
        return await answer(
            session, conversation_id, folder, outcome, composer_error=error, composer_text=body, composer=True
        )
    return await answer(session, conversation_id, folder, Outcome(), composer=True)


@router.post("/holder")
async def take(session: CurrentSession, conversation_id: UUID, folder: FolderField = "mine") -> Response:
    """What an agent was doing here ends at once."""
    await yielding.take_over(session.tx, ConversationId(conversation_id))
    said = session.words.gettext("The conversation is yours. Agents are silent here.")
    return await answer(session, conversation_id, folder, Outcome(said=said))


@router.post("/person")
async def give(
    session: CurrentSession,
    conversation_id: UUID,
    member_id: Annotated[MemberId, Form()],
    folder: FolderField = "mine",
) -> Response:
    """Let a colleague go on; who sees only what is their own goes back to the list, since it is no longer there."""
    await yielding.give_to_person(session.tx, ConversationId(conversation_id), member_id)
    if await inbox.list_rows(session.tx, [conversation_id]):
        said = session.words.gettext("The conversation is your colleague's now. Agents are silent here.")
        return await answer(session, conversation_id, folder, Outcome(said=said))
    place = f"/inbox?folder={folder}"
    return Response(headers={"HX-Redirect": place}) if session.is_fragment else RedirectResponse(place, 303)


@router.post("/snooze")
async def snooze(
    session: CurrentSession,
    conversation_id: UUID,
    until: Annotated[datetime, Form()],
    folder: FolderField = "mine",
) -> Response:
    await conversations.snooze_conversation(session.tx, ConversationId(conversation_id), until=until)
    said = session.words.gettext("Snoozed until %(when)s.", when=session.words.when(until))
    return await answer(session, conversation_id, folder, Outcome(said=said, undo="reopening"))


@router.post("/resolution")
async def resolve(session: CurrentSession, conversation_id: UUID, folder: FolderField = "mine") -> Response:
    await conversations.resolve_conversation(session.tx, ConversationId(conversation_id))
    said = session.words.gettext("Resolved. A new message opens it again.")
    return await answer(session, conversation_id, folder, Outcome(said=said, undo="reopening"))


@router.post("/reopening")
async def reopen(session: CurrentSession, conversation_id: UUID, folder: FolderField = "mine") -> Response:
    await conversations.reopen_conversation(session.tx, ConversationId(conversation_id))
    return await answer(session, conversation_id, folder, Outcome())


@router.post("/reading")
async def read(session: CurrentSession, conversation_id: UUID, folder: FolderField = "mine") -> Response:
    """The page that has the conversation open says that somebody looks at it."""
    await conversations.mark_read(session.tx, ConversationId(conversation_id))
    if not session.is_fragment:
        return await answer(session, conversation_id, folder, Outcome())
    context = await inbox_view.load_changes(session.tx, session.words, conversation_id, folder, is_open=False)
    return Response(session.text("inbox/_changes.html", **context), media_type="text/html")
