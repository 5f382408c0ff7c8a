"""The bench of kills on a small scale, and its counting on planted faults."""

from pathlib import Path

from infra.bench.chaos import Plan, Settled, doubled, missing, play
from tests.support.servers import migrated_servers


async def test_nothing_is_lost_stuck_or_done_twice_under_kills(tmp_path: Path) -> None:
    with migrated_servers(tmp_path / "servers") as servers:
        outcome = await play(tmp_path, servers.urls, Plan(runs=12, kills=6, freezes=2))

    assert len(outcome.accepted_at) == 12
    assert (outcome.lost, outcome.stuck, outcome.duplicates) == (0, 0, 0)


def test_what_comes_twice_or_never_is_counted() -> None:
    received = {"once": 1, "twice": 2, "unknown": 0, "person": 0}
    settled = {
        "once": Settled(1),
        "twice": Settled(1),
        "two rows": Settled(2),
        "never": Settled(1),
        "unknown": Settled(1, is_unknown=True),
        "person": Settled(0, is_handed_off=True),
    }

    assert doubled(received, settled) == {"twice", "two rows"}
    assert missing(received, settled) == {"never", "two rows"}
