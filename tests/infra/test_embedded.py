"""The embedded servers: found by others, apart from other copies, and gone whatever happens to their owner."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from infra import embedded
from infra.servers.processes import ServerFailed, recorded

_OWNER = """
import sys, time
from pathlib import Path
from infra import embedded
servers = embedded.start(Path(sys.argv[1]), embedded.Wanted(durable=False))
print(*(server.process.pid for server in servers._running.values()), flush=True)
time.sleep(600)
"""


@pytest.fixture
def owner(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that runs servers over `tmp_path`."""
    process = subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    yield process
    process.kill()
    process.wait()


def _pids(owner: "subprocess.Popen[str]") -> list[int]:
    assert owner.stdout is not None
    return [int(pid) for pid in owner.stdout.readline().split()]


def _wait_gone(pids: list[int], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while any(recorded(pid).is_alive for pid in pids):
        assert time.monotonic() < deadline, "a server outlived its owner"
        time.sleep(0.05)


def test_servers_end_when_their_owner_is_killed(owner: "subprocess.Popen[str]") -> None:
    pids = _pids(owner)

    owner.send_signal(signal.SIGKILL)

    _wait_gone(pids)


def test_a_start_after_a_kill_keeps_the_data(owner: "subprocess.Popen[str]", tmp_path: Path) -> None:
    _pids(owner)
    running = embedded.find_running(tmp_path)
    assert running is not None
    with psycopg.connect(running.database_url_migrator) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    owner.kill()
    owner.wait()

    with (
        embedded.start(tmp_path, embedded.Wanted(durable=False)) as servers,
        psycopg.connect(servers.urls.database_url_migrator) as connection,
    ):
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_another_process_finds_the_running_servers(owner: "subprocess.Popen[str]", tmp_path: Path) -> None:
    _pids(owner)

    with embedded.servers_of(tmp_path) as (urls, is_ours):
        psycopg.connect(urls.database_url).close()
        assert Redis.from_url(urls.redis_url).ping()

    assert not is_ours


def test_two_owners_of_one_folder_are_refused(owner: "subprocess.Popen[str]", tmp_path: Path) -> None:
    _pids(owner)

    with pytest.raises(ServerFailed, match="runs already"):
        embedded.start(tmp_path)


def test_a_stop_leaves_the_data_only(tmp_path: Path) -> None:
    with embedded.start(tmp_path, embedded.Wanted(durable=False)):
        assert tmp_path.joinpath("run.json").stat().st_mode & 0o777 == 0o600

    assert {path.name for path in tmp_path.iterdir()} == {"lock", "postgres", "redis"}
    assert embedded.find_running(tmp_path) is None


def test_a_long_path_gets_short_sockets_that_go_away(tmp_path: Path) -> None:
    deep = tmp_path / ("long " * 20) / ("deep" * 20)

    with embedded.start(deep, embedded.Wanted(durable=False)) as servers:
        psycopg.connect(servers.urls.database_url).close()
        sockets = Path(servers.urls.database_url.partition("?host=")[2])

    assert not sockets.exists()


def test_a_server_that_dies_comes_back_under_its_address(tmp_path: Path) -> None:
    with embedded.start(tmp_path, embedded.Wanted(durable=False)) as servers:
        for server in servers._running.values():
            os.kill(server.process.pid, signal.SIGKILL)
            server.process.wait()

        revived = servers.revive()

        assert revived == ["postgres", "redis"]
        psycopg.connect(servers.urls.database_url).close()
        assert Redis.from_url(servers.urls.redis_url).ping()
