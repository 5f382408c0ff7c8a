"""One mail, one conversation with the server; and what each way in which it can fail means for the mail."""

from collections.abc import AsyncIterator

import pytest

from channels.base import (
    AccountFault,
    Ambiguous,
    ChannelError,
    Credentials,
    Delayed,
    Limited,
    Permanent,
    Retryable,
)
from channels.email.outbound import EmailChannel
from core.settings import Settings
from crm.conversations.models import Attempt
from infra.peers.smtp.server import Fault, SmtpPeer, running_smtp_peer
from infra.servers.processes import free_port
from tests.support.mail import VERA, answering, attempt, mailbox


@pytest.fixture
async def peer() -> AsyncIterator[SmtpPeer]:
    async with running_smtp_peer(slow_seconds=1.5) as running:
        yield running


async def _send(peer: SmtpPeer, mail: Attempt, *, password: str = "", **settings: object) -> str:
    given = {"internal_hosts": "127.0.0.1", "channel_timeout_seconds": 0.3, **settings}
    channel = EmailChannel(Settings.model_validate(given))
    box = mailbox(smtp_port=peer.port)
    credentials = Credentials(box.channel_account_id, password or peer.password, box)
    return (await channel.send(credentials, mail)).provider_id


async def test_a_mail_arrives_once_under_the_message_id_that_was_stored(peer: SmtpPeer) -> None:
    mail = attempt(
        "Здравствуйте, Вера!\n\n.точка в начале строки\nИ ещё строка", mail_id="key@getsale.example"
    )

    receipt = await _send(peer, mail)

    (arrived,) = peer.accepted
    assert receipt == arrived.mail_id == "key@getsale.example"
    assert (arrived.sender, arrived.recipients) == ("sales@getsale.example", (VERA,))
    assert arrived.text == mail.body
    assert arrived.message.get_content_type() == "text/plain"
    assert arrived.message["Subject"] == "Re: Price"
    assert str(arrived.message["From"]) == "Norrwick Sales <sales@getsale.example>"


async def test_an_answer_names_the_mail_it_answers_and_the_thread_before_it(peer: SmtpPeer) -> None:
    await _send(peer, answering(attempt(), "first@lind.example", "second@lind.example"))

    message = peer.accepted[0].message
    assert message["In-Reply-To"] == "<second@lind.example>"
    assert message["References"] == "<first@lind.example> <second@lind.example>"
    assert message["Subject"] == "Re: Price"


@pytest.mark.parametrize(
    ("fault", "kind", "arrived"),
    [
        (Fault.DROP_AT_GREETING, Retryable, 0),
        (Fault.DROP_BEFORE, Retryable, 0),
        (Fault.GREYLIST, Delayed, 0),
        (Fault.LIMIT, Limited, 0),
        (Fault.REFUSE, Permanent, 0),
        (Fault.REFUSE_CONTENT, Permanent, 0),
        (Fault.BAD_LOGIN, AccountFault, 0),
        (Fault.DROP_AFTER, Ambiguous, 1),
        (Fault.SLOW, Ambiguous, 1),
        (Fault.HALF, Ambiguous, 1),
    ],
)
async def test_every_fault_says_whether_the_mail_may_have_arrived(
    peer: SmtpPeer, fault: Fault, kind: type[ChannelError], arrived: int
) -> None:
    peer.fail(fault)

    with pytest.raises(ChannelError) as caught:
        await _send(peer, attempt())

    assert type(caught.value) is kind
    assert len(peer.accepted) == arrived


async def test_a_server_that_is_not_there_took_nothing(peer: SmtpPeer) -> None:
    peer.port = free_port()

    with pytest.raises(Retryable, match="cannot be reached"):
        await _send(peer, attempt())


async def test_a_wrong_password_is_the_accounts_fault_and_not_the_contacts(peer: SmtpPeer) -> None:
    with pytest.raises(AccountFault, match="password"):
        await _send(peer, attempt(), password="wrong")


async def test_an_internal_host_is_not_connected_to_unless_the_operator_lists_it(peer: SmtpPeer) -> None:
    with pytest.raises(AccountFault, match="GETSALE_INTERNAL_HOSTS"):
        await _send(peer, attempt(), internal_hosts="")

    assert peer.calls == 0


@pytest.mark.parametrize(
    "address",
    ["", "vera", "vera@lind.example>\r\nRCPT TO:<x@y.example", "a b@c.example", "вера@lind.example"],
)
async def test_an_address_that_is_none_is_refused_before_anything_leaves(
    peer: SmtpPeer, address: str
) -> None:
    with pytest.raises(Permanent):
        await _send(peer, attempt(to=address))

    assert peer.accepted == []


async def test_a_domain_in_cyrillic_goes_out_as_servers_take_it(peer: SmtpPeer) -> None:
    await _send(peer, attempt(to="info@пример.рф"))

    (arrived,) = peer.accepted
    assert arrived.recipients == ("info@xn--e1afmkfd.xn--p1ai",)
    assert str(arrived.message["To"]) == "info@xn--e1afmkfd.xn--p1ai"
