"""`getsale account email`: servers as people write them, and a clear word when one does not let us in."""

from collections.abc import Iterator

import pytest

from core.db import Database
from core.errors import NotFound, Unprocessable
from core.principal import Principal
from core.settings import Settings
from crm.channel_accounts.mailboxes import MailServer, NewMailbox, Security, record_refusal
from crm.channel_accounts.queries import find_channel_account
from infra import accounts
from infra.peers.smtp.server import running_smtp_peer
from infra.servers.dovecot import PASSWORD, Dovecot
from infra.servers.processes import free_port
from tests.support.mail import SALES, make_post, new_mailbox
from tests.support.servers import running_dovecot


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("imap.example.com", MailServer("imap.example.com", 993, Security.TLS)),
        ("imap.example.com:143", MailServer("imap.example.com", 143, Security.STARTTLS)),
        ("tls://imap.example.com:1993", MailServer("imap.example.com", 1993, Security.TLS)),
        ("starttls://imap.example.com", MailServer("imap.example.com", 143, Security.STARTTLS)),
        ("plain://127.0.0.1:3143", MailServer("127.0.0.1", 3143, Security.PLAIN)),
    ],
)
def test_a_server_is_read_as_people_write_it(text: str, server: MailServer) -> None:
    assert accounts.read_server(text, accounts.IMAP) == server


@pytest.mark.parametrize("text", ["", "https://x.example", "a b", "host:port", "host:1:2"])
def test_what_is_no_server_is_named(text: str) -> None:
    with pytest.raises(Unprocessable):
        accounts.read_server(text, accounts.SMTP)


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with running_dovecot() as running:
        yield running


async def _connect(
    settings: Settings, owner: Principal, new: NewMailbox, internal: str = "127.0.0.1"
) -> None:
    allowing = settings.model_copy(update={"internal_hosts": internal})
    await accounts.connect(allowing, f"test-{owner.organization_id}", new)


async def test_a_mailbox_is_connected_once_both_servers_let_us_in(
    database: Database, organization: Principal, settings: Settings, server: Dovecot
) -> None:
    async with running_smtp_peer(password=PASSWORD) as smtp:
        new = new_mailbox(imap_port=server.imap_port, smtp_port=smtp.port, password=PASSWORD)
        await _connect(settings, organization, new)

    async with database.transaction(organization, "test") as tx:
        assert (await find_channel_account(tx, "email", SALES)).channel == "email"


@pytest.mark.parametrize(
    ("imap", "smtp", "password", "said"),
    [
        (True, True, "wrong", "IMAP at 127.0.0.1:.*password"),
        (False, True, PASSWORD, "IMAP at 127.0.0.1:"),
        (True, False, PASSWORD, "SMTP at 127.0.0.1:.*cannot be reached"),
    ],
)
async def test_a_server_that_does_not_let_us_in_is_named(
    organization: Principal,
    settings: Settings,
    server: Dovecot,
    imap: bool,
    smtp: bool,
    password: str,
    said: str,
) -> None:
    async with running_smtp_peer(password=PASSWORD) as peer:
        new = new_mailbox(
            imap_port=server.imap_port if imap else free_port(),
            smtp_port=peer.port if smtp else free_port(),
            password=password,
        )
        with pytest.raises(Unprocessable, match=said):
            await _connect(settings, organization, new)


async def test_an_internal_host_is_refused_unless_the_operator_lists_it(
    organization: Principal, settings: Settings, server: Dovecot
) -> None:
    new = new_mailbox(imap_port=server.imap_port, smtp_port=1, password=PASSWORD)

    with pytest.raises(Unprocessable, match="GETSALE_INTERNAL_HOSTS"):
        await _connect(settings, organization, new, internal="")


async def test_an_organization_that_is_not_there_is_named(settings: Settings) -> None:
    new = new_mailbox(imap_port=1, smtp_port=1, password="x")

    with pytest.raises(NotFound, match="nowhere"):
        await accounts.connect(settings, "nowhere", new)


async def test_a_list_of_accounts_tells_of_the_mails_that_were_refused(
    database: Database, organization: Principal, settings: Settings
) -> None:
    post = await make_post(database, organization)
    slug = f"test-{organization.organization_id}"
    (quiet,) = await accounts.describe(settings, slug)
    reasons = ("The mail is empty.", "The mail has 90 MB; at most 50 MB are taken in.")
    for uid, reason in enumerate(reasons):
        async with database.transaction(organization, "test") as tx:
            await record_refusal(
                tx, post.account.id, "INBOX", uid, reason=reason, size_bytes=0, blob_key=None
            )

    (line,) = await accounts.describe(settings, slug)

    assert "refused" not in quiet
    assert f"{SALES}" in line
    assert line.endswith("2 mails refused, the last one: The mail has 90 MB; at most 50 MB are taken in.")
