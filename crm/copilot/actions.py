"""Asking the copilot, stopping it, and keeping what it answers."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from core import clock, jsons
from core.db import Tx
from core.errors import Conflict, Unprocessable
from core.ids import uuid7
from crm.bidi.actions import ensure_copilot
from crm.copilot.models import (
    AGENT,
    MAX_QUESTION,
    MAX_TITLE,
    About,
    Chat,
    Citation,
    Question,
    QuestionStatus,
)
from crm.copilot.queries import get_chat, get_question, own_member
from crm.runs import actions as runs
from crm.runs.queries import get_run
from events.ids import CopilotChatId, CopilotQuestionId, RunId
from events.outbox import emit
from events.types import CopilotAnswered, CopilotAsked, CopilotChatRemoved


async def start_chat(tx: Tx, text: str, about: About | None = None) -> Question:
    """Ask the first question of a new chat.

    Raises:
        Unprocessable: no words, or too many.
        Conflict: the copilot is paused.
    """
    question = _text(text)
    chat = await tx.one(
        Chat,
        """
        INSERT INTO copilot_chats (organization_id, id, member_id, title, created_at, asked_at)
        VALUES (%(organization_id)s, %(id)s, %(member_id)s, %(title)s, %(now)s, %(now)s)
        RETURNING id, member_id, title, created_at, asked_at
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        member_id=await own_member(tx),
        title=_title(question),
        now=clock.now(),
    )
    return await _ask(tx, chat, question, about)


async def ask(tx: Tx, chat_id: CopilotChatId, text: str, about: About | None = None) -> Question:
    """Ask the next question of a chat.

    Raises:
        NotFound: no such chat of this member.
        Unprocessable: no words, or too many.
        Conflict: the last question is not answered yet, or the copilot is paused.
    """
    chat = await get_chat(tx, chat_id, lock=True)
    question = _text(text)
    waiting = await tx.value(
        "SELECT true FROM copilot_questions WHERE chat_id = %(chat_id)s AND status = 'waiting'",
        chat_id=chat.id,
    )
    if waiting:
        raise Conflict("The copilot is still at your last question; wait for its answer, or stop it.")
    await tx.execute(
        "UPDATE copilot_chats SET asked_at = %(now)s WHERE id = %(chat_id)s", now=clock.now(), chat_id=chat.id
    )
    return await _ask(tx, chat, question, about)


async def _ask(tx: Tx, chat: Chat, text: str, about: About | None) -> Question:
    seat = await ensure_copilot(tx)
    if seat.is_paused:
        raise Conflict("The copilot is paused; an administrator can start it again.")
    run_id = await runs.start_run(tx, seat.id, AGENT)
    question = await tx.one(
        Question,
        """
        INSERT INTO copilot_questions (organization_id, id, chat_id, question, about_kind, about_id, run_id, asked_at)
        VALUES (%(organization_id)s, %(id)s, %(chat_id)s, %(question)s, %(about_kind)s, %(about_id)s, %(run_id)s,
                %(now)s)
        RETURNING id, chat_id, question, about_kind, about_id, run_id, status, answer, citations, reason, asked_at,
                  answered_at
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        chat_id=chat.id,
        question=text,
        about_kind=about.kind.value if about else None,
        about_id=about.id if about else None,
        run_id=run_id,
        now=clock.now(),
    )
    await emit(tx, CopilotAsked(chat.id, question.id))
    return question


async def stop_answer(tx: Tx, question_id: CopilotQuestionId) -> Question:
    """Stop the copilot at a question of the member who acts; one that is answered stays as it is.

    Raises: NotFound.
    """
    question = await get_question(tx, question_id)
    if question.status is QuestionStatus.WAITING:
        await runs.cancel_run(tx, await get_run(tx, question.run_id), "the asker stopped it")
        await _close(tx, question.run_id, QuestionStatus.STOPPED)
    return await get_question(tx, question_id)


async def remove_chat(tx: Tx, chat_id: CopilotChatId) -> None:
    """Forget a chat with all its questions and answers; what was done because of it stays done.

    Raises:
        NotFound: no such chat of this member.
        Conflict: the copilot is at a question of it.
    """
    chat = await get_chat(tx, chat_id, lock=True)
    waiting = await tx.value(
        "SELECT true FROM copilot_questions WHERE chat_id = %(chat_id)s AND status = 'waiting'",
        chat_id=chat.id,
    )
    if waiting:
        raise Conflict("The copilot is still at a question of this chat; stop it first.")
    await tx.execute("DELETE FROM copilot_chats WHERE id = %(chat_id)s", chat_id=chat.id)
    await emit(tx, CopilotChatRemoved(chat.id))


async def forget_chats(tx: Tx, before: datetime) -> int:
    """Forget chats in which nothing was asked since a time; returns how many."""
    return await tx.execute(
        """
        DELETE FROM copilot_chats c
         WHERE c.asked_at < %(before)s
           AND NOT EXISTS (SELECT FROM copilot_questions q WHERE q.chat_id = c.id AND q.status = 'waiting')
        """,
        before=before,
    )


async def keep_answer(tx: Tx, run_id: RunId, answer: str, citations: Sequence[Citation]) -> None:
    """Write down what a run answers."""
    await _close(tx, run_id, QuestionStatus.ANSWERED, answer=answer, citations=citations)


async def keep_failure(tx: Tx, run_id: RunId, reason: str) -> None:
    """Say why a run gives no answer."""
    await _close(tx, run_id, QuestionStatus.FAILED, reason=reason)


async def note_cancelled(tx: Tx, run_id: RunId) -> None:
    """A run was cancelled, by whomever: its question does not wait for ever."""
    await _close(tx, run_id, QuestionStatus.STOPPED)


async def _close(
    tx: Tx,
    run_id: RunId,
    status: QuestionStatus,
    *,
    answer: str = "",
    citations: Sequence[Citation] = (),
    reason: str = "",
) -> None:
    closed = await tx.find(
        Question,
        """
        UPDATE copilot_questions
           SET status = %(status)s, answer = %(answer)s, citations = %(citations)s::jsonb, reason = %(reason)s,
               answered_at = %(now)s
         WHERE run_id = %(run_id)s
           AND status = 'waiting'
        RETURNING id, chat_id, question, about_kind, about_id, run_id, status, answer, citations, reason, asked_at,
                  answered_at
        """,
        run_id=run_id,
        status=status.value,
        answer=answer,
        citations=jsons.dumps([asdict(one) for one in citations]),
        reason=reason[:500],
        now=clock.now(),
    )
    if closed is not None:
        await emit(tx, CopilotAnswered(closed.chat_id, closed.id))


def _text(text: str) -> str:
    words = text.strip()
    if not words:
        raise Unprocessable("Ask something first.", field="question")
    if len(words) > MAX_QUESTION:
        raise Unprocessable(
            f"The question has {len(words)} characters; at most {MAX_QUESTION} fit.", field="question"
        )
    return words


def _title(question: str) -> str:
    """How a question begins, up to a whole word."""
    line = " ".join(question.split())
    return line if len(line) <= MAX_TITLE else line[:MAX_TITLE].rsplit(" ", 1)[0] + " …"
