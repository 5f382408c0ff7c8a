"""Listening to a real Dovecot: every mail once, whatever happens to UIDs, connections and processes."""

import asyncio
import imaplib
import os
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from channels.base import Credentials
from channels.email import imap as imap_module
from channels.email.imap import ImapClient
from channels.email.inbound import parse
from channels.email.models import Mail
from channels.email.outbound import EmailChannel
from core import addresses
from core.blobs import Blobs
from core.db import Database, Tx
from core.envelopes import Keyring
from core.ids import uuid7
from core.principal import system
from core.settings import Settings
from crm.channel_accounts.actions import LISTEN, replace_secret
from crm.channel_accounts.mailboxes import get_mailbox, get_refusals
from crm.channel_accounts.models import AccountStatus, ChannelAccount
from crm.channel_accounts.queries import get_channel_account
from crm.conversations.actions import receive_message
from crm.conversations.models import InboundMessage, Reception
from events import due
from infra.fleet import KEY
from infra.servers.dovecot import PASSWORD, Dovecot
from tests.support.mail import VERA, Post, attempt, make_post, written
from tests.support.organizations import make_organization
from tests.support.servers import migrated_servers, running_dovecot
from tests.support.until import until
from worker.listeners import Switchboard
from worker.listening import email as listening
from worker.listening.line import Line

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="Dovecot has to be started as root")


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with running_dovecot() as running:
        yield running


@pytest.fixture
def address() -> str:
    """A mailbox of the test's own on the shared server."""
    return f"sales.{uuid7()}@getsale.example"


@pytest.fixture(scope="module")
async def db(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    """A database without the accounts that other tests leave behind: a switchboard would take them up too."""
    with migrated_servers(tmp_path_factory.mktemp("servers")) as servers:
        opened = await Database(servers.urls.database_url_worker, size=8).open()
        yield opened
        await opened.close()


@pytest.fixture
async def post(db: Database, server: Dovecot, address: str) -> AsyncIterator[Post]:
    owner = await make_organization(db)
    made = await make_post(db, owner, imap_port=server.imap_port, password=PASSWORD, address=address)
    yield made
    async with db.transaction(owner, "test") as tx:
        await due.cancel(tx, LISTEN, made.account.id)


@pytest.fixture
def mail_settings(tmp_path: Path) -> Settings:
    return Settings.model_validate(
        {
            "internal_hosts": "127.0.0.1",
            "mail_idle_seconds": 30.0,
            "lease_seconds": 2.0,
            "data": tmp_path,
            "secret_key": KEY,
        }
    )


@asynccontextmanager
async def _listening(post: Post, settings: Settings) -> AsyncIterator[asyncio.Task[object]]:
    """A listener of the account, as worker/listeners.py runs it, without the lease."""
    principal = system(post.owner.organization_id)
    async with post.db.transaction(principal, "test") as tx:
        account = await get_channel_account(tx, post.account.id)
        credentials = Credentials(account.id, PASSWORD, await get_mailbox(tx, account.id))
    line = Line(post.db, settings, Blobs(settings.data), principal, account, credentials)
    task = asyncio.create_task(listening.listen(line))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _reading(post: Post, settings: Settings) -> AsyncIterator[ImapClient]:
    async with post.db.transaction(post.owner, "test") as tx:
        mailbox = await get_mailbox(tx, post.account.id)
    reach = addresses.tenant_reach(settings)
    async with ImapClient(mailbox, PASSWORD, reach, 5) as client:
        yield client


async def _stored(post: Post, count: int, seconds: float = 20) -> list[str]:
    """The texts of the messages once there are that many."""

    async def enough() -> list[str] | None:
        texts = [message.body for message in await post.messages()]
        return texts if len(texts) >= count else None

    return await until(enough, seconds)


async def test_mails_that_wait_and_mails_that_come_are_taken_in_at_once(
    post: Post, server: Dovecot, address: str, mail_settings: Settings
) -> None:
    server.deliver(address, written("before"))

    async with _listening(post, mail_settings):
        await _stored(post, 1)
        server.deliver(address, written("while"))

        # IDLE reports it: the look without being told comes after half a minute only
        assert await _stored(post, 2, seconds=10) == ["before", "while"]


async def test_a_restart_takes_in_what_came_meanwhile_and_nothing_twice(
    post: Post, server: Dovecot, address: str, mail_settings: Settings
) -> None:
    server.deliver(address, written("one"))
    async with _listening(post, mail_settings):
        await _stored(post, 1)
    server.deliver(address, written("two"), written("three"))

    async with _listening(post, mail_settings):
        assert await _stored(post, 3) == ["one", "two", "three"]


async def test_another_uidvalidity_brings_no_doubles_and_loses_nothing(
    post: Post, server: Dovecot, address: str, mail_settings: Settings
) -> None:
    server.deliver(address, *(written(f"mail {number}") for number in range(5)))
    async with _listening(post, mail_settings):
        await _stored(post, 5)
    before = await _uid_validity(post)

    server.forget_uids(address)
    server.deliver(address, written("after the restore"))

    async with _listening(post, mail_settings):
        texts = await _stored(post, 6)
        await until(lambda: _has_seen(post, 6))
    assert await _uid_validity(post) != before
    assert sorted(texts) == ["after the restore", *(f"mail {number}" for number in range(5))]
    assert len(await post.messages()) == 6


async def test_removed_mails_are_no_gaps_and_later_ones_come_through(
    post: Post, server: Dovecot, address: str, mail_settings: Settings
) -> None:
    server.deliver(address, *(written(f"mail {number}") for number in range(4)))
    async with _listening(post, mail_settings):
        await _stored(post, 4)
        _expunge(server, address, "1:3")
        server.deliver(address, written("later"))
        assert (await _stored(post, 5))[-1] == "later"


async def test_a_mail_that_could_not_be_fetched_is_fetched_later(
    post: Post, server: Dovecot, address: str, mail_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.deliver(address, *(written(f"mail {number}") for number in range(3)))
    fetch, refused = ImapClient.fetch, [2]

    async def once_without(client: ImapClient, uid: int, limit_bytes: int) -> imap_module.RawMail | None:
        if uid in refused:
            refused.remove(uid)
            return None
        return await fetch(client, uid, limit_bytes)

    monkeypatch.setattr(ImapClient, "fetch", once_without)
    async with _listening(post, mail_settings):
        assert await _stored(post, 2) == ["mail 0", "mail 2"]
        server.deliver(address, written("mail 3"))

        assert await _stored(post, 4) == ["mail 0", "mail 2", "mail 1", "mail 3"]


async def test_a_mail_that_is_never_handed_out_is_refused_after_three_looks(
    post: Post, server: Dovecot, address: str, mail_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.deliver(address, *(written(f"mail {number}") for number in range(2)))
    fetch, looks = ImapClient.fetch, []

    async def never_the_first(client: ImapClient, uid: int, limit: int) -> imap_module.RawMail | None:
        if uid == 1:
            looks.append(uid)
            return None
        return await fetch(client, uid, limit)

    monkeypatch.setattr(ImapClient, "fetch", never_the_first)
    settings = mail_settings.model_copy(update={"mail_idle_seconds": 0.1})
    async with _listening(post, settings):
        await until(lambda: _has_seen(post, 2))
        server.deliver(address, written("mail 2"))
        assert await _stored(post, 2) == ["mail 1", "mail 2"]

    assert len(looks) == 3
    async with post.db.transaction(post.owner, "test") as tx:
        assert "does not hand it out" in await tx.value("SELECT reason FROM mail_refusals")


async def test_a_folder_whose_uids_fill_no_line_is_listed_in_blocks(
    post: Post, server: Dovecot, address: str, mail_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.deliver(address, written())
    server.put(address, (written(subject=f"S{number}") for number in range(399)))
    monkeypatch.setattr(imaplib, "_MAXLINE", 1000)
    monkeypatch.setattr(imap_module, "_SEARCH_BLOCK", 150)

    async with _reading(post, mail_settings) as client:
        await client.open("INBOX")
        assert await client.uids() == list(range(1, 401))

        _expunge(server, address, "2:100")
        assert len(await client.uids()) == 301


async def test_every_address_of_a_mail_server_is_tried(
    post: Post, mail_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def several(*_: object) -> list[str]:
        return ["127.0.0.9", "127.0.0.1"]  # nobody listens at the first

    monkeypatch.setattr(addresses, "resolve", several)

    async with _reading(post, mail_settings) as client:
        assert await client.open("INBOX")


async def test_idle_is_begun_again_before_the_server_hangs_up(
    post: Post, server: Dovecot, address: str, mail_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    wait = ImapClient._wait

    def counted(client: ImapClient, seconds: float) -> bool:
        waits.append(seconds)
        return wait(client, seconds)

    monkeypatch.setattr(ImapClient, "_wait", counted)
    settings = mail_settings.model_copy(update={"mail_idle_seconds": 0.2})
    async with _listening(post, settings) as listener:
        await until(lambda: _is_true(len(waits) > 5))
        server.deliver(address, written("after five rounds"))

        assert await _stored(post, 1) == ["after five rounds"]
        assert not listener.done()
    assert imap_module.LONGEST_IDLE_SECONDS < 29 * 60


async def test_a_person_who_answers_with_another_program_is_found_in_sent(
    post: Post, server: Dovecot, address: str, mail_settings: Settings
) -> None:
    server.deliver(address, written(mail_id=f"1.{address}"))
    settings = mail_settings.model_copy(update={"mail_idle_seconds": 0.2})
    async with _listening(post, settings):
        await _stored(post, 1)
        mine = written(
            "from my phone", sender=address, to=VERA, subject="Re: Price", answers=(f"1.{address}",)
        )
        _append(server, address, "Sent", mine)
        await _stored(post, 2)

    assert [message.direction.value for message in await post.messages()] == ["in", "out"]
    assert (await post.conversation()).last_seq == 2


async def test_our_own_copy_goes_into_sent_once_and_is_known_again(
    post: Post, server: Dovecot, address: str, mail_settings: Settings
) -> None:
    channel = EmailChannel(mail_settings)
    async with post.db.transaction(post.owner, "test") as tx:
        credentials = Credentials(post.account.id, PASSWORD, await get_mailbox(tx, post.account.id))
    mail = attempt("Hello")
    assert mail.mail is not None

    for _ in range(2):
        await channel.keep_copy(credentials, mail.mail, VERA, mail.body)

    reach = addresses.tenant_reach(mail_settings)
    assert credentials.mailbox is not None
    async with ImapClient(credentials.mailbox, PASSWORD, reach, 5) as client:
        assert await client.find_sent_folder() == "Sent"
        await client.open("Sent")
        assert len(await client.uids()) == 1


async def test_what_is_no_mail_is_refused_by_name_and_kept(
    post: Post, server: Dovecot, address: str, mail_settings: Settings
) -> None:
    _append(server, address, "INBOX", b"\r\nno header at all\r\n")
    server.deliver(address, written("a real one"))

    async with _listening(post, mail_settings):
        await _stored(post, 1)

    async with post.db.transaction(post.owner, "test") as tx:
        assert (await get_refusals(tx, post.account.id)).count == 1
        reason, key = (
            await tx.value("SELECT reason FROM mail_refusals"),
            await tx.value("SELECT blob_key FROM mail_refusals"),
        )
    assert "header" in reason
    kept = await Blobs(mail_settings.data).get(post.owner.organization_id, key)
    assert b"no header at all" in kept


async def test_what_our_own_code_trips_over_is_refused_and_holds_back_nothing(
    post: Post, server: Dovecot, address: str, mail_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tripping(raw: bytes, *, file_limit_bytes: int) -> Mail:
        if b"stumbling block" in raw:
            raise AssertionError("nobody thought of that")
        return parse(raw, file_limit_bytes=file_limit_bytes)

    monkeypatch.setattr(listening, "parse", tripping)
    server.deliver(address, written("stumbling block"), written("a good one"))

    async with _listening(post, mail_settings):
        assert await _stored(post, 1) == ["a good one"]
    async with post.db.transaction(post.owner, "test") as tx:
        assert "AssertionError" in await tx.value("SELECT reason FROM mail_refusals")


async def test_what_the_database_cannot_hold_is_refused_and_holds_back_nothing(
    post: Post, server: Dovecot, address: str, mail_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def receive(tx: Tx, account: ChannelAccount, inbound: InboundMessage) -> Reception:
        if inbound.text == "too much":
            raise psycopg.errors.ProgramLimitExceeded("index row size 3192 exceeds btree maximum 2704")
        return await receive_message(tx, account, inbound)

    monkeypatch.setattr(listening, "receive_message", receive)
    server.deliver(address, written("too much"), written("a good one"))

    async with _listening(post, mail_settings):
        assert await _stored(post, 1) == ["a good one"]
    async with post.db.transaction(post.owner, "test") as tx:
        assert "index row size" in await tx.value("SELECT reason FROM mail_refusals")


async def test_a_bug_at_one_account_is_shown_there_and_tried_ever_less_often(
    post: Post, mail_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: Line) -> None:
        raise KeyError("a bug")

    async def noted() -> bool:
        await switchboard.claim()
        async with post.db.transaction(post.owner, "test") as tx:
            account = await get_channel_account(tx, post.account.id)
        return (
            account.status is AccountStatus.ERROR
            and "KeyError" in account.status_reason
            and switchboard._means.failures[post.account.id] >= 2
        )

    monkeypatch.setattr(listening, "listen", broken)
    switchboard = Switchboard(post.db, mail_settings)
    try:
        await until(noted, 20)
    finally:
        await switchboard.close()


async def test_a_server_that_comes_back_is_listened_to_again(
    post: Post, server: Dovecot, address: str, mail_settings: Settings
) -> None:
    switchboard = Switchboard(post.db, mail_settings)
    try:
        await switchboard.claim()
        server.deliver(address, written("one"))
        await _stored(post, 1)
        _hang_up(server)
        server.deliver(address, written("two"))

        async def claimed_again() -> bool:
            await switchboard.claim()
            return len(await post.messages()) == 2

        await until(claimed_again, 20)
    finally:
        await switchboard.close()


async def test_an_account_has_one_listener_when_its_lease_was_lost_and_won_again(
    post: Post, server: Dovecot, address: str, mail_settings: Settings
) -> None:
    settings = mail_settings.model_copy(update={"lease_seconds": 60.0})
    switchboard = Switchboard(post.db, settings)
    try:
        await switchboard.claim()
        server.deliver(address, written("one"))
        await _stored(post, 1)
        [first] = switchboard.tasks

        async with post.db.transaction(post.owner, "test") as tx:
            await tx.execute(
                "UPDATE due_work SET lease_until = NULL WHERE subject_id = %(id)s", id=post.account.id
            )
        await switchboard.claim()
        server.deliver(address, written("two"))
        await _stored(post, 2)

        assert first.done()
        assert [task.done() for task in switchboard.tasks] == [False]
    finally:
        await switchboard.close()


async def test_a_wrong_password_asks_for_a_new_login(
    post: Post, mail_settings: Settings, server: Dovecot
) -> None:
    async with post.db.transaction(post.owner, "test") as tx:
        await replace_secret(tx, post.account.id, token="wrong", keys=Keyring(KEY))
    switchboard = Switchboard(post.db, mail_settings)
    try:
        await switchboard.claim()

        async def noted() -> bool:
            async with post.db.transaction(post.owner, "test") as tx:
                account = await get_channel_account(tx, post.account.id)
            return account.status is AccountStatus.REAUTH_REQUIRED and "password" in account.status_reason

        await until(noted, 20)
    finally:
        await switchboard.close()


@pytest.mark.full
async def test_five_thousand_mails_in_bounded_memory(
    post: Post, server: Dovecot, address: str, mail_settings: Settings
) -> None:
    server.deliver(address, written("the first one"))
    server.put(address, (written(f"mail {number}", subject=f"S{number}") for number in range(4999)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    async with _listening(post, mail_settings):

        async def all_seen() -> bool:
            return await _has_seen(post, 5000)

        await until(all_seen, 600)

    async with post.db.transaction(post.owner, "test") as tx:
        assert await tx.value("SELECT count(*) FROM messages") == 5000
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mb < 100


async def _is_true(claim: bool) -> bool:
    return claim


async def _has_seen(post: Post, count: int) -> bool:
    async with post.db.transaction(post.owner, "test") as tx:
        return bool(
            await tx.value(
                """
                SELECT sum(upper(r) - lower(r)) = %(count)s
                  FROM mail_folders, unnest(seen) AS r
                 WHERE channel_account_id = %(id)s
                   AND folder = 'INBOX'
                """,
                id=post.account.id,
                count=count,
            )
        )


async def _uid_validity(post: Post) -> int:
    async with post.db.transaction(post.owner, "test") as tx:
        return int(
            await tx.value(
                "SELECT uid_validity FROM mail_folders WHERE channel_account_id = %(id)s AND folder = 'INBOX'",
                id=post.account.id,
            )
        )


def _login(server: Dovecot, address: str) -> imaplib.IMAP4:
    client = imaplib.IMAP4("127.0.0.1", server.imap_port)
    client.login(address, PASSWORD)
    return client


def _append(server: Dovecot, address: str, folder: str, raw: bytes) -> None:
    with _login(server, address) as client:
        status, said = client.append(folder, "", "", raw)
        assert status == "OK", said


def _expunge(server: Dovecot, address: str, uids: str) -> None:
    with _login(server, address) as client:
        client.select("INBOX")
        client.uid("STORE", uids, "+FLAGS", r"(\Deleted)")
        client.expunge()


def _hang_up(server: Dovecot) -> None:
    """End every IMAP session of the server, as a restart would."""
    for child in psutil.Process(server.process.pid).children(recursive=True):
        if child.name() == "imap":
            child.kill()
