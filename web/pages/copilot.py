"""The copilot: asked beside every page, or on a page of its own with the chats there were."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Header, Query
from fastapi.responses import RedirectResponse, Response

from core.errors import Conflict, Unprocessable
from crm.copilot import actions as copilot
from crm.copilot import queries
from crm.copilot.models import MAX_QUESTION, Question
from events.ids import CopilotChatId, CopilotQuestionId
from web import copilot_view
from web.pages import records
from web.refusals import refusal_text
from web.viewer import CurrentSession, Session

router = APIRouter()
Address = Annotated[str, Query(max_length=2000)]
Where = Annotated[str, Form(max_length=2000)]
Words = Annotated[str, Form(max_length=MAX_QUESTION * 2)]
# htmx says which page it is on; a form without it says so itself
Current = Annotated[str, Header(alias="HX-Current-URL", max_length=4000)]


@router.get("/copilot")
async def show_copilot(
    session: CurrentSession, at: Address = "", beside: bool = False, current: Current = "", cursor: str = ""
) -> Response:
    """A new chat, beside the list of those there were."""
    return await _show(session, None, beside=beside, at=_place(at, current), cursor=cursor)


@router.get("/copilot/chats")
async def show_chats(session: CurrentSession, at: Address = "", cursor: str = "") -> Response:
    """The chats there were, in the panel."""
    page = await queries.list_chats(session.tx, cursor=cursor or None)
    return session.page("copilot/_chats.html", chats=page, chat=None, at=at, is_panel=True)


@router.get("/copilot/{chat_id}")
async def show_chat(
    session: CurrentSession,
    chat_id: CopilotChatId,
    at: Address = "",
    beside: bool = False,
    current: Current = "",
) -> Response:
    return await _show(session, chat_id, beside=beside, at=_place(at, current))


@router.get("/copilot/questions/{question_id}")
async def show_question(session: CurrentSession, question_id: CopilotQuestionId) -> Response:
    """One question with its answer, as a part of its chat."""
    question = await queries.get_question(session.tx, question_id)
    if not session.is_fragment:
        return RedirectResponse(f"/copilot/{question.chat_id}", 303)
    view = await copilot_view.load_question(session.tx, session.words, question)
    return session.page("copilot/_question.html", asked=view, since="")


@router.post("/copilot")
async def start_chat(
    session: CurrentSession, question: Words = "", at: Where = "", beside: Annotated[bool, Form()] = False
) -> Response:
    return await _ask(session, None, question, at=at, beside=beside)


@router.post("/copilot/{chat_id}/questions")
async def ask(
    session: CurrentSession,
    chat_id: CopilotChatId,
    question: Words = "",
    at: Where = "",
    beside: Annotated[bool, Form()] = False,
) -> Response:
    return await _ask(session, chat_id, question, at=at, beside=beside)


async def _ask(
    session: Session, chat_id: CopilotChatId | None, words: str, *, at: str, beside: bool
) -> Response:
    """The question is in the chat at once; a worker answers it."""
    seen = await copilot_view.find_seen(session.tx, at)
    about = seen.about if seen else None
    try:
        async with session.tx.savepoint():
            asked: Question = (
                await copilot.ask(session.tx, chat_id, words, about)
                if chat_id
                else await copilot.start_chat(session.tx, words, about)
            )
    except (Conflict, Unprocessable) as err:
        error = refusal_text(err, session.words)
        return await _show(
            session, chat_id, beside=beside, at=at, error=error, text=words, status=err.status.value
        )
    return await _answer(session, asked.chat_id, beside=beside, at=at)


@router.post("/copilot/questions/{question_id}/cancellation")
async def stop(
    session: CurrentSession,
    question_id: CopilotQuestionId,
    at: Where = "",
    beside: Annotated[bool, Form()] = False,
) -> Response:
    """Stop the copilot at a question."""
    stopped = await copilot.stop_answer(session.tx, question_id)
    return await _answer(session, stopped.chat_id, beside=beside, at=at)


@router.post("/copilot/{chat_id}/removal")
async def remove_chat(session: CurrentSession, chat_id: CopilotChatId) -> Response:
    """Forget a chat."""
    try:
        async with session.tx.savepoint():
            await copilot.remove_chat(session.tx, chat_id)
    except Conflict as err:
        error = refusal_text(err, session.words)
        return await _show(session, chat_id, beside=False, at="", error=error, status=err.status.value)
    return RedirectResponse("/copilot", 303)


async def _answer(session: Session, chat_id: CopilotChatId, *, beside: bool, at: str) -> Response:
    if session.is_fragment:
        return await _show(session, chat_id, beside=beside, at=at)
    return RedirectResponse(f"/copilot/{chat_id}", 303)


async def _show(
    session: Session,
    chat_id: CopilotChatId | None,
    *,
    beside: bool,
    at: str,
    status: int = 200,
    cursor: str = "",
    **kept: Any,
) -> Response:
    """The panel for htmx, else the page with the chats beside it."""
    chat = await queries.get_chat(session.tx, chat_id) if chat_id else None
    frame = await records.frame(session, "copilot")
    context = {
        **frame,
        "chat": chat,
        "asked": await copilot_view.load_questions(session.tx, session.words, chat) if chat else [],
        "seen": await copilot_view.find_seen(session.tx, at),
        "at": at,
        "is_panel": beside,
        **kept,
    }
    if beside and session.is_fragment:
        return session.page("copilot/_panel.html", status=status, **context)
    if session.is_fragment:
        return session.page("copilot/_chat.html", status=status, **context)
    chats = await queries.list_chats(session.tx, cursor=cursor or None)
    return session.page("copilot/index.html", status=status, chats=chats, **context)


def _place(at: str, current: str) -> str:
    """The page that the member looks at: what htmx says, else what the link that led here says."""
    return at or current
