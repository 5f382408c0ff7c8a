"""The embedded servers of one data folder: started once, found by every command, gone with their owner."""

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Protocol, Self

from infra.servers import postgres as postgres_server
from infra.servers import redis as redis_server
from infra.servers.processes import Recorded, ServerFailed, nobody, recorded, stop_stray

# A unix socket's path may have 107 bytes; PostgreSQL's own part of it takes 20.
_SOCKET_FOLDER_BYTES = 80
_START_SECONDS = 60.0


@dataclass(frozen=True)
class Urls:
    """How to reach the servers, as the environment names it; what is '' is not embedded."""

    database_url: str = ""
    database_url_worker: str = ""
    database_url_migrator: str = ""
    redis_url: str = ""

    def environment(self) -> dict[str, str]:
        return {name.upper(): url for name, url in asdict(self).items() if url}


@dataclass(frozen=True)
class Wanted:
    """Which servers to start, and how."""

    postgres: bool = True
    redis: bool = True
    durable: bool = True


EVERYTHING = Wanted()


class _Running(Protocol):
    """One running server."""

    @property
    def process(self) -> "subprocess.Popen[bytes]": ...

    def urls(self) -> dict[str, str]:
        """Its addresses, by the field of `Urls`."""

    def again(self) -> Self:
        """Start it once more after it has ended."""

    def stop(self) -> None: ...


class Servers:
    """Running servers that this process owns; a context manager."""

    def __init__(self, data: Path, running: dict[str, "_Running"], owned: ExitStack) -> None:
        self.data = data
        self.urls = _urls(running)
        self._running = running
        self._owned = owned
        self._owned.callback(self._stop_all)
        _record(data, running)

    def revive(self) -> list[str]:
        """Start again, under the same addresses, what has ended by itself; returns the names."""
        ended = [name for name, server in self._running.items() if server.process.poll() is not None]
        for name in ended:
            self._running[name] = self._running[name].again()
            _record(self.data, self._running)
        return ended

    def _stop_all(self) -> None:
        for server in self._running.values():
            server.stop()

    def stop(self) -> None:
        """Stop everything and remove what shows that it ran; the data stays."""
        self._owned.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(data: Path, wanted: Wanted = EVERYTHING) -> Servers:
    """Start the servers of a data folder; they end with this process, even if it is killed.

    Raises: ServerFailed when one does not come up, or when another process runs them already.
    """
    data = data.absolute()
    data.mkdir(parents=True, exist_ok=True)
    with ExitStack() as starting:
        lock = _try_lock(data)
        if lock is None:
            raise ServerFailed(
                f"GetSale runs already over the data folder {data}; stop it, or set GETSALE_DATA."
            )
        starting.callback(lock.close)
        _clean_up_strays(data)
        sockets = _socket_folder(data)
        starting.callback(shutil.rmtree, sockets, ignore_errors=True)
        starting.callback(_run_file(data).unlink, missing_ok=True)
        return Servers(data, _start_wanted(data, sockets, wanted), starting.pop_all())


def _start_wanted(data: Path, sockets: Path, wanted: Wanted) -> dict[str, "_Running"]:
    running: dict[str, _Running] = {}
    try:
        if wanted.postgres:
            running["postgres"] = postgres_server.start(data / "postgres", sockets, durable=wanted.durable)
        if wanted.redis:
            running["redis"] = redis_server.start(data / "redis", sockets)
    except BaseException:
        for server in running.values():
            server.stop()
        raise
    return running


def _urls(running: dict[str, "_Running"]) -> Urls:
    urls: dict[str, str] = {}
    for server in running.values():
        urls |= server.urls()
    return Urls(**urls)


def find_running(data: Path, patience_seconds: float = _START_SECONDS) -> Urls | None:
    """The servers that another process runs over the data folder, if any; waits while they come up."""
    data = data.absolute()
    deadline = time.monotonic() + patience_seconds
    while _is_locked(data):
        if _run_file(data).exists():
            return Urls(**json.loads(_run_file(data).read_text())["urls"])
        if time.monotonic() > deadline:
            raise ServerFailed(f"Another process holds {data} but its servers do not come up; stop it.")
        time.sleep(0.1)
    return None


@contextmanager
def servers_of(data: Path, wanted: Wanted = EVERYTHING) -> Iterator[tuple[Urls, bool]]:
    """The servers of a running `getsale up` over the same data folder, or our own for the block's duration.

    Yields their URLs, and whether they are our own.
    """
    running = find_running(data)
    if running is not None:
        yield running, False
        return
    with start(data, wanted) as servers:
        yield servers.urls, True


def _try_lock(data: Path) -> TextIOWrapper | None:
    """The folder's lock, held until the file is closed: it goes with the process, so it is never stale."""
    file = data.joinpath("lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _is_locked(data: Path) -> bool:
    if not data.joinpath("lock").exists():
        return False
    lock = _try_lock(data)
    if lock is None:
        return True
    lock.close()
    return False


def _socket_folder(data: Path) -> Path:
    """A folder of our own for sockets: beside the data, or in the temporary folder when that path is too long."""
    beside = data / "sockets"
    if len(os.fsencode(beside)) > _SOCKET_FOLDER_BYTES:
        beside = Path("/tmp") / f"getsale-{_digest(data)}"
        if beside.exists() and beside.lstat().st_uid not in (os.geteuid(), *_nobody()):
            return Path(tempfile.mkdtemp(prefix="getsale-", dir="/tmp"))
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700)
    return beside


def _nobody() -> tuple[int, ...]:
    return nobody()[:1] if os.geteuid() == 0 else ()


def _digest(data: Path) -> str:
    return hashlib.sha256(os.fsencode(data)).hexdigest()[:12]


def _run_file(data: Path) -> Path:
    return data / "run.json"


def _record(data: Path, running: dict[str, "_Running"]) -> None:
    pids = {name: asdict(recorded(server.process.pid)) for name, server in running.items()}
    partial = _run_file(data).with_suffix(".partial")
    partial.write_text(json.dumps({"urls": asdict(_urls(running)), "pids": pids}))
    partial.chmod(0o600)
    partial.rename(_run_file(data))


def _clean_up_strays(data: Path) -> None:
    """End what an owner that was killed left behind (where the kernel did not do so by itself)."""
    try:
        pids = json.loads(_run_file(data).read_text())["pids"]
    except (FileNotFoundError, ValueError, KeyError):
        return
    for name, ending in (("postgres", signal.SIGINT), ("redis", signal.SIGTERM)):
        if name in pids:
            stop_stray(Recorded(**pids[name]), ending, patience_seconds=8)
    _run_file(data).unlink(missing_ok=True)
