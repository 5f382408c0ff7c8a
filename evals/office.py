"""A firm of the arena, throw-away like a room: its colleagues ask the copilot, and the owner decides what it asks.

office = await open_office(arena, read_firm())
with office.clock():
    question = await office.ask("Move this deal to Proposal", by="anna", about="deal:havik-freezer-gates")
    await arena.work(office, question.run_id, model)
    played = await office.read_back(question)
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from uuid import UUID

from core import clock
from core.db import Database, Tx
from core.ids import uuid7
from core.principal import Principal, system
from crm.copilot import actions as copilot
from crm.copilot.models import About, AboutKind, Question
from crm.copilot.queries import get_question
from crm.pipelines.queries import list_pipelines, list_stages
from crm.runs.model_calls import total_of_run
from crm.runs.queries import get_run
from crm.runs.tool_calls import list_tool_calls
from crm.search import actions as searching
from crm.search.models import FoundKind
from evals.arena import Arena, Played
from evals.firm import Firm, Furnished, furnish
from events.ids import CopilotChatId
from graph.projector import rebuild


@dataclass(frozen=True)
class Office:
    """One throw-away firm. `ids` are its records, members and stages by what a case calls them."""

    db: Database
    owner: Principal
    firm: Firm
    made: Furnished
    ids: dict[str, UUID]

    def clock(self) -> AbstractContextManager[None]:
        """Time stands still inside the block, at the present of the firm."""
        return clock.frozen(self.firm.now)

    async def ask(
        self, words: str, *, by: str, about: str = "", chat_id: CopilotChatId | None = None
    ) -> Question:
        """A colleague asks, in a new chat or after what was said in one; they look at the record `about`."""
        kind, _, key = about.partition(":")
        seen = About(AboutKind(kind), self.ids[about]) if key else None
        async with self.db.transaction(self.made.members[by], "office.ask") as tx:
            if chat_id is None:
                return await copilot.start_chat(tx, words, seen)
            return await copilot.ask(tx, chat_id, words, seen)

    async def read_back(self, question: Question, *, by: str) -> Played:
        """The question as it was answered, with the calls of its run."""
        async with self.db.transaction(self.made.members[by], "office.answer") as tx:
            answer = await get_question(tx, question.id)
        async with self.db.transaction(self.owner, "office.read_back") as tx:
            return Played(
                run=await get_run(tx, question.run_id),
                calls=await list_tool_calls(tx, question.run_id),
                used=await total_of_run(tx, question.run_id),
                ids=self.ids,
                answer=answer,
            )


async def open_office(arena: Arena, firm: Firm) -> Office:
    """A fresh organization that is this firm, with everything found by search and by who knows whom."""
    builder = system(uuid7())
    with clock.frozen(firm.now):
        async with arena.db.transaction(builder, "office.furnish") as tx:
            made = await furnish(tx, firm)
            for kind in FoundKind:
                await searching.index_next(tx, kind)
            ids = await _ids(tx, made)
        await rebuild(arena.db, builder, arena.graph)
    owner = next(one.key for one in firm.members if one.role.value == "owner")
    return Office(arena.db, made.members[owner], firm, made, ids)


async def _ids(tx: Tx, made: Furnished) -> dict[str, UUID]:
    """Everything that a case may name: `deal:KEY`, `member:KEY`, `user:KEY`, `stage:NAME` ..."""
    ids = {**made.ids}
    ids |= {f"member:{key}": id for key, id in made.member_ids.items()}
    ids |= {f"user:{key}": UUID(str(member.id)) for key, member in made.members.items()}
    for pipeline in await list_pipelines(tx):
        ids |= {f"stage:{stage.name}": stage.id for stage in await list_stages(tx, pipeline.id)}
    return ids
