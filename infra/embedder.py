"""Runs `getsale embed` for as long as a block needs it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2

from infra.fleet import ROOT
from infra.servers.processes import ServerFailed, dying_with_parent, free_port, stop

_READY_SECONDS = 180.0


@dataclass(frozen=True)
class Embedder:
    """A running process: where it is reached, and its id."""

    url: str
    pid: int


@contextmanager
def running_embedder() -> Iterator[Embedder]:
    """A process that holds the model and is ready. Raises: ServerFailed."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.cli", "embed"],
        cwd=ROOT,
        env=os.environ | {"METRICS_PORT": str(port), "HOST": "127.0.0.1", "LOG_LEVEL": "warning"},
        stdout=sys.stderr,
        preexec_fn=dying_with_parent(signal.SIGKILL),
    )
    try:
        _await_ready(process, f"http://127.0.0.1:{port}/readyz")
        yield Embedder(f"http://127.0.0.1:{port}/v1", process.pid)
    finally:
        stop(process, signal.SIGTERM, patience_seconds=10)


def _await_ready(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx2.get(url, trust_env=False).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.05)
    raise ServerFailed("The embedding process did not become ready; its log above says why.")
