"""Serve the local model: `python -m infra.local_model --port 8091`; the supervisor of `getsale up` runs this."""

import importlib
import os
import signal
import sys
import threading
from typing import Annotated, Any

import typer

from agents.llm.models import LOCAL_CONTEXT_TOKENS
from infra.local_model.fetch import Kept, kept
from infra.servers.processes import ServerFailed


def main(port: Annotated[int, typer.Option(help="On the loopback address only.")] = 8091) -> None:
    """Serve the OpenAI protocol until SIGTERM."""
    found = kept()
    if not found.is_complete:
        raise ServerFailed("The local model is not there; `getsale model fetch` fetches it.")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    server = _serve(found, port)
    print(f"the local model answers at http://127.0.0.1:{port}/v1", flush=True)
    ended.wait()
    del server
    os._exit(0)  # its threads would be waited for, and they wait for the next request


def _serve(found: Kept, port: int) -> Any:
    """Start the server in threads of its own."""
    sys.path.insert(0, str(found.server))
    llama = importlib.import_module("xllamacpp")
    wanted = llama.CommonParams()
    wanted.model.path = str(found.weights)
    wanted.n_ctx = LOCAL_CONTEXT_TOKENS
    wanted.n_parallel = 1
    for processor in (wanted.cpuparams, wanted.cpuparams_batch):
        processor.n_threads = min(os.cpu_count() or 2, 8)
        processor.poll = 0  # threads that wait by spinning come to a crawl when the processor has other work
    wanted.use_jinja = True
    wanted.hostnames = ["127.0.0.1"]
    wanted.port = port
    return llama.Server(wanted)


if __name__ == "__main__":
    typer.run(main)
