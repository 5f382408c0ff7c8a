"""Running a run again in a test: the worker's part, and a picture of every row of an organization."""

from dataclasses import dataclass

from agents.llm.base import LanguageModel
from agents.replaying import Replayer
from core.db import Database
from core.principal import Principal
from core.settings import Settings
from crm.runs import replays
from crm.runs.replays import NewReplay, Replay
from graph.postgres import PostgresGraph
from tests.support.isolation.catalogue import Admin, read_catalogue
from tests.support.isolation.tenants import contents
from tools.dispatch import Dispatcher


@dataclass(frozen=True)
class Rehearsing:
    """`owner` asks for replays, and reads what came of them."""

    db: Database
    settings: Settings
    owner: Principal

    async def ask(self, new: NewReplay, *, by: Principal | None = None) -> Replay:
        async with self.db.transaction(by or self.owner, "test") as tx:
            return await replays.ask_replay(tx, new)

    async def play(self, replay: Replay, model: LanguageModel) -> Replay:
        dispatcher = Dispatcher(self.db, PostgresGraph(self.db))
        replayer = Replayer(self.db, self.settings, dispatcher, lambda _: model)
        result = await replayer.play(self.owner.organization_id, replay)
        async with self.db.transaction(self.owner, "test") as tx:
            await replays.record_replay(tx, replay.id, result)
            return await replays.get_replay(tx, replay.id)

    async def rows(self, admin: Admin) -> dict[str, str]:
        """Every row of the organization by table, read above its policies."""
        return await contents(admin, await read_catalogue(admin), self.owner.organization_id)
