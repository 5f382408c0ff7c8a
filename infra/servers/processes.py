"""Child processes that end with their parent, and recorded ones that can be recognised again."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class ServerFailed(Exception):
    """A server did not come up or is not there; the text says which one and what to do."""


@dataclass(frozen=True)
class Recorded:
    """A process as written to a file: the start time tells it from a later one with the same pid."""

    pid: int
    started: str

    @property
    def is_alive(self) -> bool:
        return self.started != "" and start_time(self.pid) == self.started


def recorded(pid: int) -> Recorded:
    return Recorded(pid, start_time(pid))


def start_time(pid: int) -> str:
    """When the process began, in the system's own notation; '' when it is gone."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            return ""
        return "" if fields[0] == "Z" else fields[19]
    shown = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip()


def dying_with_parent(ending: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends `ending` to the child when the thread that started it is gone.

    Elsewhere than on Linux this does nothing; the next start over the same data cleans up.
    """

    def tie() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(ending))

    return tie


def unprivileged(ending: signal.Signals) -> list[str]:
    """What to put before a command that refuses to run as root; empty when we are not root.

    The command runs as `nobody`, but may pass through our folders whatever their mode is, so that nothing of
    the user's has to be opened up for it.
    """
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        raise ServerFailed(
            "PostgreSQL does not run as root: install util-linux (setpriv), or run as another user."
        )
    uid, gid = nobody()
    return [
        "setpriv",
        f"--reuid={uid}",
        f"--regid={gid}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        f"--pdeathsig={ending.name.removeprefix('SIG')}",
    ]


def nobody() -> tuple[int, int]:
    """The user and group ids of `nobody`."""
    import pwd  # not there on Windows

    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def stop(process: "subprocess.Popen[bytes]", ending: signal.Signals, patience_seconds: float) -> None:
    """Ask a child to end, and kill it when it does not in time."""
    if process.poll() is None:
        process.send_signal(ending)
        try:
            process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def stop_stray(stray: Recorded, ending: signal.Signals, patience_seconds: float) -> None:
    """End a process that an earlier start left behind."""
    deadline = time.monotonic() + patience_seconds
    if stray.is_alive:
        os.kill(stray.pid, ending)
    while stray.is_alive and time.monotonic() < deadline:
        time.sleep(0.05)
    if stray.is_alive:
        os.kill(stray.pid, signal.SIGKILL)


def free_port() -> int:
    """A TCP port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int, host: str) -> socket.socket | None:
    """A socket that listens on the port from now on, to be handed to a child; None when the port is taken."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind((host, port))
        held.listen(512)
    except OSError:
        held.close()
        return None
    return held


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def tail(log: Path, lines: int = 8) -> str:
    """The end of a log file, for an error message."""
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
