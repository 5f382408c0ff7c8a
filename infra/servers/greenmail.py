"""GreenMail from its Maven artifact: SMTP and IMAP in memory, for the demo's mailbox and for flows in tests."""

import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from infra.servers import maven
from infra.servers.processes import ServerFailed, dying_with_parent, free_port, stop, tail

VERSION = "2.1.7"
_START_SECONDS = 60.0


@dataclass(frozen=True)
class MailUser:
    """A mailbox that stands before the first mail comes; the login is the address."""

    address: str
    password: str


@dataclass(frozen=True)
class GreenMail:
    process: "subprocess.Popen[bytes]"
    smtp_port: int
    imap_port: int
    log: Path

    def stop(self) -> None:
        stop(self.process, signal.SIGTERM, patience_seconds=5)


def jar() -> Path:
    return _folder() / f"greenmail-standalone-{VERSION}.jar"


def _folder() -> Path:
    return maven.folder_of("greenmail", VERSION)


def is_fetched() -> bool:
    return _folder().joinpath("complete").exists()


def fetch_jars() -> Path:
    """Download the jar (10 MB) unless it is there. Raises: ServerFailed."""
    maven.fetch("GreenMail", _folder(), _download)
    return jar()


def _download(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    artifact = f"com.icegreen:greenmail-standalone:{VERSION}"
    goal = ["dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"]
    maven.run(f"GreenMail {VERSION}", goal, folder)


def start(folder: Path, users: list[MailUser], *, smtp_port: int = 0, imap_port: int = 0) -> GreenMail:
    """Start it on loopback ports and wait until both answer; mail to others than `users` makes them mailboxes too.

    Raises: ServerFailed when it ends or takes too long.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "greenmail.log"
    smtp_port, imap_port = smtp_port or free_port(), imap_port or free_port()
    options = {
        "greenmail.smtp.hostname": "127.0.0.1",
        "greenmail.smtp.port": str(smtp_port),
        "greenmail.imap.hostname": "127.0.0.1",
        "greenmail.imap.port": str(imap_port),
        "greenmail.users": ",".join(_login(user) for user in users),
        "greenmail.users.login": "email",
    }
    command = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    command += [f"-D{name}={value}" for name, value in options.items() if value]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, "-jar", str(fetch_jars())],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=dying_with_parent(signal.SIGKILL),
        )
    server = GreenMail(process, smtp_port, imap_port, log)
    try:
        _await(server)
    except BaseException:
        server.stop()
        raise
    return server


def _login(user: MailUser) -> str:
    name, _, domain = user.address.partition("@")
    return f"{name}:{user.password}@{domain}"


def _await(server: GreenMail) -> None:
    deadline = time.monotonic() + _START_SECONDS
    waiting = [server.smtp_port, server.imap_port]
    while waiting:
        if server.process.poll() is not None:
            raise ServerFailed(f"GreenMail ended; the end of {server.log}:\n{tail(server.log)}")
        if time.monotonic() > deadline:
            raise ServerFailed(f"GreenMail did not answer in {_START_SECONDS:.0f} s; see {server.log}")
        waiting = [port for port in waiting if not greets(port)]
        time.sleep(0.05)


def greets(port: int) -> bool:
    """Whether a mail server on this machine says hello."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as probe:
            return bool(probe.recv(16))
    except OSError:
        return False


def main(folder: Path, smtp_port: int, imap_port: int, users: list[MailUser]) -> None:
    """Run GreenMail until SIGTERM; fetch it first if need be."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    if not is_fetched():
        print("fetching GreenMail once, some 10 MB", flush=True)
    server = start(folder, users, smtp_port=smtp_port, imap_port=imap_port)
    try:
        print("ready; the demo mailbox is connected", flush=True)
        server.process.wait()
        raise ServerFailed(f"GreenMail ended; the end of {server.log}:\n{tail(server.log)}")
    finally:
        server.stop()


if __name__ == "__main__":
    given = [MailUser(*each.split(":", 1)) for each in sys.argv[4:]]
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), given)
