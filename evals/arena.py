"""Throw-away organizations: made out of a scene or a firm, worked in by the real runtime, and read back.

    arena = Arena(db, settings)
    room = await arena.make_room(Scene(contact=Person(language="ru")))
    with room.clock():
        run_id = await room.hear("Сколько стоит на 40 сканеров?")
        await arena.work(room, run_id, model)
        played = await room.read_back()

The database is one in which no relay runs: what happens in a room is carried out by its caller alone, in order, and
what is sent stays queued. An office is the same
for a firm whose colleagues ask the copilot (evals/office.py).
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Protocol
from uuid import UUID

from pydantic import BaseModel, JsonValue

from agents.llm.base import LanguageModel
from agents.llm.models import ModelChoice
from agents.runtime import Runtime
from core import clock
from core.db import Database
from core.ids import uuid7
from core.principal import Principal, PrincipalKind, system
from core.settings import Settings
from crm.approvals.models import Approval, ApprovalStatus
from crm.approvals.queries import get_approval_of, list_tool_approvals
from crm.automation.hearing import hear_message
from crm.bidi.actions import update_bidi
from crm.bidi.models import BidiEdit
from crm.bidi.queries import get_bidi
from crm.channel_accounts.models import ChannelAccount
from crm.conversations.actions import give_to_agent, receive_message
from crm.conversations.models import Conversation, InboundMessage, Message
from crm.conversations.queries import find_conversation, get_conversation, list_messages
from crm.copilot.models import Question
from crm.drafts.actions import approve_draft, check_draft
from crm.drafts.models import Draft, Evidence
from crm.drafts.queries import find_pending_draft, list_evidence
from crm.evaluations.pictures import Rows, Table, list_tables, take_picture
from crm.runs.actions import QuietWindow, RunRequest, request_run
from crm.runs.asked_calls import approve_call, reject_call
from crm.runs.model_calls import CallTotals, total_of_run
from crm.runs.models import Run
from crm.runs.queries import get_run, list_open_runs
from crm.runs.tool_calls import ToolCall, list_tool_calls
from evals.furnishing import furnish
from evals.rows import Change
from evals.scene import Scene
from evals.state import state_of
from events.ids import BidiId, ContactId, ConversationId, RunId
from events.types import MessageReceived
from graph.postgres import PostgresGraph
from graph.projector import rebuild
from memory.embeddings.base import Embedder
from tools.base import Tool
from tools.dispatch import Dispatcher

AT_ONCE = QuietWindow(0, 0)


@dataclass(frozen=True)
class Line:
    """What one side of a talk wrote."""

    is_ours: bool
    text: str


@dataclass(frozen=True)
class Talked:
    """A talk with a prospect: how it ended for them, how many of their wishes they got, and every line of it."""

    end: str
    got: int
    lines: Sequence[Line]

    @property
    def turns(self) -> int:
        """How many messages the prospect wrote."""
        return sum(not line.is_ours for line in self.lines)


@dataclass(frozen=True)
class Played:
    """What is left of a case: the rows that the agent's work led to.

    `answer` is what a colleague was answered, and then there is no conversation. `changes` are all rows that are not as
    they were, where somebody looked.
    """

    run: Run | None
    conversation: Conversation | None = None
    messages: list[Message] = field(default_factory=list)
    draft: Draft | None = None
    evidence: list[Evidence] = field(default_factory=list)
    approval: Approval | None = None
    calls: list[ToolCall] = field(default_factory=list)
    used: CallTotals | None = None
    ids: dict[str, UUID] = field(default_factory=dict)
    state: dict[str, JsonValue] = field(default_factory=dict)
    answer: Question | None = None
    changes: list[Change] | None = None
    talk: Talked | None = None

    @property
    def handoff_reason(self) -> str | None:
        """Why a person was called; None when nobody was."""
        return self.conversation.handoff_reason if self.conversation else None


class Place(Protocol):
    """Where an agent works. `owner` may do everything in it."""

    @property
    def owner(self) -> Principal: ...


@dataclass
class Room:
    """One throw-away organization. `owner` may do everything in it."""

    db: Database
    owner: Principal
    account: ChannelAccount
    bidi_id: BidiId
    contact_id: ContactId
    scene: Scene
    ids: dict[str, UUID] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def clock(self, later: timedelta = timedelta(0)) -> AbstractContextManager[None]:
        """Time stands still inside the block, at the moment of the scene."""
        return clock.frozen(self.scene.now + later)

    async def hear(self, *lines: str) -> RunId | None:
        """The contact writes, as a channel would hand it in; the run that the organization's rules ask for, if any."""
        for line in lines:
            await self.receive(self.inbound(line))
        return await self.open_run()

    def inbound(self, text: str) -> InboundMessage:
        """One line of the contact; a caller may change any of it before it is received."""
        number = next(self._numbers)
        person = self.scene.contact
        return InboundMessage(
            update_id=f"u{number}",
            chat_id=person.telegram_id,
            message_id=f"m{number}",
            sender_name=person.name,
            sender_language=person.language,
            handles=(("telegram_id", person.telegram_id),),
            text=text,
            occurred_at=clock.now(),
        )

    async def receive(self, inbound: InboundMessage, quiet: QuietWindow = AT_ONCE) -> ConversationId:
        """Store an inbound message and let the rules of the organization react to it, after `quiet`."""
        principal = system(self.owner.organization_id)
        async with self.db.transaction(principal, "arena.receive") as tx:
            await receive_message(tx, self.account, inbound)
            conversation = await find_conversation(tx, self.account.id, inbound.chat_id)
            if conversation is None:
                raise LookupError(f"Nothing was received in the chat {inbound.chat_id}.")
            newest = (await list_messages(tx, conversation.id, last=1))[0]
            await hear_message(tx, MessageReceived(conversation.id, newest.id), quiet)
        return conversation.id

    async def request(self, feedback: str = "") -> RunId | None:
        """Ask the seat for a run, as a person does who sends a draft back."""
        conversation = await self.conversation()
        async with self.db.transaction(self.owner, "arena.request") as tx:
            asked = RunRequest(self.bidi_id, self.scene.seat.agent, conversation.id, feedback=feedback)
            return await request_run(tx, asked, AT_ONCE)

    async def approve(self) -> Draft | None:
        """The owner sends the draft that waits, having looked at what is marked in it; None when there is none."""
        conversation = await self.conversation()
        async with self.db.transaction(self.owner, "arena.approve") as tx:
            draft = await find_pending_draft(tx, conversation.id)
            if draft is None:
                return None
            if draft.needs_check:
                draft = await check_draft(tx, draft.id, version=draft.version)
            return await approve_draft(tx, draft.id, version=draft.version)

    async def open_run(self) -> RunId | None:
        conversation = await self.conversation()
        async with self.db.transaction(self.owner, "arena.open_run") as tx:
            waiting = await list_open_runs(tx, conversation.id)
        return waiting[0].id if waiting else None

    async def due_run(self) -> RunId | None:
        """The run that a worker would take up now, if any: one whose quiet window is over."""
        conversation = await self.conversation()
        async with self.db.transaction(self.owner, "arena.due_run") as tx:
            waiting = await list_open_runs(tx, conversation.id)
        return waiting[0].id if waiting and waiting[0].due_at <= clock.now() else None

    async def give_back(self) -> None:
        """A person lets the seat hold the conversation again."""
        conversation = await self.conversation()
        async with self.db.transaction(self.owner, "arena.give_back") as tx:
            await give_to_agent(tx, conversation.id, self.bidi_id)

    async def limit_steps(self, steps: int) -> None:
        """The seat may make so many calls of models and tools in a run."""
        async with self.db.transaction(self.owner, "arena.limit_steps") as tx:
            bidi = await get_bidi(tx, self.bidi_id)
            await update_bidi(tx, self.bidi_id, BidiEdit(max_steps=steps), version=bidi.version)

    async def conversation(self) -> Conversation:
        """The conversation with the contact. Raises: LookupError before the first message."""
        async with self.db.transaction(self.owner, "arena.conversation") as tx:
            found = await find_conversation(tx, self.account.id, self.scene.contact.telegram_id)
        if found is None:
            raise LookupError(f"{self.scene.contact.name} has not written yet.")
        return found

    async def read_back(self, run_id: RunId | None = None) -> Played:
        """The rows as they stand now, with those of one run."""
        conversation_id = (await self.conversation()).id
        async with self.db.transaction(self.owner, "arena.read_back") as tx:
            conversation = await get_conversation(tx, conversation_id)
            messages = await list_messages(tx, conversation_id)
            played = Played(
                run=await get_run(tx, run_id) if run_id else None,
                conversation=conversation,
                messages=messages,
                draft=await find_pending_draft(tx, conversation_id),
                ids=self.ids,
                state=await state_of(tx, self.contact_id, conversation, messages),
            )
            if run_id is not None:
                calls, used = await list_tool_calls(tx, run_id), await total_of_run(tx, run_id)
                played = replace(played, calls=calls, used=used)
            if played.draft is not None:
                evidence = await list_evidence(tx, played.draft.id)
                approval = await get_approval_of(tx, played.draft.id)
                played = replace(played, evidence=evidence, approval=approval)
        return played


_asked: ContextVar[LanguageModel] = ContextVar("asked_model")


def _chosen(_: ModelChoice) -> LanguageModel:
    return _asked.get()


class Arena:
    """A database for rooms, with what the runs in them share. `tools` are the product's unless a test brings its own."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        *,
        embedder: Embedder | None = None,
        tools: Sequence[Tool[BaseModel]] | None = None,
    ) -> None:
        self.db = db
        self.graph = PostgresGraph(db)
        self._dispatcher = Dispatcher(db, self.graph, tools, embedder=embedder)
        self._runtime = Runtime(db, settings, self._dispatcher, _chosen)
        self._tables: list[Table] = []

    async def make_room(self, scene: Scene) -> Room:
        """A fresh organization that looks like the scene."""
        builder = system(uuid7())
        with clock.frozen(scene.now):
            async with self.db.transaction(builder, "arena.make_room") as tx:
                made = await furnish(tx, scene)
            if scene.acquaintances:
                await rebuild(self.db, builder, self.graph)
        owner = Principal(PrincipalKind.USER, made.user_id, builder.organization_id, scopes=frozenset({"*"}))
        return Room(self.db, owner, made.account, made.bidi_id, made.contact_id, scene, made.ids)

    async def work(self, place: Place, run_id: RunId, model: LanguageModel) -> Run:
        """Carry a run out under the product's own policy, every seat asking this model; the run as it ended."""
        token = _asked.set(model)
        try:
            await self._runtime.execute(place.owner.organization_id, run_id)
        finally:
            _asked.reset(token)
        async with self.db.transaction(place.owner, "arena.work") as tx:
            return await get_run(tx, run_id)

    async def decide(self, place: Place, run_id: RunId, *, approves: bool) -> None:
        """A person decides about every call that a run asks about, and what they approve is carried out, in order."""
        async with self.db.transaction(place.owner, "arena.asked") as tx:
            cards = await list_tool_approvals(tx, run_id=run_id, status=ApprovalStatus.OPEN)
        for card in cards:
            async with self.db.transaction(place.owner, "arena.decide") as tx:
                if approves:
                    await approve_call(tx, card.id, is_checked=True)
                else:
                    await reject_call(tx, card.id)
            await self._dispatcher.carry_out(system(place.owner.organization_id), card.id)

    async def look(self, place: Place) -> Rows:
        """Every row of the organization, to be compared with a later look."""
        async with self.db.transaction(place.owner, "arena.look") as tx:
            self._tables = self._tables or await list_tables(tx)
            return await take_picture(tx, self._tables)
