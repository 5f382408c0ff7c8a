"""A team that agents look after: a conversation whose both sides write at chosen times, and the runs that come of it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from agents.llm.base import LanguageModel
from agents.llm.offline.model import OfflineModel
from agents.runtime import Runtime
from core import clock
from core.db import Database
from core.principal import system
from core.settings import Settings
from crm.conversations.actions import compose_message
from crm.conversations.models import Attempt
from crm.conversations.sending import begin_attempt, record_sent
from crm.deals.actions import create_deal
from crm.deals.models import Deal, NewDeal
from crm.facts.models import Fact
from crm.facts.queries import list_facts
from crm.pipelines.actions import create_pipeline
from crm.pipelines.models import NewStage
from crm.pipelines.queries import list_stages
from crm.promises.models import Promise
from crm.promises.queries import list_promises
from crm.runs.models import Run
from crm.runs.queries import get_run
from crm.suggestions import watching
from crm.suggestions.models import Suggestion
from crm.suggestions.queries import list_suggestions
from events.ids import ConversationId, RunId
from graph.postgres import PostgresGraph
from tests.support.world import World
from tools.dispatch import Dispatcher

REST = timedelta(minutes=10)


@dataclass
class Team:
    """`now` moves only when the test says so. `model` may be replaced between runs."""

    world: World
    settings: Settings
    now: datetime
    model: LanguageModel = field(default_factory=OfflineModel)

    @property
    def db(self) -> Database:
        return self.world.db

    async def hear(self, text: str) -> None:
        """The contact writes."""
        self.now += timedelta(minutes=1)
        with clock.frozen(self.now):
            await self.world.receive(text)

    async def say(self, text: str) -> None:
        """Somebody of ours writes, and it arrives."""
        self.now += timedelta(minutes=1)
        conversation = await self.world.conversation()
        with clock.frozen(self.now):
            async with self.db.transaction(self.world.owner, "test") as tx:
                message = await compose_message(tx, conversation.id, body=text)
                attempt = await begin_attempt(tx, message.id, 60)
                assert isinstance(attempt, Attempt)
                await record_sent(tx, attempt, f"m-{message.id}")
                # the row's own time is the server's
                await tx.execute(
                    "UPDATE messages SET occurred_at = %(now)s WHERE id = %(id)s", now=self.now, id=message.id
                )

    async def rest(self) -> Run | None:
        """Nothing was said for a while: the conversation is read."""
        return await self.work(await self.ask_to_read())

    async def ask_to_read(self) -> RunId | None:
        self.now += REST
        conversation = await self.world.conversation()
        with clock.frozen(self.now):
            async with self.db.transaction(system(self.world.owner.organization_id), "test") as tx:
                return await watching.read_at_rest(tx, ConversationId(conversation.id), rest=REST)

    async def fall_due(self, promise: Promise) -> Run | None:
        """The time of a promise comes."""
        return await self.work(await self.ask_to_follow(promise))

    async def ask_to_follow(self, promise: Promise) -> RunId | None:
        self.now = max(self.now, promise.due_at + timedelta(hours=1))
        with clock.frozen(self.now):
            async with self.db.transaction(system(self.world.owner.organization_id), "test") as tx:
                return await watching.follow_promise(tx, promise.id)

    async def look_at(self, deal: Deal) -> Run | None:
        with clock.frozen(self.now):
            async with self.db.transaction(system(self.world.owner.organization_id), "test") as tx:
                run_id = await watching.follow_deal(tx, deal.id)
        return await self.work(run_id)

    async def work(self, run_id: RunId | None) -> Run | None:
        """Carry a run out; the run as it ended."""
        if run_id is None:
            return None
        dispatcher = Dispatcher(self.db, PostgresGraph(self.db))
        runtime = Runtime(self.db, self.settings, dispatcher, lambda _: self.model)
        with clock.frozen(self.now):
            await runtime.execute(self.world.owner.organization_id, run_id)
        async with self.db.transaction(self.world.owner, "test") as tx:
            return await get_run(tx, run_id)

    async def facts(self) -> list[Fact]:
        """What is known of the contact in words, as it holds now, the oldest first."""
        conversation = await self.world.conversation()
        with clock.frozen(self.now):
            async with self.db.transaction(self.world.owner, "test") as tx:
                found = await list_facts(tx, UUID(str(conversation.contact_id)))
        return sorted((one for one in found if one.text), key=lambda one: one.valid_from)

    async def promises(self) -> list[Promise]:
        async with self.db.transaction(self.world.owner, "test") as tx:
            return list(reversed((await list_promises(tx)).items))

    async def suggestions(self) -> list[Suggestion]:
        async with self.db.transaction(self.world.owner, "test") as tx:
            return (await list_suggestions(tx)).items

    async def deal(self, *, limit_hours: int = 72) -> Deal:
        """A deal with the contact in a stage where it may stay for so long."""
        conversation = await self.world.conversation()
        with clock.frozen(self.now):
            async with self.db.transaction(self.world.owner, "test") as tx:
                stages = [NewStage("Talks", limit_hours=limit_hours), NewStage("Offer")]
                pipeline = await create_pipeline(tx, "Sales", stages)
                (first, *_) = await list_stages(tx, pipeline.id)
                return await create_deal(
                    tx, NewDeal("40 scanners", first.id, contact_id=conversation.contact_id)
                )
