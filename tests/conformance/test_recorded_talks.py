"""Runs of the memory writer and the follow-up agent that an older build left half done go on with this one."""

import pytest

from agents.llm.base import ModelReply, ModelRequest
from agents.llm.offline.model import OfflineModel
from core.db import Database
from core.settings import Settings
from crm.runs.actions import claim_run
from tests.support import recorded_checkpoints, recorded_talks
from tests.support.following import Team
from tests.support.organizations import make_organization
from tests.support.recorded_talks import FOLDER, NOW
from tests.support.world import make_world

# The step whose checkpoint holds what the model answered.
ANSWERED = 2


class Listening(OfflineModel):
    """The offline model, which remembers whether it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def complete(self, request: ModelRequest) -> ModelReply:
        self.asked += 1
        return await super().complete(request)


def test_thirty_checkpoints_of_each_version_are_kept() -> None:
    kept = {file.name: len(recorded_talks.load(file.name)) for file in FOLDER.glob("*.jsonl")}

    assert kept.keys() >= {"memory_writer-1.jsonl", "follow_up-1.jsonl"}
    assert min(kept.values()) >= 30


@pytest.mark.parametrize("name", sorted(file.name for file in FOLDER.glob("*.jsonl")))
async def test_a_run_goes_on_from_a_checkpoint_of_an_older_build(
    name: str, database: Database, settings: Settings
) -> None:
    for recorded in recorded_talks.load(name):
        team = Team(await make_world(database, await make_organization(database)), settings, NOW)
        messages = await recorded_talks.play(team, recorded.lines)
        if name.startswith("follow_up"):
            await team.rest()
            (promise,) = await team.promises()
            run_id = await team.ask_to_follow(promise)
        else:
            run_id = await team.ask_to_read()
        assert run_id is not None
        async with database.transaction(team.world.owner, "test") as tx:
            assert await claim_run(tx, run_id, -1)
        await recorded_checkpoints.lay_down(database, team.world.owner, recorded.about(messages), run_id)
        team.model = model = Listening()

        run = await team.work(run_id)

        assert run is not None
        assert run.outcome == recorded.outcome, (recorded.lines, recorded.step, run.reason)
        assert bool(model.asked) == (recorded.step < ANSWERED), (recorded.lines, recorded.step)
