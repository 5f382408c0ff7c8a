"""What a run of the copilot knows before its first call: who asks what, after what, and looking at what."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from agents.agent import Unwanted
from agents.copilot import contract
from core import clock
from core.db import Tx
from core.errors import Forbidden, NotFound
from core.languages import Language, language_of
from crm.contacts.queries import get_contact
from crm.conversations.queries import get_conversation
from crm.copilot.models import About, AboutKind, Question, QuestionStatus
from crm.copilot.queries import Asker, find_asker, list_exchange
from crm.identity.queries import get_organization
from crm.records.models import RecordRef
from crm.records.queries import get_record
from crm.runs.models import Run
from events.ids import ConversationId, RecordKind

HISTORY = 12
# What is called something in another language says nothing about the language of the question.
_QUOTED = re.compile(r"[«\"“„][^»\"”“]*[»\"”“]")


_NAMES = re.compile(r"(?<=\s)[A-ZА-ЯЁ][\w-]*")


@dataclass(frozen=True)
class ChatThread:
    """A question as one run sees it, with the answered ones before it."""

    asker: Asker
    question: Question
    earlier: Sequence[Question]
    shown: contract.Question


async def asker_of(tx: Tx, run: Run) -> Asker:
    """Raises: Unwanted when the chat is gone."""
    asker = await find_asker(tx, run.id)
    if asker is None:
        raise Unwanted("the chat was removed")
    return asker


async def load_chat(tx: Tx, run: Run) -> ChatThread:
    """The question of a run; a resumed run sees the same."""
    return await _load(tx, run, clock.now())


async def recall_chat(tx: Tx, run: Run) -> ChatThread:
    """The question of a run as it was when it was asked."""
    return await _load(tx, run, run.due_at)


async def _load(tx: Tx, run: Run, now: datetime) -> ChatThread:
    asker = await asker_of(tx, run)
    *earlier, question = await list_exchange(tx, run.id, last=HISTORY)
    organization = await get_organization(tx)
    shown = contract.Question(
        question=question.question,
        asked_by=contract.Person(name=asker.name, member_id=asker.member_id, role=asker.role.value),
        now=now.astimezone(ZoneInfo(organization.time_zone)),
        time_zone=organization.time_zone,
        language=_language(question.question, organization.locale),
        looking_at=await _seen(tx, question.about) if question.about else None,
    )
    answered = [one for one in earlier if one.status is QuestionStatus.ANSWERED]
    return ChatThread(asker, question, answered, shown)


def _language(question: str, locale: str) -> Language:
    """Of a question without what it names, if anything is left of it then."""
    said = _QUOTED.sub("", question)
    return language_of(_NAMES.sub("", said), language_of(said, locale))


async def _seen(tx: Tx, about: About) -> contract.Seen | None:
    """What the asker looks at, if it is still there and the asker may read it."""
    try:
        if about.kind is AboutKind.CONVERSATION:
            tx.principal.require("conversations:read")
            conversation = await get_conversation(tx, ConversationId(about.id))
            contact = await get_contact(tx, conversation.contact_id)
            with_whom = UUID(str(contact.id))
            return contract.Seen(kind="conversation", id=about.id, name=contact.name, contact_id=with_whom)
        record = await get_record(tx, RecordRef(RecordKind(about.kind.value), about.id))
    except (NotFound, Forbidden):
        return None
    return contract.Seen(kind=about.kind.value, id=about.id, name=record.name)
