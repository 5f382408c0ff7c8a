"""What a chat with the copilot shows: questions, answers with their sources in reach, and what it proposes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from core.db import Tx
from core.errors import Forbidden, NotFound
from crm.approvals.queries import list_tool_approvals
from crm.contacts.queries import get_contact
from crm.conversations.queries import get_conversation
from crm.copilot.models import About, AboutKind, Chat, Citation, Question, QuestionStatus
from crm.copilot.queries import list_questions
from crm.records.models import RecordRef
from crm.records.queries import get_record
from crm.runs.tool_calls import list_tool_calls
from events.ids import ConversationId, RecordKind
from web.i18n import Words
from web.phrases import N_
from web.tool_cards import ToolCard, tool_card

_MARK = re.compile(r"\s?\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_PLACES = (
    (AboutKind.DEAL, re.compile(r"^/deals/(?P<id>[0-9a-f-]{36})")),
    (AboutKind.CONTACT, re.compile(r"^/contacts/(?P<id>[0-9a-f-]{36})")),
    (AboutKind.COMPANY, re.compile(r"^/companies/(?P<id>[0-9a-f-]{36})")),
    (AboutKind.LEAD, re.compile(r"^/leads/(?P<id>[0-9a-f-]{36})")),
    (AboutKind.CONVERSATION, re.compile(r"^/inbox/(?P<id>[0-9a-f-]{36})")),
)
_PATHS = {
    "contact": "/contacts/{id}", "company": "/companies/{id}", "lead": "/leads/{id}", "deal": "/deals/{id}",
    "task": "/tasks/{id}", "meeting": "/meetings/{id}", "conversation": "/inbox/{id}", "knowledge": "/knowledge/{id}",
}  # fmt: skip
_TABLES = {
    "contact": "/contacts", "company": "/companies", "lead": "/leads", "deal": "/deals/table", "task": "/tasks",
    "meeting": "/meetings",
}  # fmt: skip
STEPS = {
    "search_records": N_("Searches"),
    "get_record": N_("Opens a record"),
    "get_contact": N_("Opens a contact"),
    "get_company": N_("Opens a company"),
    "find_introduction": N_("Looks for a chain of acquaintances"),
    "who_knows": N_("Asks who knows somebody there"),
    "relationship_neighbourhood": N_("Looks at acquaintances"),
    "brief_contact": N_("Reads what is known of a contact"),
    "list_conversations": N_("Looks for conversations"),
    "read_conversation": N_("Reads a conversation"),
    "recall_anywhere": N_("Recalls what was said and written"),
    "summarize_records": N_("Computes"),
    "find_tasks": N_("Looks at tasks"),
    "find_meetings": N_("Looks at meetings"),
    "find_deals": N_("Looks at deals"),
    "list_deals": N_("Looks at deals"),
    "list_contacts": N_("Looks at contacts"),
    "list_companies": N_("Looks at companies"),
    "list_leads": N_("Looks at leads"),
    "list_facts": N_("Reads what is known"),
    "list_notes": N_("Reads notes"),
    "list_pipelines": N_("Looks at the stages"),
    "list_colleagues": N_("Looks at colleagues"),
}
ELSE = N_("Looks things up")
PROPOSES = N_("Proposes something")
_PROPOSALS = frozenset(
    {"create", "update", "move", "tag", "plan", "assign", "add", "complete", "convert", "close"}
)


@dataclass(frozen=True)
class Piece:
    """Words of an answer, or the number of a source."""

    text: str
    source: "SourceView | None" = None
    is_mark: bool = False


@dataclass(frozen=True)
class Block:
    """A paragraph, or an item of a list."""

    pieces: list[Piece]
    is_item: bool


@dataclass(frozen=True)
class Part:
    """Paragraphs in a row, or a list."""

    blocks: list[Block]
    is_list: bool


@dataclass(frozen=True)
class SourceView:
    """One thing that an answer rests on; `href` is empty where no page shows it."""

    n: int
    kind: str
    label: str
    quote: str
    href: str


@dataclass(frozen=True)
class QuestionView:
    """A question as the chat shows it; `seen` is the name of what its asker looked at."""

    question: Question
    parts: list[Part]
    sources: list[SourceView]
    steps: list[str]
    cards: list[ToolCard]

    @property
    def is_waiting(self) -> bool:
        return self.question.status is QuestionStatus.WAITING


@dataclass(frozen=True)
class Seen:
    """What the member looks at, to be asked about."""

    about: About
    name: str


async def load_questions(tx: Tx, words: Words, chat: Chat) -> list[QuestionView]:
    """The questions of a chat, oldest first."""
    return [await load_question(tx, words, question) for question in await list_questions(tx, chat)]


async def load_question(tx: Tx, words: Words, question: Question) -> QuestionView:
    sources = sources_of(question)
    calls = await list_tool_calls(tx, question.run_id)
    return QuestionView(
        question,
        parts_of(question.answer, sources),
        sources,
        list(dict.fromkeys(step_text(call.tool, words) for call in calls)),
        await _cards(tx, words, question),
    )


async def _cards(tx: Tx, words: Words, question: Question) -> list[ToolCard]:
    if not tx.principal.may("conversations:read"):
        return []
    return [tool_card(one, words) for one in await list_tool_approvals(tx, run_id=question.run_id)]


def step_text(tool: str, words: Words) -> str:
    """What a tool call is, for people."""
    if tool.partition("_")[0] in _PROPOSALS:
        return words.gettext(PROPOSES)
    return words.gettext(STEPS.get(tool, ELSE))


def sources_of(question: Question) -> list[SourceView]:
    """What an answer rests on, as its reader counts: from 1, in the order in which the answer names it."""
    order = _order(question.answer)
    views = [
        SourceView(order[one.n], one.kind, one.label, one.quote, _href(one))
        for one in question.cited
        if one.n in order
    ]
    return sorted(views, key=lambda view: view.n)


def _order(answer: str) -> dict[int, int]:
    """The numbers of the run, which counts everything that it read, to those of the reader."""
    named = (int(number) for mark in _MARK.finditer(answer) for number in mark[1].split(","))
    return {number: n for n, number in enumerate(dict.fromkeys(named), 1)}


def _href(citation: Citation) -> str:
    if citation.kind == "message" and citation.conversation_id:
        return f"/inbox/{citation.conversation_id}#message-{citation.id}"
    if citation.kind == "figure":
        return _TABLES.get(citation.label.partition(" ")[0], "")
    place = _PATHS.get(citation.kind, "")
    return place.format(id=citation.id)


def parts_of(answer: str, sources: Sequence[SourceView] = ()) -> list[Part]:
    """An answer as paragraphs and lists, with its sources in their places."""
    order = _order(answer)
    known = {source.n: source for source in sources}
    parts: list[Part] = []
    for line in answer.splitlines():
        written = line.strip()
        if not written:
            continue
        is_item = written.startswith(("- ", "* ", "• "))
        block = Block(list(_pieces(written[2:] if is_item else written, order, known)), is_item)
        if parts and parts[-1].is_list and is_item:
            parts[-1].blocks.append(block)
        else:
            parts.append(Part([block], is_item))
    return parts


def _pieces(line: str, order: dict[int, int], known: dict[int, SourceView]) -> Iterator[Piece]:
    at = 0
    for mark in _MARK.finditer(line):
        if mark.start() > at:
            yield Piece(line[at : mark.start()])
        for number in mark[1].split(","):
            n = order[int(number)]
            yield Piece(str(n), known.get(n), is_mark=True)
        at = mark.end()
    if at < len(line):
        yield Piece(line[at:])


def about_of(address: str) -> About | None:
    """What a page of the product is about, by its address."""
    path = urlsplit(address).path
    for kind, pattern in _PLACES:
        if found := pattern.match(path):
            try:
                return About(kind, UUID(found["id"]))
            except ValueError:
                return None
    return None


async def find_seen(tx: Tx, address: str) -> Seen | None:
    """What the member looks at on the page with this address, by name, if they may read it."""
    about = about_of(address)
    if about is None:
        return None
    try:
        return Seen(about, await _name(tx, about))
    except (NotFound, Forbidden):
        return None


async def _name(tx: Tx, about: About) -> str:
    if about.kind is not AboutKind.CONVERSATION:
        return (await get_record(tx, RecordRef(RecordKind(about.kind.value), about.id))).name
    conversation = await get_conversation(tx, ConversationId(about.id))
    return (await get_contact(tx, conversation.contact_id)).name
