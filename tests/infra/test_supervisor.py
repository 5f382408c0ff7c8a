"""The supervisor: restarts, readable logs, no address before its time, and an end that leaves nothing."""

import asyncio
import io
import os
import signal
import sys
import time
from pathlib import Path

from infra.servers.processes import recorded
from infra.supervisor import Log, Program, Supervisor

_STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(99)"


def _program(name: str, code: str) -> Program:
    return Program(name, [sys.executable, "-c", code], os.environ)


async def _until(output: io.StringIO, text: str) -> None:
    for _ in range(500):
        if text in output.getvalue():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError(output.getvalue())


async def test_every_line_says_whose_it_is() -> None:
    output = io.StringIO()
    supervisor = Supervisor(Log(["api", "worker"], output))

    await supervisor.start(_program("api", "print('hello'); import time; time.sleep(99)"))
    await _until(output, "hello")
    await supervisor.stop()

    assert "api    | hello\n" in output.getvalue()


async def test_a_crashed_process_starts_again(tmp_path: Path) -> None:
    output, marker = io.StringIO(), tmp_path / "marker"
    supervisor = Supervisor(Log(["relay"], output))
    code = f"import pathlib, sys, time; p = pathlib.Path({str(marker)!r})\n"
    code += "if not p.exists(): p.touch(); sys.exit(3)\n"
    code += "print('second life', flush=True); time.sleep(99)"

    await supervisor.start(_program("relay", code))
    await _until(output, "second life")
    await supervisor.stop()

    assert "ended (exit code 3)" in output.getvalue()


async def test_a_process_that_ignores_sigterm_is_killed() -> None:
    output = io.StringIO()
    supervisor = Supervisor(Log(["api"], output), patience_seconds=0.3)
    await supervisor.start(_program("api", _STUBBORN))
    await _until(output, "up")
    [pid] = supervisor.pids().values()

    await supervisor.stop()

    assert not recorded(pid).is_alive


async def test_a_second_interrupt_waits_no_longer() -> None:
    output = io.StringIO()
    supervisor = Supervisor(Log(["api"], output), patience_seconds=30)
    await supervisor.start(_program("api", _STUBBORN))
    await _until(output, "up")
    began = time.monotonic()

    stopping = asyncio.create_task(supervisor.stop())
    await asyncio.sleep(0.1)
    supervisor.hurry()
    await stopping

    assert time.monotonic() - began < 5


async def test_addresses_are_held_back_until_released() -> None:
    output = io.StringIO()
    log = Log(["telegram"], output)
    log.write("telegram", "Bot API peer: http://127.0.0.1:8081")
    log.write("telegram", "started")
    before = output.getvalue()

    log.release()

    assert before == "telegram | started\n"
    assert output.getvalue() == "telegram | started\ntelegram | Bot API peer: http://127.0.0.1:8081\n"


async def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    code = f"""
import asyncio, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from infra.supervisor import Log, Program, Supervisor
async def run():
    supervisor = Supervisor(Log(["child"]))
    await supervisor.start(Program("child", [sys.executable, "-c", "import time; time.sleep(99)"], {{}}))
    print(*supervisor.pids().values(), flush=True)
    await asyncio.sleep(99)
asyncio.run(run())
"""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    child = recorded(int(await parent.stdout.readline()))

    parent.send_signal(signal.SIGKILL)
    await parent.wait()

    for _ in range(250):
        if child.is_alive:
            await asyncio.sleep(0.02)
    assert not child.is_alive
