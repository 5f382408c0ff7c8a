"""Neo4j 5.26 from its Maven artifacts, on a loopback port of its own, behind a random password."""

import json
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import neo4j
from neo4j.exceptions import AuthError, Neo4jError, ServiceUnavailable

from infra.servers import maven
from infra.servers.maven import missing_tools as missing_tools
from infra.servers.processes import ServerFailed, dying_with_parent, free_port, stop, tail

_POM = Path(__file__).parents[1] / "neo4j" / "pom.xml"
_START_SECONDS = 120.0
_LOGIN_DELAY_SECONDS = 0.2


@dataclass(frozen=True)
class Neo4jConfig:
    """How to reach the graph; also the content of `neo4j.json` in the data folder."""

    uri: str
    user: str
    password: str


@dataclass(frozen=True)
class Neo4jServer:
    process: "subprocess.Popen[bytes]"
    config: Neo4jConfig
    log: Path

    def stop(self) -> None:
        stop(self.process, signal.SIGTERM, patience_seconds=12)

    def kill(self) -> None:
        """End at once, for graphs that nobody will open again."""
        self.process.kill()
        self.process.wait()


def version() -> str:
    """The server's version, as the pom names it."""
    found = re.search(r"<artifactId>neo4j</artifactId>\s*<version>([^<]+)<", _POM.read_text())
    if found is None:
        raise ServerFailed(f"{_POM} names no version of Neo4j.")
    return found[1]


def jar_folder() -> Path:
    """Where the jars of this version are kept."""
    return maven.folder_of("neo4j", version())


def fetch_jars() -> Path:
    """Download the jars unless they are there; takes seconds to minutes the first time.

    Raises: ServerFailed when Java or Maven is missing or the download fails.
    """
    return maven.fetch("Neo4j", jar_folder(), _download)


def _download(folder: Path) -> None:
    # Maven writes a `target` folder beside the pom; ours may stand in a read-only place.
    work = folder.with_name(f"{folder.name}-pom")
    work.mkdir(exist_ok=True)
    shutil.copy(_POM, work / "pom.xml")
    try:
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
        maven.run(f"Neo4j {version()}", goal, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def start(home: Path, jars: Path, heap: str = "1g") -> Neo4jServer:
    """Start the server process; `await_ready` says when it answers. Call it from a thread that stays."""
    for name in ("conf", "data", "logs", "plugins", "run", "import"):
        home.joinpath(name).mkdir(parents=True, exist_ok=True)
    port = free_port()
    home.joinpath("conf", "neo4j.conf").write_text(_configuration(port))
    log = home / "logs" / "console.log"
    opened = ["java.nio=", "java.io=", "sun.nio.ch=", "java.util.concurrent="]
    command = ["java", "-Xms256m", f"-Xmx{heap}", "-XX:+UseParallelGC"]
    command += [f"--add-opens=java.base/{package}ALL-UNNAMED" for package in opened]
    command += ["-cp", f"{jars}/*", "org.neo4j.server.CommunityEntryPoint"]
    command += [f"--home-dir={home}", f"--config-dir={home / 'conf'}", "--console-mode"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            # hard, because a gentle end takes long; the graph recovers, and can be built again from the facts
            preexec_fn=dying_with_parent(signal.SIGKILL),
        )
    return Neo4jServer(process, Neo4jConfig(f"bolt://127.0.0.1:{port}", "neo4j", _password(home)), log)


def _configuration(port: int) -> str:
    return "\n".join(
        [
            "server.default_listen_address=127.0.0.1",
            f"server.bolt.listen_address=127.0.0.1:{port}",
            f"server.bolt.advertised_address=127.0.0.1:{port}",
            "server.http.enabled=false",
            "server.memory.pagecache.size=256m",
            "dbms.usage_report.enabled=false",
            # the Bolt server waits for itself at the end, twice five seconds unless told otherwise
            "internal.server.bolt.thread_pool_shutdown_wait_time=0s",
            "internal.server.bolt.connection_shutdown_wait_time=0s",
            "",
        ]
    )


def _password(home: Path) -> str:
    """Made before the first start; kept, because the server keeps it too."""
    file = home / "password"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(24))
    return file.read_text()


def await_ready(server: Neo4jServer) -> None:
    """Wait until the server answers under our password, which replaces the first one.

    Raises: ServerFailed when it ends or takes too long.
    """
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(server.config):
        if server.process.poll() is not None:
            raise ServerFailed(f"Neo4j ended; the end of {server.log}:\n{tail(server.log)}")
        if time.monotonic() > deadline:
            raise ServerFailed(f"Neo4j did not answer in {_START_SECONDS:.0f} s; see {server.log}")
        time.sleep(_LOGIN_DELAY_SECONDS)


def _answers(config: Neo4jConfig) -> bool:
    try:
        # The driver would try for half a minute by itself, and log each try.
        socket.create_connection(("127.0.0.1", int(config.uri.rpartition(":")[2])), timeout=1).close()
        with neo4j.GraphDatabase.driver(config.uri, auth=(config.user, config.password)) as driver:
            driver.verify_connectivity()
            return True
    except AuthError:
        return _set_password(config)
    except (ServiceUnavailable, Neo4jError, OSError):
        return False


def _set_password(config: Neo4jConfig) -> bool:
    """The first login is neo4j/neo4j and good for nothing but this."""
    try:
        with neo4j.GraphDatabase.driver(config.uri, auth=("neo4j", "neo4j")) as driver:
            driver.execute_query(
                "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO $password",
                password=config.password,
                database_="system",
            )
            return True
    except (ServiceUnavailable, Neo4jError, OSError):
        return False


def announce(data: Path, config: Neo4jConfig) -> None:
    """Tell the processes of this data folder where the graph is: `neo4j.json`, which they look for."""
    partial = data / "neo4j.json.partial"
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(asdict(config)))
    partial.rename(data / "neo4j.json")


def withdraw(data: Path) -> None:
    data.joinpath("neo4j.json").unlink(missing_ok=True)


def main(data: Path) -> None:
    """Run Neo4j for the processes of a data folder until SIGTERM: fetch it, start it, announce it, wait."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    if not jar_folder().joinpath("complete").exists():
        print("fetching Neo4j once, some 120 MB", flush=True)
    server = start(data / "neo4j", fetch_jars())
    try:
        await_ready(server)
        announce(data, server.config)
        print("ready; the graph moves over to it", flush=True)
        server.process.wait()
        raise ServerFailed(f"Neo4j ended; the end of {server.log}:\n{tail(server.log)}")
    finally:
        withdraw(data)
        server.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
