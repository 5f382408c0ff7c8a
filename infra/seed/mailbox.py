"""The demo organization's mailbox: there from the start, connected while the demo's mail server runs."""

from core.db import Database, Tx
from core.envelopes import Keyring
from core.errors import NotFound
from core.principal import system
from crm.channel_accounts import actions as accounts
from crm.channel_accounts import mailboxes
from crm.channel_accounts.mailboxes import MailServer, NewMailbox, Security
from crm.channel_accounts.models import ChannelAccount
from crm.channel_accounts.queries import find_channel_account
from events.ids import OrganizationId

ADDRESS = "sales@norrwick.example"
NAME = "Norrwick mail"
NOT_RUNNING = "The demo's mail server does not run; `getsale up` starts it where Java and Maven are there"
STARTING = "The demo's mail server is starting"
# Nobody listens there: the servers are given when they run.
_NOWHERE = MailServer("127.0.0.1", 1, Security.PLAIN)


async def add_mailbox(tx: Tx, *, password: str, keys: Keyring) -> ChannelAccount:
    """The demo's mailbox, made unless it is there; it rests until `connect`."""
    try:
        return await find_channel_account(tx, "email", NAME)
    except NotFound:
        new = NewMailbox(ADDRESS, _NOWHERE, _NOWHERE, password, name=NAME, sender_name="Norrwick")
        account_id = await mailboxes.connect_mailbox(tx, new, keys=keys)
        await mailboxes.rest_mailbox(tx, account_id, NOT_RUNNING)
        return await find_channel_account(tx, "email", NAME)


async def connect(
    db: Database,
    organization_id: OrganizationId,
    *,
    imap_port: int,
    smtp_port: int,
    password: str,
    keys: Keyring,
) -> None:
    """The demo's mail server runs on these ports now."""
    async with db.transaction(system(organization_id), "seed.mailbox") as tx:
        account = await find_channel_account(tx, "email", NAME)
        await mailboxes.move_mailbox(
            tx,
            account.id,
            imap=MailServer("127.0.0.1", imap_port, Security.PLAIN),
            smtp=MailServer("127.0.0.1", smtp_port, Security.PLAIN),
        )
        await accounts.replace_secret(tx, account.id, token=password, keys=keys)


async def rest(db: Database, organization_id: OrganizationId, reason: str) -> None:
    """The demo's mail server does not run, and why."""
    async with db.transaction(system(organization_id), "seed.mailbox") as tx:
        account = await find_channel_account(tx, "email", NAME)
        await mailboxes.move_mailbox(tx, account.id, imap=_NOWHERE, smtp=_NOWHERE)
        await mailboxes.rest_mailbox(tx, account.id, reason)
