"""The real processes for tests and benches: started, watched, restarted at once when they die, killed on demand."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

import aiohttp

from infra.embedded import Urls
from infra.servers.processes import free_port

ROOT = Path(__file__).parents[1]
# Seals the secrets of organizations that live as long as a test.
KEY = "a key for tests only, 32 bytes long"
PROCESSES = ("api", "worker", "relay", "listen", "embed")
# A second worker takes over while the first one starts again.
TWO_WORKERS = (*PROCESSES, "worker.2")


class Running(Protocol):
    """A process of the operating system, as `subprocess.Popen` shows it."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...
    def wait(self, timeout: float) -> int: ...


# Begins `getsale NAME` with these settings in its environment and its output in this file.
Spawn = Callable[[str, Mapping[str, str], Path], Running]


def execute(name: str, environment: Mapping[str, str], log: Path) -> Running:
    """Begin a process as the product does, which loads everything anew."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "infra.cli", name],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )


class Fleet:
    """One of each process over one pair of servers. A process that dies comes back, as under the supervisor."""

    def __init__(self, folder: Path, environment: dict[str, str], port: int, spawn: Spawn) -> None:
        self.folder = folder
        self.port = port
        self.base = f"http://127.0.0.1:{port}"
        self.deaths = 0
        self._environment = environment
        self._begin = spawn
        self._running: dict[str, Running] = {}
        self._ports: dict[str, str] = {}
        self._watcher: asyncio.Task[None] | None = None

    async def start(self, names: tuple[str, ...] = PROCESSES) -> None:
        for folder in ("seen", "arm"):
            (self.folder / "crash" / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            self._spawn(name)
        self._watcher = asyncio.create_task(self._watch())
        await self._wait_ready()

    def _spawn(self, name: str) -> None:
        self._ports.setdefault(name, str(free_port()))
        embeddings = f"http://127.0.0.1:{self._ports.setdefault('embed', str(free_port()))}/v1"
        environment = {"EMBEDDINGS_URL": embeddings} | self._environment | {"METRICS_PORT": self._ports[name]}
        self._running[name] = self._begin(name.partition(".")[0], environment, self.folder / f"{name}.log")

    async def _watch(self) -> None:
        while True:
            for name, process in list(self._running.items()):
                if process.poll() is not None:
                    self.deaths += 1
                    self._spawn(name)
            await asyncio.sleep(0.05)

    async def _wait_ready(self, seconds: float = 180) -> None:
        """Wait until every process says that it is ready."""
        ports = [self.port if name == "api" else int(self._ports[name]) for name in self._running]
        async with aiohttp.ClientSession() as client:
            for _ in range(int(seconds / 0.1)):
                ports = [port for port in ports if not await _is_ready(client, port)]
                if not ports:
                    return
                await asyncio.sleep(0.1)
        raise TimeoutError(f"The fleet is not ready: {self.logs()[-3000:]}")

    def arm(self, point: str) -> None:
        """Kill whichever process reaches the point next."""
        (self.folder / "crash" / "arm" / point).touch()

    def disarm(self, point: str) -> None:
        """Let whoever reaches the point live after all."""
        (self.folder / "crash" / "arm" / point).unlink(missing_ok=True)

    def armed(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "crash" / "arm").iterdir())

    def seen(self) -> list[str]:
        """Every crash point that any process reached so far."""
        return sorted(path.name for path in (self.folder / "crash" / "seen").iterdir())

    def kill(self, name: str) -> None:
        self._running[name].kill()

    def pause(self, name: str) -> None:
        """Take a process away until `resume`."""
        process = self._running.pop(name)
        process.terminate()
        process.wait(30)

    def resume(self, name: str) -> None:
        self._spawn(name)

    def freeze(self, name: str) -> int:
        """Stop a process in the middle of whatever it does, as a machine that stalls; returns its pid for `thaw`."""
        pid = self._running[name].pid
        os.kill(pid, signal.SIGSTOP)
        return pid

    def thaw(self, pid: int) -> None:
        """Let a frozen process go on, unless it was killed meanwhile."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self._running.items()}

    def logs(self) -> str:
        return "\n".join(f"== {path.name}\n{path.read_text()}" for path in sorted(self.folder.glob("*.log")))

    async def stop(self) -> None:
        """Stop every process; `start` brings them back."""
        if self._watcher is not None:
            self._watcher.cancel()
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                await asyncio.to_thread(process.wait, 20)
            except (subprocess.TimeoutExpired, TimeoutError):
                process.kill()
        self._running.clear()


async def _is_ready(client: aiohttp.ClientSession, port: int) -> bool:
    with suppress(aiohttp.ClientError):
        async with client.get(f"http://127.0.0.1:{port}/readyz") as answer:
            return answer.status == 200
    return False


@asynccontextmanager
async def running_fleet(
    folder: Path,
    urls: Urls,
    telegram_base: str,
    names: tuple[str, ...] = PROCESSES,
    spawn: Spawn = execute,
    /,
    **settings: str,
) -> AsyncIterator[Fleet]:
    """A ready fleet with short leases, no quiet window and crash points, unless `settings` say otherwise."""
    port = free_port()
    environment = {
        **urls.environment(),
        "PORT": str(port),
        "HOST": "127.0.0.1",
        "GETSALE_DATA": str(folder),
        "GETSALE_SECRET_KEY": KEY,
        "GETSALE_CRASHPOINTS": str(folder / "crash"),
        "TELEGRAM_API_BASE": telegram_base,
        "TELEGRAM_POLL_SECONDS": "2",
        "GETSALE_INTERNAL_HOSTS": "127.0.0.1",
        "MAIL_IDLE_SECONDS": "5",
        "MAIL_PAUSE_SECONDS": "1",
        "CHANNEL_TIMEOUT_SECONDS": "5",
        "LEASE_SECONDS": "2",
        # a sweep kills innocent jobs too, more often than the five times after which a job is given up
        "MAX_ATTEMPTS": "20",
        "QUIET_SECONDS": "0",
        "LOG_LEVEL": "info",
        **settings,
    }
    fleet = Fleet(folder, environment, port, spawn)
    try:
        await fleet.start(names)
        yield fleet
    finally:
        await fleet.stop()
