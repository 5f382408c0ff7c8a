"""Processes of the product that share one load of its code: loading costs each of them up to seven seconds of a core."""

import multiprocessing
import os
import sys
from collections.abc import Mapping
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["infra.cli", "api.main", "worker.process", "worker.relay", "worker.listeners"]
)


class Forked:
    """A process that began as a copy of one which has loaded the code; otherwise like one that was executed."""

    def __init__(self, name: str, environment: Mapping[str, str], log: Path) -> None:
        self._process = _context.Process(target=_run, args=(name, dict(environment), log))
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float) -> int:
        """Raises: TimeoutError."""
        self._process.join(timeout)
        if (code := self._process.exitcode) is None:
            raise TimeoutError
        return code


def _run(name: str, environment: Mapping[str, str], log: Path) -> None:
    with log.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ.update(environment)
    sys.argv = ["getsale", name]

    from infra.cli import main  # loaded by now, and not to be loaded by tests

    main()
