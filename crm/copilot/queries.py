"""Reading chats with the copilot: each member their own."""

from dataclasses import dataclass

from core.db import Tx
from core.errors import Forbidden
from core.pagination import Page, decode_time, encode_cursor, page_of, page_size
from core.principal import PrincipalKind
from crm.copilot.models import Chat, Question
from crm.identity.models import Role
from crm.identity.queries import find_member_id
from events.ids import CopilotChatId, CopilotQuestionId, MemberId, RunId, UserId

_LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


async def own_member(tx: Tx) -> MemberId:
    """The member who asks. Raises: Forbidden for seats and the product itself."""
    member_id = await find_member_id(tx, tx.principal.id)
    if member_id is None or tx.principal.kind is not PrincipalKind.USER:
        raise Forbidden("Only a member of the organization talks with the copilot.")
    return member_id


async def get_chat(tx: Tx, chat_id: CopilotChatId, *, lock: bool = False) -> Chat:
    """A chat of the member who acts. Raises: NotFound, also for somebody else's."""
    member_id = await own_member(tx)
    if lock:
        await tx.execute("SELECT FROM copilot_chats WHERE id = %(chat_id)s FOR UPDATE", chat_id=chat_id)
    return await tx.one(
        Chat,
        """
        SELECT id, member_id, title, created_at, asked_at
          FROM copilot_chats
         WHERE id = %(chat_id)s
           AND member_id = %(member_id)s
        """,
        chat_id=chat_id,
        member_id=member_id,
    )


async def list_chats(tx: Tx, *, cursor: str | None = None, limit: int = 25) -> Page[Chat]:
    """The chats of the member who acts, the last asked in first."""
    size = page_size(limit)
    before_at, before_id = decode_time(cursor) if cursor else ("infinity", _LAST_ID)
    chats = await tx.all(
        Chat,
        """
        SELECT id, member_id, title, created_at, asked_at
          FROM copilot_chats
         WHERE member_id = %(member_id)s
           AND (asked_at, id) < (%(before_at)s, %(before_id)s)
         ORDER BY asked_at DESC, id DESC
         LIMIT %(limit)s
        """,
        member_id=await own_member(tx),
        before_at=before_at,
        before_id=before_id,
        limit=size + 1,
    )
    return page_of(chats, size, after=lambda chat: encode_cursor(chat.asked_at.isoformat(), chat.id))


async def list_questions(tx: Tx, chat: Chat, *, last: int = 50) -> list[Question]:
    """The last questions of a chat with their answers, in the order in which they were asked."""
    return await tx.all(
        Question,
        """
        SELECT id, chat_id, question, about_kind, about_id, run_id, status, answer, citations, reason, asked_at,
               answered_at
          FROM (SELECT id, chat_id, question, about_kind, about_id, run_id, status, answer, citations, reason,
                       asked_at, answered_at
                  FROM copilot_questions
                 WHERE chat_id = %(chat_id)s
                 ORDER BY id DESC
                 LIMIT %(last)s) AS newest
         ORDER BY id
        """,
        chat_id=chat.id,
        last=last,
    )


async def get_question(tx: Tx, question_id: CopilotQuestionId) -> Question:
    """A question of the member who acts. Raises: NotFound, also for somebody else's."""
    return await tx.one(
        Question,
        """
        SELECT q.id, q.chat_id, q.question, q.about_kind, q.about_id, q.run_id, q.status, q.answer, q.citations,
               q.reason, q.asked_at, q.answered_at
          FROM copilot_questions q
          JOIN copilot_chats c ON (c.organization_id, c.id) = (q.organization_id, q.chat_id)
         WHERE q.id = %(question_id)s
           AND c.member_id = %(member_id)s
        """,
        question_id=question_id,
        member_id=await own_member(tx),
    )


@dataclass(frozen=True)
class Asker:
    """Whose question a run answers."""

    chat_id: CopilotChatId
    member_id: MemberId
    user_id: UserId
    name: str
    role: Role


async def find_asker(tx: Tx, run_id: RunId) -> Asker | None:
    """The member whose question a run answers, as they are now; None when the chat is gone."""
    return await tx.find(
        Asker,
        """
        SELECT c.id AS chat_id, m.id AS member_id, m.user_id, m.name, m.role
          FROM copilot_questions q
          JOIN copilot_chats c ON (c.organization_id, c.id) = (q.organization_id, q.chat_id)
          JOIN members m ON (m.organization_id, m.id) = (c.organization_id, c.member_id)
         WHERE q.run_id = %(run_id)s
        """,
        run_id=run_id,
    )


async def list_exchange(tx: Tx, run_id: RunId, *, last: int) -> list[Question]:
    """The question that a run answers, and what came before it in its chat, oldest first; for the run itself."""
    return await tx.all(
        Question,
        """
        SELECT id, chat_id, question, about_kind, about_id, run_id, status, answer, citations, reason, asked_at,
               answered_at
          FROM (SELECT q.id, q.chat_id, q.question, q.about_kind, q.about_id, q.run_id, q.status, q.answer,
                       q.citations, q.reason, q.asked_at, q.answered_at
                  FROM copilot_questions mine
                  JOIN copilot_questions q ON (q.organization_id, q.chat_id) = (mine.organization_id, mine.chat_id)
                                          AND q.id <= mine.id
                 WHERE mine.run_id = %(run_id)s
                 ORDER BY q.id DESC
                 LIMIT %(last)s) AS newest
         ORDER BY id
        """,
        run_id=run_id,
        last=last,
    )
