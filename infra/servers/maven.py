"""Jars from Maven, kept once per user in the cache and fetched by one process at a time."""

import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from infra.packages import exclusive
from infra.servers.processes import ServerFailed, dying_with_parent

_DOWNLOAD_SECONDS = 900.0


def missing_tools() -> list[str]:
    """The programs that the machine lacks to run servers made of jars; empty when all are there."""
    return [tool for tool in ("java", "mvn") if shutil.which(tool) is None]


def folder_of(name: str, version: str) -> Path:
    """Where the jars of one version of a server are kept, for every copy of the product of this user."""
    return Path.home() / ".cache" / "getsale" / f"{name}-{version}"


def fetch(what: str, folder: Path, download: Callable[[Path], None]) -> Path:
    """The folder with all jars in it, downloaded unless they are there.

    Raises: ServerFailed when Java or Maven is missing or the download fails.
    """
    if folder.joinpath("complete").exists():
        return folder
    if missing := missing_tools():
        raise ServerFailed(
            f"{what} needs {' and '.join(missing)}: install openjdk-17-jre-headless and maven."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(folder.with_name(f"{folder.name}.lock")):
        if not folder.joinpath("complete").exists():
            download(folder)
            folder.joinpath("complete").touch()
    return folder


def run(what: str, goal: list[str], cwd: Path) -> None:
    """Let Maven work. Raises: ServerFailed with the end of what it said."""
    done = subprocess.run(
        ["mvn", "-q", "-B", *goal],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=_DOWNLOAD_SECONDS,
        preexec_fn=dying_with_parent(signal.SIGTERM),
    )
    if done.returncode != 0:
        raise ServerFailed(f"Maven could not fetch {what}: {(done.stdout + done.stderr).strip()[-600:]}")
