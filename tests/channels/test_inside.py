"""The promise: 120 tricks with URLs and a rebinding resolver, through every place where a tenant names a host: 0 connects.

A listener stands inside, on all addresses of this machine, and counts who comes.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx2
import pytest

from channels.base import ChannelError, Credentials
from channels.email.imap import ImapClient
from channels.email.outbound import EmailChannel
from core import http
from core.addresses import Reach
from core.errors import AppError
from core.ids import uuid7
from core.settings import Settings
from crm.channel_accounts.mailboxes import Mailbox, Security
from crm.webhooks.addresses import check_url
from events.ids import ChannelAccountId
from tests.support.figures import FIGURE, Record

# How 127.0.0.1 is written, and other names of this machine and of what clouds keep inside.
HOSTS = (
    "127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "127.255.255.254", "2130706433", "2130706434", "017700000001",
    "0177.0.0.1", "0177.0.0.01", "0177.0x0.0.1", "0x7f000001", "0x7F000001", "0x7f.0.0.1", "0x7f.0x0.0x0.0x1", "0x7f.1",
    "00000177.1", "127.000.000.001", "0", "0.0.0.0", "00.00.00.00", "0x0", "localhost", "LOCALHOST", "LocalHost",
    "localhost.", "localhost..", "127.0.0.1.", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "①②⑦.⓪.⓪.①", "１２７.０.０.１",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "ｌｏｃａｌｈｏｓｔ", "loca%6chost", "%6c%6f%63%61%6c%68%6f%73%74", "127%2e0%2e0%2e1", "127.0.0.1%00.example.com",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
    "[::7f00:1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]",
    "[2002:7f00:0001::1]", "[2001::1]", "[fe80::1]", "[fe80::1%25lo]", "[::1%25lo]", "[fc00::1]", "[fd00:ec2::254]",
    "[fec0::1]", "[ff02::1]", "[::ffff:0:127.0.0.1]", "[100::1]",
    "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "169.254.170.2", "100.100.100.200", "192.0.0.192",
    "metadata", "metadata.google.internal", "metadata.google.internal.", "instance-data",
    "10.0.0.1", "10.1", "012.0.0.1", "167772161", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.1", "0xc0a80001",
    "100.64.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1",
)  # fmt: skip
# How a URL is dressed up around a host that is inside; {port} is the listener's.
URLS = (
    "http://example.com@127.0.0.1:{port}/", "http://example.com:80@127.0.0.1:{port}/", "http://user:pass@localhost:{port}/",
    "http://127.0.0.1:{port}#@example.com/", "http://127.0.0.1:{port}?@example.com/", "http://127.0.0.1:{port}/@example.com",
    "http://127.0.0.1:{port}\\@example.com/", "http://example.com\\@127.0.0.1:{port}/", "http:\\\\127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/", "http:127.0.0.1:{port}/", "//127.0.0.1:{port}/", "http://127.0.0.1:{port}/\r\nHost: example.com",
    "http://127.0.0.1\r\n:{port}/", "http://127.0.0.1%0d%0a:{port}/", "http://127.0.0.1\t:{port}/", " http://127.0.0.1:{port}/",
    "HTTP://127.0.0.1:{port}/", "hTTps://localhost:{port}/", "ftp://127.0.0.1:{port}/", "gopher://127.0.0.1:{port}/_x",
    "file:///etc/passwd", "dict://127.0.0.1:{port}/x", "ldap://127.0.0.1:{port}/", "jar:http://127.0.0.1:{port}!/",
    "unix:///var/run/docker.sock", "http://[::1]:{port}@example.com:80/", "http://example.com@[::ffff:7f00:1]:{port}/",
    "http://127.0.0.1:0{port}/", "http://0:{port}/",
)  # fmt: skip


@asynccontextmanager
async def _inside() -> AsyncIterator[tuple[int, list[str]]]:
    """The port of a listener on every address of this machine, and who came."""
    came: list[str] = []

    async def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(str(writer.get_extra_info("sockname")))
        writer.close()

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    servers = [await asyncio.start_server(note, "0.0.0.0", port)]
    if socket.has_ipv6:
        with suppress(OSError):  # a machine without it has none inside either
            servers.append(await asyncio.start_server(note, "::1", port))
    try:
        yield port, came
    finally:
        for server in servers:
            server.close()


async def _fetch(url: str) -> None:
    """As a webhook, a language model and an issuer are called."""
    async with http.client(Reach(), timeout_seconds=3) as client:
        await client.get(url)


async def _check_hook(url: str) -> None:
    """What a tenant may keep as the address of a webhook, and then what is called."""
    async with http.client(Reach(), timeout_seconds=3) as client:
        await client.post(check_url(url, Reach()), content=b"{}")


def _mailbox(host: str, port: int, security: Security) -> Mailbox:
    name = host.strip("[]")
    return Mailbox(
        ChannelAccountId(uuid7()), "a@b.example", "", "a", name, port, security, name, port, security
    )  # fmt: skip


async def _imap(host: str, port: int) -> None:
    async with ImapClient(_mailbox(host, port, Security.PLAIN), "pw", Reach(), 3):
        pass


async def _smtp(host: str, port: int) -> None:
    box = _mailbox(host, port, Security.PLAIN)
    await EmailChannel(Settings(), Reach()).check(Credentials(box.channel_account_id, "pw", box))


async def _refused(deed: Awaitable[None]) -> bool:
    """Whether it came to nothing, by any of the ways that it may."""
    try:
        async with asyncio.timeout(10):
            await deed
    except (
        AppError,
        ChannelError,
        httpx2.HTTPError,
        httpx2.InvalidURL,
        ValueError,
        OSError,
        TimeoutError,
        UnicodeError,
    ):
        return True
    return False


async def test_some_tricks_lead_nowhere(record_property: Record) -> None:
    await _try(record_property, every=6)


@pytest.mark.full
async def test_no_trick_leads_inside(record_property: Record) -> None:
    await _try(record_property, every=1)


async def _try(record_property: Record, every: int) -> None:
    assert len(HOSTS) + len(URLS) >= 120
    tried, opened = 0, []
    async with _inside() as (port, came):
        hosts, urls = HOSTS[::every], URLS[::every]
        wanted = [f"http://{host}:{port}/" for host in hosts] + [
            f"https://{host}:{port}/" for host in hosts[::4]
        ]
        for url in [*wanted, *(url.format(port=port) for url in urls)]:
            for call in (_fetch, _check_hook):
                tried += 1
                opened += [] if await _refused(call(url)) else [url]
        for host in hosts:
            for connect in (_imap, _smtp):
                tried += 1
                opened += [] if await _refused(connect(host, port)) else [host]

    tricks = len(hosts) + len(urls)
    record_property(FIGURE, f"inside: {tricks} tricks, {tried} tries through 4 doors, {len(came)} connects")
    assert came == []
    assert opened == []


Resolver = Callable[..., Awaitable[list[tuple[Any, ...]]]]


@pytest.mark.parametrize("turn", range(4))
async def test_a_name_that_leads_elsewhere_at_the_second_look_leads_nowhere(
    monkeypatch: pytest.MonkeyPatch, record_property: Record, turn: int
) -> None:
    """The resolver answers with an address of the internet first, and with one inside ever after; or with both at once."""
    asked = 0
    async with _inside() as (port, came):
        public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("203.0.113.7", port))
        outside = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", port))
        inside = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))

        async def resolve(*_: object, **__: object) -> list[tuple[Any, ...]]:
            nonlocal asked
            asked += 1
            first = [[outside], [outside, inside], [inside, outside], [public]][turn]
            return first if asked == 1 else [inside]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
        for deed in (
            _fetch(f"http://rebind.example:{port}/"),
            _imap("rebind.example", port),
            _smtp("rebind.example", port),
        ):
            asked = 0
            assert await _refused(deed)
            assert asked == 1, "the name was looked up again"

    assert came == []
