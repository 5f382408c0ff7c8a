"""The demo's mail server under `getsale up`: GreenMail where Java and Maven are, else a mailbox that says why not."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from core.db import Database
from core.settings import Settings
from crm.identity.queries import find_organization_id
from events.ids import OrganizationId
from infra import installation
from infra.seed import mailbox
from infra.seed.demo import SLUG
from infra.servers import maven
from infra.servers.greenmail import greets
from infra.servers.processes import ServerFailed, free_port
from infra.supervisor import Program


@dataclass(frozen=True)
class MailPlan:
    """The ports on which the demo's mail server will listen."""

    smtp_port: int
    imap_port: int

    def admitted(self, settings: Settings) -> Settings:
        """The settings under which the demo's mailbox may be on this machine: these two ports and no other."""
        own = f"127.0.0.1:{self.smtp_port},127.0.0.1:{self.imap_port}"
        hosts = ",".join(filter(None, (settings.internal_hosts, own)))
        return settings.model_copy(update={"internal_hosts": hosts})


def plan() -> MailPlan | None:
    """None when the machine lacks what the server needs."""
    return None if maven.missing_tools() else MailPlan(free_port(), free_port())


def program(settings: Settings, ports: MailPlan, password: str) -> Program:
    command = [sys.executable, "-m", "infra.servers.greenmail", str(settings.data / "greenmail")]
    command += [str(ports.smtp_port), str(ports.imap_port), f"{mailbox.ADDRESS}:{password}"]
    return Program("mail", command, installation.environment(settings))


async def connect_if_ready(settings: Settings, ports: MailPlan, password: str) -> bool:
    """Point the demo's mailbox at the server if it answers by now; the first start fetches it before."""
    if not await asyncio.to_thread(greets, ports.imap_port):
        return False
    async with _demo(settings) as (db, organization_id):
        await mailbox.connect(
            db,
            organization_id,
            imap_port=ports.imap_port,
            smtp_port=ports.smtp_port,
            password=password,
            keys=settings.keyring,
        )
    return True


async def rest(settings: Settings) -> None:
    """Nobody runs the demo's mail server, for now or because something is missing; the account says so."""
    missing = maven.missing_tools()
    reason = f"Without {' and '.join(missing)} the demo has no mail server" if missing else mailbox.STARTING
    async with _demo(settings) as (db, organization_id):
        await mailbox.rest(db, organization_id, reason)


@asynccontextmanager
async def _demo(settings: Settings) -> AsyncIterator[tuple[Database, OrganizationId]]:
    db = await Database(settings.database_url, size=1).open()
    try:
        organization_id = await find_organization_id(db, SLUG)
        if organization_id is None:
            raise ServerFailed("There is no demo organization; start with --demo.")
        yield db, organization_id
    finally:
        await db.close()
