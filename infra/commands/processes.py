"""Starting everything, and each process by itself."""

import asyncio
import importlib
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import typer

from core.settings import Settings, load
from infra.commands.running import connected, fail


def up(
    neo4j: Annotated[
        bool, typer.Option("--neo4j/--no-neo4j", help="Run Neo4j where Java and Maven are.")
    ] = True,
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Seed the demo organization.")] = True,
    local_model: Annotated[
        bool,
        typer.Option("--local-model", help="Let agents ask a small real model on this machine (1.1 GB)."),
    ] = False,
) -> None:
    """Start everything and stop it with Ctrl-C."""
    from infra import up as starting

    sys.exit(starting.run(load(), starting.Options(neo4j=neo4j, demo=demo, local_model=local_model)))


def api() -> None:
    """Serve the web pages and the API."""
    import uvicorn

    settings = connected("database_url")
    config = uvicorn.Config(
        "api.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port or 8000,
        log_level="warning",
        access_log=False,
        # the frames of clients are small, and the server's too short to gain from compression
        ws_max_size=64 * 1024,
        ws_per_message_deflate=False,
        # open pages hold a stream of events, which never ends by itself
        timeout_graceful_shutdown=3,
    )
    handed_over = [socket.socket(fileno=settings.listen_fd)] if settings.listen_fd is not None else None
    uvicorn.Server(config).run(sockets=handed_over)


def worker() -> None:
    """Carry out reactions to events, agent runs and sends."""
    _run_process("worker.process")


def relay() -> None:
    """Hand events and due work to the workers."""
    _run_process("worker.relay")


def listen() -> None:
    """Keep the long-lived channel connections."""
    _run_process("worker.listeners")


def embed() -> None:
    """Hold the embedding model of this machine and serve it to the other processes."""
    from memory.embeddings import server
    from memory.embeddings.weights import WeightsUnusable

    try:
        asyncio.run(server.main(load()))
    except (WeightsUnusable, OSError) as err:
        fail(str(err))


def _run_process(module: str) -> None:
    settings = connected("database_url_worker")
    entry: Callable[[Settings], Coroutine[Any, Any, None]] = importlib.import_module(module).main
    asyncio.run(entry(settings))
