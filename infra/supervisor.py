"""The processes of one machine under one parent: readable logs, restarts, and an end that leaves nothing."""

import asyncio
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TextIO

from infra.servers.processes import dying_with_parent

PATIENCE_SECONDS = 12.0
_FIRST_DELAY_SECONDS, _LAST_DELAY_SECONDS = 0.5, 10.0
_STEADY_SECONDS = 30.0
_COLOURS = (36, 32, 33, 35, 34, 31)
_LINE_LIMIT_BYTES = 1 << 20


@dataclass(frozen=True)
class Program:
    """What to run: a name for the log, a command and its whole environment."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    pass_fds: tuple[int, ...] = ()


class Log:
    """Lines of all processes, each with its process's name; web addresses can be held back for a while."""

    def __init__(self, names: list[str], stream: TextIO = sys.stderr) -> None:
        self._stream: TextIO | None = stream
        self._is_coloured = stream.isatty()
        self._width = max((len(name) for name in names), default=0)
        self._colours = {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}
        self._held: list[str] | None = []

    def write(self, name: str, line: str) -> None:
        text = f"{self._prefix(name)} {line}"
        if self._held is not None and "://" in line:
            self._held.append(text)
        else:
            self._print(text)

    def release(self) -> None:
        """Print what was held back, and hold nothing back from now on."""
        held, self._held = self._held or [], None
        for text in held:
            self._print(text)

    def _prefix(self, name: str) -> str:
        padded = f"{name:<{self._width}} |"
        if not self._is_coloured:
            return padded
        return f"\x1b[{self._colours.get(name, 37)}m{padded}\x1b[0m"

    def _print(self, text: str) -> None:
        if self._stream is None:
            return
        try:
            print(text, file=self._stream, flush=True)
        except OSError:
            self._stream = None  # the reader of our output is gone; the product goes on


@dataclass
class _Child:
    program: Program
    process: asyncio.subprocess.Process | None = None
    watching: asyncio.Task[None] | None = None
    delay_seconds: float = _FIRST_DELAY_SECONDS


@dataclass
class Supervisor:
    """Starts programs, starts crashed ones again, and stops them all."""

    log: Log
    patience_seconds: float = PATIENCE_SECONDS
    _children: list[_Child] = field(default_factory=list)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _hurried: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, program: Program) -> None:
        child = _Child(program)
        self._children.append(child)
        await self._spawn(child)
        child.watching = asyncio.create_task(self._keep_running(child))

    def pids(self) -> dict[str, int]:
        """The processes that run now, by name."""
        alive = [child for child in self._children if child.process and child.process.returncode is None]
        return {child.program.name: child.process.pid for child in alive if child.process}

    def hurry(self) -> None:
        """Wait for nobody any more."""
        self._hurried.set()

    async def stop(self) -> None:
        """SIGTERM to all, and SIGKILL to those that are still there when patience ends."""
        self._stopping.set()
        self._signal(signal.SIGTERM)
        await self._gone_or_hurried()
        self._signal(signal.SIGKILL)
        await self._all_gone()

    async def _gone_or_hurried(self) -> None:
        gone = asyncio.create_task(self._all_gone())
        hurried = asyncio.create_task(self._hurried.wait())
        await asyncio.wait(
            {gone, hurried}, timeout=self.patience_seconds, return_when=asyncio.FIRST_COMPLETED
        )
        gone.cancel()
        hurried.cancel()

    async def _all_gone(self) -> bool:
        if self._children:
            await asyncio.wait([child.watching for child in self._children if child.watching])
        return True

    def _signal(self, number: signal.Signals) -> None:
        for child in self._children:
            if child.process and child.process.returncode is None:
                child.process.send_signal(number)

    async def _spawn(self, child: _Child) -> None:
        child.process = await asyncio.create_subprocess_exec(
            *child.program.command,
            env=dict(child.program.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LINE_LIMIT_BYTES,
            pass_fds=child.program.pass_fds,
            start_new_session=True,  # Ctrl-C reaches us alone, and we pass it on once
            preexec_fn=dying_with_parent(signal.SIGKILL),
        )

    async def _keep_running(self, child: _Child) -> None:
        while child.process is not None:
            started = time.monotonic()
            await self._forward(child.program.name, child.process)
            code = await child.process.wait()
            if self._stopping.is_set():
                return
            if time.monotonic() - started > _STEADY_SECONDS:
                child.delay_seconds = _FIRST_DELAY_SECONDS
            self.log.write(
                child.program.name, f"ended ({_how(code)}); starts again in {child.delay_seconds:.1f} s"
            )
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), child.delay_seconds)
            child.delay_seconds = min(child.delay_seconds * 2, _LAST_DELAY_SECONDS)
            if self._stopping.is_set():
                return
            await self._spawn(child)
            if self._stopping.is_set():  # it was not there yet when the others were told
                child.process.terminate()

    async def _forward(self, name: str, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # longer than the limit
                continue
            if not line:
                return
            self.log.write(name, line.decode(errors="replace").rstrip())


def _how(code: int) -> str:
    """An exit code in words."""
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
