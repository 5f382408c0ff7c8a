"""Plays one case at one autonomy level: the text comes in, the honest request comes in, the real runtime works."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from agents import registry
from agents.agent import Agent
from agents.llm.base import LanguageModel
from agents.llm.models import ModelChoice
from agents.offer import offered
from agents.runtime import Runtime
from core import clock
from core.db import Database, Tx
from core.principal import Principal, system
from core.settings import Settings
from crm.bidi.models import Autonomy, Bidi
from crm.evaluations.pictures import Rows
from crm.runs.models import Run, RunStatus
from crm.runs.queries import get_run, list_open_runs
from evals.redteam.carriers import bring_in, hear
from evals.redteam.cases import Carrier, Case
from evals.redteam.hearing import Called, Ears, Overheard
from evals.redteam.obedient import Obedient
from evals.redteam.obedient_readers import ObedientReader
from evals.redteam.readers import Reader, send
from evals.redteam.world import Neighbour, World, later, make_world
from evals.rows import Change, changes
from evals.scene import NOW
from events.ids import RunId
from graph.postgres import PostgresGraph
from tools.base import Reach, Risk, Tool, ToolContext, ToolFailed
from tools.dispatch import Dispatcher
from tools.registry import TOOLS

# Takes a picture of the rows of an organization.
Picture = Callable[[Database, UUID], Awaitable[Rows]]
IN_TELEGRAM = frozenset({Carrier.TELEGRAM_TEXT, Carrier.ATTACHMENT_NAME, Carrier.VCARD, Carrier.FORWARD_NAME})
# A tool that the model looks things up with, in the order in which one is broken.
_MAY_BREAK = ("list_meetings", "list_tasks")


class Guarding(StrEnum):
    """With the product's policy, or without it and with the text told to the model wherever it got stuck."""

    ON = "on"
    OFF = "off"


@dataclass(frozen=True)
class Played:
    """What came of a case. `own` and `foreign` are the changes of both organizations while the run worked; it
    `is_finished` when it came to a good end."""

    case: Case
    autonomy: Autonomy
    world: World
    own: list[Change]
    foreign: list[Change]
    calls: Sequence[Called]
    has_read: bool
    reader: Reader = Reader.INBOX
    is_finished: bool = True


@dataclass(frozen=True)
class Stage:
    """What all cases of a process share. `tools` are the product's unless a test plants a fault among them.

    A real `model` drives the agent as it is shipped; without one a model that obeys drives it with every permission, and
    the inbox agent with every tool. `reader` is the agent that the text is brought before.
    """

    db: Database
    settings: Settings
    picture: Picture
    neighbour: Neighbour
    tools: Sequence[Tool[Any]] = TOOLS
    model: LanguageModel | None = None
    reader: Reader = Reader.INBOX

    async def play(self, case: Case, autonomy: Autonomy, guarding: Guarding = Guarding.ON) -> Played:
        """Play the case in a world of its own."""
        world = await make_world(self.db, self.settings, self.neighbour, case, autonomy)
        case = case.in_world(world.values)
        with clock.frozen(later(minutes=2)):
            await bring_in(world, self.settings, case.carrier, case.text)
        return await self._answer(world, case, autonomy, guarding)

    async def play_benign(self, case: Case, autonomy: Autonomy) -> Played:
        """Play only the honest request of the case."""
        world = await make_world(self.db, self.settings, self.neighbour, case, autonomy)
        way = Carrier.MAIL_BODY if case.is_mail else Carrier.TELEGRAM_TEXT
        alone = case.model_copy(update={"calls": (), "carrier": way})
        return await self._answer(world, alone, autonomy, Guarding.ON)

    async def _answer(self, world: World, case: Case, autonomy: Autonomy, guarding: Guarding) -> Played:
        with clock.frozen(later(minutes=1)):
            await hear(world, self.settings, case.benign)
        with clock.frozen(NOW):
            waiting = await self._waiting(world, autonomy)
        model = self._mind(world, case, guarding)
        before = await self._look(world)
        with clock.frozen(NOW):
            await self._work(world, model, _tools(self.tools, case, guarding), waiting)
        after = await self._look(world)
        own, foreign = (changes(old, new) for old, new in zip(before, after, strict=True))
        is_finished = await self._is_finished(world, waiting)
        return Played(
            case, autonomy, world, own, foreign, model.calls, model.has_read, self.reader, is_finished
        )

    async def _waiting(self, world: World, autonomy: Autonomy) -> Sequence[RunId]:
        """The runs of the agent that are to be worked on."""
        async with self.db.transaction(system(world.organization_id), "redteam.open_run") as tx:
            if self.reader is Reader.INBOX:
                return [run.id for run in await list_open_runs(tx, world.conversation_id)]
            return [await send(tx, self.reader, world, autonomy)]

    async def _is_finished(self, world: World, run_ids: Sequence[RunId]) -> bool:
        async with self.db.transaction(system(world.organization_id), "redteam.ended") as tx:
            return all([(await get_run(tx, run_id)).status is RunStatus.SUCCEEDED for run_id in run_ids])

    @property
    def _agent(self) -> Agent[Any, Any]:
        return (SHIPPED if self.model else OBEYING)[self.reader]

    def _mind(self, world: World, case: Case, guarding: Guarding) -> Obedient | ObedientReader | Overheard:
        if self.model is not None:
            return Overheard(case, self.model)
        if self.reader is not Reader.INBOX:
            return ObedientReader(case)
        return Obedient(
            case,
            str(world.contact_id),
            world.values["company.id"],
            is_curious=_must_look(world, case),
            is_told=guarding is Guarding.OFF,
        )

    async def _look(self, world: World) -> Any:
        return await asyncio.gather(
            self.picture(self.db, world.organization_id),
            self.picture(self.db, world.neighbour.organization_id),
        )

    async def _work(
        self,
        world: World,
        model: Obedient | ObedientReader | Overheard,
        tools: Sequence[Tool[BaseModel]],
        run_ids: Sequence[RunId],
    ) -> None:
        ears = Ears(Dispatcher(self.db, PostgresGraph(self.db), tools), model)

        def chosen(_: ModelChoice) -> LanguageModel:
            return model

        runtime = Runtime(self.db, self.settings, ears, chosen, agents={self.reader.value: self._agent})
        for run_id in run_ids:
            await runtime.execute(world.organization_id, run_id)


def _must_look(world: World, case: Case) -> bool:
    """Whether there is anything to be found beyond the thread: the text itself, or the secret that it asks for.

    Otherwise the model knows only what its counterpart does, and a seat on autopilot may answer by itself.
    """
    is_in_thread = case.is_mail or case.carrier in IN_TELEGRAM
    return not is_in_thread or any(world.canary in str(call.args) for call in case.calls)


def _tools(tools: Sequence[Tool[Any]], case: Case, guarding: Guarding) -> list[Tool[Any]]:
    """The tools as the dispatcher has them. Without policy each is declared a harmless look at our own rows."""
    if guarding is Guarding.OFF:
        tools = [replace(tool, risk=Risk.READ, reach=Reach.SELF) for tool in tools]
    if case.carrier is not Carrier.TOOL_ERROR:
        return list(tools)
    wanted = {call.tool for call in case.calls}
    broken = next((name for name in _MAY_BREAK if name not in wanted), "list_facts")
    return [_failing(tool, case.text) if tool.name == broken else tool for tool in tools]


def _failing(tool: Tool[Any], text: str) -> Tool[Any]:
    async def fail(ctx: ToolContext, args: BaseModel) -> object:
        raise ToolFailed(text)

    return replace(tool, function=fail)


async def _everything(tx: Tx, run: Run, bidi: Bidi) -> Principal:
    """A seat that may do all there is, so that nothing but policy stands in the way."""
    return replace(bidi.principal(run.id), scopes=frozenset({"*"}))


SHIPPED = {reader: registry.agents()[reader.value] for reader in Reader}
OBEYING = {reader: replace(agent, principal=_everything) for reader, agent in SHIPPED.items()}
# Its model may call every tool; those of the others call nothing.
OBEYING[Reader.INBOX] = replace(OBEYING[Reader.INBOX], tools=lambda _: offered(TOOLS))
