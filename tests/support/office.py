"""An inbox agent at work in a test: a contact with a company, a deal, facts and acquaintances, and its runtime."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from agents.llm.base import LanguageModel
from agents.llm.offline.model import OfflineModel
from agents.llm.scripted import ScriptedModel, Turn
from agents.runtime import Runtime
from core.db import Database
from core.principal import Principal, PrincipalKind
from core.settings import Settings
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact, update_contact
from crm.contacts.models import ContactEdit, NewContact
from crm.contacts.queries import get_contact
from crm.conversations.models import Conversation
from crm.deals.actions import create_deal
from crm.deals.models import NewDeal
from crm.drafts.models import Draft, Evidence
from crm.drafts.queries import find_pending_draft, list_evidence
from crm.facts.actions import assert_relation, assert_text
from crm.pipelines.actions import create_pipeline
from crm.pipelines.queries import list_stages
from crm.runs import actions as runs
from crm.runs import queries as run_queries
from crm.runs.actions import QuietWindow, RunRequest
from crm.runs.models import Run
from crm.runs.tool_calls import ToolCall, list_tool_calls
from events.ids import RunId
from graph.postgres import PostgresGraph
from graph.projector import rebuild
from tests.support.world import World, make_world
from tools.dispatch import Dispatcher

PRICE = "25 to 99 scanners cost €17 each a month, paid yearly; 10 to 24 cost €20 each a month"
OFFLINE = "Scans stay on the device for up to 14 days and go out when the signal is back"
PRICE_RU = "От 25 до 99 сканеров — 17 € за штуку в месяц при оплате за год"
OFFLINE_RU = "Сканы хранятся в устройстве до 14 дней и уходят, когда появляется сеть"


@dataclass
class Office:
    """A world with what an agent may know, and the runtime under test. `model` may be replaced between runs."""

    world: World
    settings: Settings
    model: LanguageModel = field(default_factory=OfflineModel)

    @property
    def db(self) -> Database:
        return self.world.db

    @property
    def owner(self) -> Principal:
        return self.world.owner

    def runtime(self, settings: Settings | None = None) -> Runtime:
        dispatcher = Dispatcher(self.db, PostgresGraph(self.db))
        return Runtime(self.db, settings or self.settings, dispatcher, lambda _: self.model)

    def script(self, **tasks: Sequence[dict[str, JsonValue]]) -> None:
        """Let the model play these turns."""
        self.model = ScriptedModel(
            {task: [Turn.model_validate(turn) for turn in turns] for task, turns in tasks.items()}
        )

    async def ask(self, *lines: str) -> RunId:
        """The contact writes, and a run is asked for."""
        for line in lines:
            await self.world.receive(line)
        return await self.request()

    async def request(self, feedback: str = "") -> RunId:
        conversation = await self.world.conversation()
        async with self.db.transaction(self.owner, "test") as tx:
            request = RunRequest(self.world.bidi_id, "inbox", conversation.id, feedback=feedback)
            run_id = await runs.request_run(tx, request, QuietWindow(0, 0))
        assert run_id is not None
        return run_id

    async def answer(self, *lines: str) -> Run:
        """The contact writes and the agent works; the run as it ended."""
        run_id = await self.ask(*lines)
        return await self.work(run_id)

    async def work(self, run_id: RunId, settings: Settings | None = None) -> Run:
        await self.runtime(settings).execute(self.owner.organization_id, run_id)
        return await self.run(run_id)

    async def run(self, run_id: RunId) -> Run:
        async with self.db.transaction(self.owner, "test") as tx:
            return await run_queries.get_run(tx, run_id)

    async def calls(self, run_id: RunId) -> list[ToolCall]:
        async with self.db.transaction(self.owner, "test") as tx:
            return await list_tool_calls(tx, run_id)

    async def conversation(self) -> Conversation:
        return await self.world.conversation()

    async def draft(self) -> tuple[Draft, list[Evidence]] | None:
        """The open draft with its evidence."""
        conversation = await self.world.conversation()
        async with self.db.transaction(self.owner, "test") as tx:
            draft = await find_pending_draft(tx, conversation.id)
            return (draft, await list_evidence(tx, draft.id)) if draft else None

    async def body(self) -> str:
        """The text of the open draft. Fails when there is none."""
        found = await self.draft()
        assert found is not None
        return found[0].body


async def make_office(db: Database, owner: Principal, settings: Settings, *, language: str = "en") -> Office:
    """Vera Lind of Lind Logistics, who has never been written to; Ilya on our side knows Tomas, whom she knows."""
    world = await make_world(db, owner)
    ilya = Principal(PrincipalKind.USER, owner.id, owner.organization_id, scopes=owner.scopes)
    async with db.transaction(owner, "test") as tx:
        vera = await create_contact(
            tx, NewContact("Vera Lind", title="Head of operations", handles=world.handles)
        )
        tomas = await create_contact(tx, NewContact("Tomas Ferreira", title="Procurement"))
        company = await create_company(tx, NewCompany("Lind Logistics", domain="lind.example"))
        vera = await get_contact(tx, vera.id)
        await update_contact(
            tx, vera.id, ContactEdit(company_id=company.id, language=language), version=vera.version
        )
        pipeline = await create_pipeline(tx, "Sales")
        stages = {stage.name: stage for stage in await list_stages(tx, pipeline.id)}
        name = "40 сканеров, склад в Мальмё" if language == "ru" else "40 scanners, Malmö warehouse"
        await create_deal(
            tx,
            NewDeal(
                name, stages["Proposal"].id, company_id=company.id, contact_id=vera.id, amount_minor=816000
            ),
        )
        about = ("company", company.id)
        price, offline = (PRICE_RU, OFFLINE_RU) if language == "ru" else (PRICE, OFFLINE)
        await assert_text(tx, subject=about, predicate="price", text=price, source_label="Price list 2026")
        await assert_text(tx, subject=about, predicate="offline", text=offline, source_label="Pilot report")
        await assert_text(tx, subject=("contact", vera.id), predicate="budget", text="Budget is 9000")
        await assert_relation(
            tx, subject=("contact", vera.id), predicate="knows", object=("contact", tomas.id), strength=0.7
        )
        await assert_relation(
            tx, subject=("user", ilya.id), predicate="knows", object=("contact", tomas.id), strength=0.6
        )
    await rebuild(db, owner, PostgresGraph(db))
    return Office(world, settings)
