"""Runs that are run again, dry: each is one piece of due work. One that was cut off is begun anew, for it did nothing."""

from core.db import Tx
from crm.runs import replays
from crm.runs.replays import ReplayResult, ReplayStatus
from events.ids import ReplayId
from worker.jobs import Job


async def play_replay(job: Job) -> None:
    """Play a replay that waits, and keep what came of it."""
    replay_id = ReplayId(job.subject_id)
    async with job.transaction("load") as tx:
        replay = await replays.get_replay(tx, replay_id)
    if replay.status is not ReplayStatus.WAITING:
        return
    result = await job.services.replayer.play(job.principal.organization_id, replay)
    async with job.transaction("record") as tx:
        await replays.record_replay(tx, replay_id, result)


async def fail_replay(tx: Tx, job: Job, reason: str) -> None:
    """One that could not be played however often it was tried."""
    await replays.record_replay(tx, ReplayId(job.subject_id), ReplayResult(reason=reason, is_failed=True))
