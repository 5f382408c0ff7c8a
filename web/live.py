"""Server-sent events: whatever happens to a conversation arrives as the fragments the page is made of."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from api.deps import CurrentAccount, CurrentServices, Services
from core.errors import NotFound
from crm.conversations import inbox
from crm.conversations.queries import get_conversation
from crm.copilot.models import Chat, QuestionStatus
from crm.copilot.queries import get_chat, list_questions
from crm.identity.models import Account
from crm.identity.queries import get_organization
from crm.notifications.queries import count_unread
from events.ids import ConversationId, CopilotChatId, RecordKind
from events.types import CopilotAnswered
from web import copilot_view, inbox_view
from web.hearing import END, Hearing, hearing
from web.pages.inbox import Folder
from web.viewer import CurrentSession, Visit, get_visit, words_of

router = APIRouter()
Nouns = Annotated[Sequence[Annotated[str, Query(pattern="^[a-z_]{1,30}$")]], Query(max_length=20)]
HEARTBEAT_SECONDS = 15.0
# Events that come together are rendered once.
GATHER_SECONDS = 0.02
# Ids of events are made before their commit; a stream goes back a little so that a late one is not lost.
OVERLAP = timedelta(seconds=2)
# The last record of a page whose conversation its reader sees no more.
_GONE = "event: gone\ndata: gone\n\n"


@dataclass(frozen=True)
class Stream:
    """One open page: whose it is, which conversation and folder it shows."""

    services: Services
    account: Account
    visit: Visit
    conversation_id: UUID | None
    folder: str


@router.get("/live")
async def follow(
    request: Request,
    account: CurrentAccount,
    services: CurrentServices,
    conversation: UUID | None = None,
    folder: Folder = "mine",
    after: str = "",
    last_event_id: Annotated[str, Header()] = "",
) -> StreamingResponse:
    """The stream of one page. `Last-Event-ID`, or `after` on the first connection, says what it has seen."""
    stream = Stream(services, account, get_visit(request, account), conversation, folder)
    return StreamingResponse(
        _events(stream, last_event_id or after),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.get("/live/changes")
async def follow_changes(
    request: Request,
    account: CurrentAccount,
    services: CurrentServices,
    noun: Nouns = (),
    after: str = "",
) -> StreamingResponse:
    """Says that something of these nouns changed, so that the page fetches its part anew; what the reader is told of
    is always among them. `after` is the last event that the page knows."""
    stream = Stream(services, account, get_visit(request, account), None, "")
    return StreamingResponse(
        _changes(stream, {*noun, "notification"}, after),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.get("/live/records")
async def follow_records(
    request: Request, account: CurrentAccount, services: CurrentServices, kind: RecordKind
) -> StreamingResponse:
    """Names the records of one kind that change; the page fetches those that it shows."""
    stream = Stream(services, account, get_visit(request, account), None, "")
    return StreamingResponse(
        _records(stream, kind),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.get("/live/copilot/{chat_id}")
async def follow_copilot(
    request: Request,
    session: CurrentSession,
    account: CurrentAccount,
    services: CurrentServices,
    chat_id: CopilotChatId,
) -> StreamingResponse:
    """An answer while it is being written, that it is there, and that something it proposed was decided or done.

    Raises: NotFound for a chat that is not the reader's.
    """
    chat = await get_chat(session.tx, chat_id)
    stream = Stream(services, account, get_visit(request, account), None, "")
    return StreamingResponse(
        _answers(stream, chat),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _answers(stream: Stream, chat: Chat) -> AsyncIterator[str]:
    services, account = stream.services, stream.account
    async with hearing(services, account, chat.id, None) as heard:
        yield "retry: 1000\n\n"
        async with services.db.transaction(account.principal, "live") as tx:
            is_waiting = any(one.status is QuestionStatus.WAITING for one in await list_questions(tx, chat))
        if not is_waiting:
            # it may have come between the page and its stream
            yield "event: answered\ndata: changed\n\n"
        while not heard.is_over:
            message = await heard.next(HEARTBEAT_SECONDS)
            kind = message.get("type", "") if message else ""
            if message is None:
                yield ": still here\n\n"
            elif kind == "words":
                yield _words(stream, message)
            elif kind == CopilotAnswered.name:
                yield "event: answered\ndata: changed\n\n"
            elif kind.startswith("approval."):
                yield "event: carried\ndata: changed\n\n"
        yield END


def _words(stream: Stream, message: dict[str, str]) -> str:
    """What of an answer has been written, or what is looked at now, as the fragment of the page."""
    html = stream.visit.text(
        "copilot/_words.html",
        question_id=message["question_id"],
        words_so_far=copilot_view.parts_of(message["text"]),
        step=copilot_view.step_text(message["step"], stream.visit.words),
    )
    lines = "".join(f"data: {line}\n" for line in html.splitlines())
    return f"event: words\n{lines}\n"


async def _changes(stream: Stream, nouns: set[str], after: str) -> AsyncIterator[str]:
    services, account = stream.services, stream.account
    async with hearing(stream.services, stream.account) as heard:
        yield "retry: 1000\n\n"
        async with services.db.transaction(account.principal, "live") as tx:
            is_behind = str(await inbox.latest_event_id(tx) or "") != after
        if is_behind:
            for noun in sorted(nouns):
                yield f"event: {noun}\ndata: changed\n\n"
        while not heard.is_over:
            message = await heard.next(HEARTBEAT_SECONDS)
            if message is None:
                yield ": still here\n\n"
            elif (noun := message.get("type", "").partition(".")[0]) in nouns:
                yield f"id: {message['event_id']}\nevent: {noun}\ndata: changed\n\n"
        yield END


async def _records(stream: Stream, kind: RecordKind) -> AsyncIterator[str]:
    async with hearing(stream.services, stream.account) as heard:
        yield "retry: 1000\n\n"
        while not heard.is_over:
            message = await heard.next(HEARTBEAT_SECONDS)
            if message is None:
                yield ": still here\n\n"
            elif message.get("record_kind") == kind:
                yield f"id: {message['event_id']}\nevent: record\ndata: {message['record_id']}\n\n"
        yield END


async def _events(stream: Stream, seen: str) -> AsyncIterator[str]:
    stream = await _in_organization_time(stream)
    async with hearing(stream.services, stream.account, shown=await _shown(stream)) as heard:
        yield "retry: 1000\n\n"
        for change in await _missed(stream, seen):
            yield await _render(stream, change.conversation_id, str(change.event_id))
        while not heard.is_over:
            changed, is_told = await _gather(heard)
            for conversation_id, event_id in changed.items():
                fragment = await _render(stream, conversation_id, event_id)
                yield fragment
                if fragment == _GONE:
                    return  # nothing more is heard of what is another's now
            if is_told:
                yield await _render_bell(stream)
            if not changed and not is_told:
                yield ": still here\n\n"
        yield END


async def _shown(stream: Stream) -> UUID | None:
    """The conversation that the page has open, if its reader sees it: of others they hear nothing, nor that they go."""
    if stream.conversation_id is None:
        return None
    async with stream.services.db.transaction(stream.account.principal, "live") as tx:
        try:
            return (await get_conversation(tx, ConversationId(stream.conversation_id))).id
        except NotFound:
            return None


async def _in_organization_time(stream: Stream) -> Stream:
    async with stream.services.db.transaction(stream.account.principal, "live") as tx:
        words = words_of(stream.account, await get_organization(tx))
    visit = Visit(stream.visit.request, stream.visit.viewer, words)
    return Stream(stream.services, stream.account, visit, stream.conversation_id, stream.folder)


async def _missed(stream: Stream, seen: str) -> list[inbox.Change]:
    """What happened between the last event that the page knows and now."""
    try:
        milliseconds = UUID(seen).int >> 80
    except ValueError:
        return []
    since = datetime.fromtimestamp(milliseconds / 1000, UTC) - OVERLAP
    async with stream.services.db.transaction(stream.account.principal, "live") as tx:
        return await inbox.list_changed_conversations(tx, since)


async def _gather(heard: Hearing) -> tuple[dict[UUID, str], bool]:
    """Conversations that changed, each with its newest event, and whether anybody was told something."""
    changed: dict[UUID, str] = {}
    is_told = False
    message = await heard.next(HEARTBEAT_SECONDS)
    while message is not None:
        if message.get("conversation_id"):
            changed[UUID(message["conversation_id"])] = message["event_id"]
        is_told |= message.get("type", "").startswith("notification.")
        message = await heard.next(GATHER_SECONDS)
    return changed, is_told


async def _render_bell(stream: Stream) -> str:
    """The number of what the reader was told and has not read, as the fragment of the navigation."""
    async with stream.services.db.transaction(stream.account.principal, "live") as tx:
        viewer = replace(stream.visit.viewer, unread=await count_unread(tx))
    visit = replace(stream.visit, viewer=viewer)
    html = visit.text("components/_bell.html", section="inbox", oob=True)
    return "".join(f"data: {line}\n" for line in html.splitlines()) + "\n"


async def _render(stream: Stream, conversation_id: UUID, event_id: str) -> str:
    """One message of the stream: the fragments of a conversation as they are now, for this reader."""
    async with stream.services.db.transaction(stream.account.principal, "live") as tx:
        try:
            context = await inbox_view.load_changes(
                tx,
                stream.visit.words,
                conversation_id,
                stream.folder,
                is_open=conversation_id == stream.conversation_id,
            )
        except NotFound:
            # given to somebody else meanwhile, or deleted: a page that shows it leaves it
            return _GONE if conversation_id == stream.conversation_id else f"id: {event_id}\n\n"
    html = stream.visit.text("inbox/_changes.html", **context)
    lines = "".join(f"data: {line}\n" for line in html.splitlines())
    return f"id: {event_id}\n{lines}\n"
