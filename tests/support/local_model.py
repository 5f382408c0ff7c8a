"""The real local model for the long tier: fetched once into the user's cache, served as `getsale up` serves it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

from infra.local_model.fetch import fetch
from infra.servers.processes import free_port

_ROOT = Path(__file__).parents[2]
_LOAD_SECONDS = 120


@asynccontextmanager
async def running_local_model(folder: Path) -> AsyncIterator[str]:
    """Its base URL, for as long as the block runs."""
    await asyncio.to_thread(fetch)
    port = free_port()
    server = _started(port, folder / "local-model.log")
    try:
        await _loaded(port, server)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        await asyncio.to_thread(server.wait, 20)


def _started(port: int, log: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "infra.local_model", "--port", str(port)]
    with log.open("wb") as output:
        return subprocess.Popen(command, cwd=_ROOT, stdout=output, stderr=subprocess.STDOUT)


async def _loaded(port: int, server: "subprocess.Popen[bytes]") -> None:
    async with httpx2.AsyncClient() as client:
        for _ in range(_LOAD_SECONDS * 10):
            assert server.poll() is None, "the local model ended"
            try:
                if (await client.get(f"http://127.0.0.1:{port}/health")).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise TimeoutError("The local model did not load.")
