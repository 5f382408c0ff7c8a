"""Dovecot from the system's packages, on loopback ports out of a folder of its own; for tests of cursors.

It is the IMAP server that most of the world runs: UIDVALIDITY, expunge and IDLE behave as in the wild. Mail is
handed in over LMTP. It must be started as root: its master drops every other process's rights by itself.
"""

import os
import shutil
import signal
import smtplib
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from infra.servers.greenmail import greets
from infra.servers.processes import ServerFailed, dying_with_parent, free_port, nobody, stop, tail

PASSWORD = "dovecot-password"
_START_SECONDS = 20.0


@dataclass(frozen=True)
class Dovecot:
    """Any user is let in with PASSWORD; a mailbox is made when it is first used."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    imap_port: int
    lmtp_port: int
    log: Path

    def deliver(self, address: str, *mails: bytes) -> None:
        """Hand mails in as another server would. Raises: smtplib.SMTPException."""
        with smtplib.LMTP("127.0.0.1", self.lmtp_port) as lmtp:
            for mail in mails:
                lmtp.sendmail("sender@outside.example", [address], mail)

    def put(self, address: str, mails: Iterable[bytes]) -> None:
        """Lay many mails into a mailbox that is there already, past LMTP, which takes one after the other."""
        for number, mail in enumerate(mails):
            file = self.maildir(address) / "new" / f"{int(time.time())}.{number:06}.put"
            file.write_bytes(mail)
            os.chown(file, *nobody())

    def maildir(self, address: str) -> Path:
        """Where the mailbox lies on the disk."""
        return self.folder / "mail" / address

    def forget_uids(self, address: str) -> None:
        """Lose the list of UIDs, as after a restored backup: the inbox gets another UIDVALIDITY."""
        uids = self.maildir(address) / "dovecot-uidlist"
        head = uids.read_text().splitlines()[0].split()
        validity = int(head[1].removeprefix("V")) + 1
        uids.write_text(f"3 V{validity} N1 {head[3]}\n")
        for index in self.maildir(address).glob("dovecot.index*"):
            index.unlink()

    def stop(self) -> None:
        stop(self.process, signal.SIGTERM, patience_seconds=5)


def binary() -> Path | None:
    """Debian puts it where only root looks."""
    found = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return Path(found) if found else None


def start(folder: Path) -> Dovecot:
    """Raises: ServerFailed when Dovecot is not there, we are not root, or it does not come up."""
    program = binary()
    if program is None:
        raise ServerFailed("Dovecot is missing: apt-get install -y dovecot-imapd dovecot-lmtpd")
    if os.geteuid() != 0:
        raise ServerFailed("Dovecot drops its rights by itself, so it has to be started as root.")
    _make_room(folder)
    imap_port, lmtp_port = free_port(), free_port()
    log = folder / "dovecot.log"
    configuration = folder / "dovecot.conf"
    configuration.write_text(_configuration(folder, imap_port, lmtp_port, log))
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(program), "-F", "-c", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=dying_with_parent(signal.SIGTERM),
        )
    server = Dovecot(process, folder, imap_port, lmtp_port, log)
    try:
        _await(server)
    except BaseException:
        server.stop()
        raise
    return server


def _make_room(folder: Path) -> None:
    """The mail belongs to `nobody`, who must be able to reach it through every folder above."""
    mail = folder / "mail"
    mail.mkdir(parents=True, exist_ok=True)
    os.chown(mail, *nobody())
    for above in (folder, *folder.parents):
        if above.stat().st_uid == 0 and not above.stat().st_mode & 0o001:
            above.chmod(above.stat().st_mode | 0o011)


def _configuration(folder: Path, imap_port: int, lmtp_port: int, log: Path) -> str:
    uid, gid = nobody()
    return f"""
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {log}
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail/%u
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = {min(uid, 1000)}
first_valid_gid = {min(gid, 1000)}
auth_mechanisms = plain login
auth_username_chars =
imap_idle_notify_interval = 2 mins
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u allow_all_users=yes
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp_port}
  }}
}}
service anvil {{
  chroot =
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
}}
"""


def _await(server: Dovecot) -> None:
    deadline = time.monotonic() + _START_SECONDS
    waiting = [server.imap_port, server.lmtp_port]
    while waiting:
        if server.process.poll() is not None or time.monotonic() > deadline:
            raise ServerFailed(f"Dovecot did not come up; the end of {server.log}:\n{tail(server.log)}")
        waiting = [port for port in waiting if not greets(port)]
        time.sleep(0.02)
