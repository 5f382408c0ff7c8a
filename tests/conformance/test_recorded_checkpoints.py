"""Runs that an older build left half done go on with this one. A new version of a graph adds a file, and keeps the old.

`python -m tests.support.recorded_checkpoints NAME.jsonl` writes those of the graph as it is now.
"""

import pytest

from agents.llm.base import ModelReply, ModelRequest
from agents.llm.offline.model import OfflineModel
from core.db import Database
from core.settings import Settings
from crm.runs.actions import claim_run
from evals.arena import Arena
from tests.support import recorded_checkpoints
from tests.support.recorded_checkpoints import FOLDER


class Listening(OfflineModel):
    """The offline model, which remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: list[str] = []

    async def complete(self, request: ModelRequest) -> ModelReply:
        self.tasks.append(request.task)
        return await super().complete(request)


@pytest.fixture
def arena(database: Database, settings: Settings) -> Arena:
    return Arena(database, settings)


def test_thirty_checkpoints_of_each_version_are_kept() -> None:
    kept = {file.name: len(recorded_checkpoints.load(file.name)) for file in FOLDER.glob("*.jsonl")}

    assert kept
    assert min(kept.values()) >= 30


@pytest.mark.parametrize("name", sorted(file.name for file in FOLDER.glob("*.jsonl")))
async def test_a_run_goes_on_from_a_checkpoint_of_an_older_build(
    name: str, arena: Arena, database: Database
) -> None:
    for recorded in recorded_checkpoints.load(name):
        room, model = await arena.make_room(recorded.scene), Listening()
        with room.clock():
            run_id = await room.hear(*recorded.lines)
            assert run_id is not None
            async with database.transaction(room.owner, "test") as tx:
                assert await claim_run(tx, run_id, -1)
            await recorded_checkpoints.lay_down(database, room.owner, recorded, run_id)
            run = await arena.work(room, run_id, model)

        assert run.outcome == recorded.outcome, (recorded.lines, recorded.step, run.reason)
        assert ("triage" in model.tasks) == (recorded.step < 1), (recorded.lines, recorded.step)
