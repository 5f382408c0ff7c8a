"""The real servers of a test session: PostgreSQL and Redis per xdist worker, one Neo4j for all of them."""

import fcntl
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from infra import embedded
from infra.migrate import migrate
from infra.servers import dovecot
from infra.servers import neo4j as neo4j_server
from infra.servers.dovecot import Dovecot
from infra.servers.neo4j import Neo4jConfig

_RELEASE_SECONDS = 300.0


@contextmanager
def migrated_servers(folder: Path) -> Iterator[embedded.Servers]:
    """PostgreSQL with the newest schema, and Redis; nothing survives the block."""
    with embedded.start(folder, embedded.Wanted(durable=False)) as servers:
        migrate(servers.urls.database_url_migrator)
        yield servers


@contextmanager
def running_dovecot() -> Iterator[Dovecot]:
    """Dovecot in a folder of its own: its mail belongs to `nobody`, and pytest shuts the folders of one session when
    the next one begins."""
    with tempfile.TemporaryDirectory(prefix="dovecot-", ignore_cleanup_errors=True) as folder:
        running = dovecot.start(Path(folder))
        try:
            yield running
        finally:
            running.stop()


@contextmanager
def shared_neo4j(folder: Path) -> Iterator[Neo4jConfig]:
    """The session's Neo4j: whoever asks first starts it, and stops it once the others have let go."""
    folder.mkdir(parents=True, exist_ok=True)
    announced = folder / "neo4j.json"
    started = None
    with folder.joinpath("users").open("a") as users, folder.joinpath("starting").open("a") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)
        if not announced.exists():
            started = neo4j_server.start(folder / "neo4j", neo4j_server.fetch_jars(), heap="512m")
            neo4j_server.await_ready(started)
            announced.write_text(json.dumps(asdict(started.config)))
        fcntl.flock(starting, fcntl.LOCK_UN)
        try:
            yield Neo4jConfig(**json.loads(announced.read_text()))
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            if started is not None:
                _await_release(users.fileno())
                started.kill()


def _await_release(users: int) -> None:
    deadline = time.monotonic() + _RELEASE_SECONDS
    while time.monotonic() < deadline:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(0.1)
