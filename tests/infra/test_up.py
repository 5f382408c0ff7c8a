"""`getsale up` as a new user meets it: one command, three lines, and nothing left after Ctrl-C."""

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.servers.processes import free_port, recorded

ROOT = Path(__file__).parents[2]


class Copy:
    """One `getsale up` over a data folder; collects what it prints."""

    def __init__(self, data: Path, *options: str, **settings: str) -> None:
        environment = os.environ | {"GETSALE_DATA": str(data), "QUIET_SECONDS": "0"} | settings
        self.output = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "infra.cli", "up", "--no-neo4j", *options],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line

    def wait_for(self, text: str, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def descendants(self) -> list[int]:
        listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
        pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
        found = [self.process.pid]
        for _ in range(5):
            found += [pid for pid, parent in pairs if parent in found and pid not in found]
        return found[1:]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    running = Copy(tmp_path_factory.mktemp("up"))
    try:
        running.wait_for("Prospect http")
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def _status(url: str, path: str) -> int:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    connection.request("GET", path)
    return connection.getresponse().status


@pytest.mark.xdist_group("up")
def test_the_first_address_printed_is_the_page(copy: Copy) -> None:
    first = re.search(r"\S+://\S+", copy.output)

    assert first is not None
    assert f"Open {first[0]}\n" in copy.output
    assert _status(first[0], "/readyz") == 200


@pytest.mark.xdist_group("up")
def test_the_login_and_the_prospect_are_printed(copy: Copy) -> None:
    prospect = re.search(r"^Prospect (http://[^/]+)", copy.output, re.MULTILINE)

    assert re.search(r"^Login \S+@\S+ \S{10,}$", copy.output, re.MULTILINE)
    assert prospect is not None
    assert _status(prospect[1], "/") in (200, 302)  # the chat, or the way to it


@pytest.mark.xdist_group("up")
def test_ctrl_c_stops_everything_and_a_second_start_keeps_the_login(copy: Copy, tmp_path: Path) -> None:
    own = tmp_path / "own"
    first = Copy(own)
    first.wait_for("Prospect http")
    children = [recorded(pid) for pid in first.descendants()]
    login = re.search(r"^Login .*$", first.output, re.MULTILINE)

    first.stop()

    assert first.process.returncode == 0
    assert [child for child in children if child.is_alive] == []
    assert not own.joinpath("run.json").exists()
    assert re.search(r"^Open (\S+)", first.output, re.MULTILINE)[1] not in copy.output  # type: ignore[index]

    port = str(free_port())
    second = Copy(own, PORT=port)
    try:
        second.wait_for("Prospect http")
        assert f"Open http://127.0.0.1:{port}\n" in second.output
        assert login is not None
        assert login[0] in second.output
    finally:
        second.stop()


@pytest.mark.xdist_group("up")
def test_a_taken_port_is_refused_by_name(copy: Copy, tmp_path: Path) -> None:
    taken = re.search(r"^Open \S+:(\d+)", copy.output, re.MULTILINE)
    assert taken is not None

    refused = Copy(tmp_path / "own", PORT=taken[1])

    assert refused.process.wait(60) == 1
    time.sleep(0.2)
    assert f"Port {taken[1]} (PORT) is taken" in refused.output


def test_half_of_the_database_urls_is_refused_by_name(tmp_path: Path) -> None:
    refused = Copy(tmp_path, DATABASE_URL="postgresql://getsale_app@127.0.0.1/getsale")

    assert refused.process.wait(60) == 1
    time.sleep(0.2)
    assert "Set DATABASE_URL_WORKER and DATABASE_URL_MIGRATOR too" in refused.output
