"""Packages that the product fetches only when somebody needs them, into the user's cache."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.servers.processes import ServerFailed


def user_cache() -> Path:
    """The folder that every copy of the product of this user shares."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "getsale"


def installer(python: str) -> Sequence[str]:
    """The command that installs for an interpreter: uv where infra/install.sh finds or puts it, else pip.

    Raises: ServerFailed without either.
    """
    for candidate in (
        "uv",
        str(Path.home() / ".local" / "bin" / "uv"),
        str(user_cache() / "uv" / "bin" / "uv"),
    ):
        if uv := shutil.which(candidate):
            return uv, "pip", "install", "--python", python
    has_pip = subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False)
    if has_pip.returncode == 0:
        return python, "-m", "pip", "install"
    raise ServerFailed("Fetching packages needs uv or pip: run `make install`, which installs uv.")


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Two starts at a time must not fetch into one place."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
