"""The environment in which ragas judges: made once in the user's cache, of exactly what its lock pins."""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from evals.judging.judge import LOCK, Interpreter
from infra.packages import exclusive, installer, user_cache
from infra.servers.processes import ServerFailed

_INSTALL_SECONDS = 900.0


def interpreter() -> Interpreter:
    """A Python that has ragas, installed now if need be, in an environment that tells nothing. Raises: ServerFailed."""
    kept = user_cache() / "judge"
    folder = kept / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    python = folder / "bin" / "python"
    kept.mkdir(parents=True, exist_ok=True)
    with exclusive(kept / "lock"):
        if not (folder / "complete").exists():
            print("Installing ragas for the judge, once.", file=sys.stderr)
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=False, symlinks=True)
            _install(python)
            (folder / "complete").touch()
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return Interpreter(python, {**inherited, "RAGAS_DO_NOT_TRACK": "true"})


def _install(python: Path) -> None:
    command = [*installer(str(python)), "--quiet", "--require-hashes", "--requirement", str(LOCK)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_INSTALL_SECONDS)
    except subprocess.TimeoutExpired as err:
        raise ServerFailed(f"ragas did not come in {_INSTALL_SECONDS:.0f} s; try again.") from err
    if done.returncode != 0:
        reason = (done.stderr or done.stdout).strip()[-600:]
        raise ServerFailed(f"ragas could not be installed; try again. {reason}")
