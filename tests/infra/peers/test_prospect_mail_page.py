"""The prospect's mail page over a real mail server: what is written arrives, what comes back is shown in its thread."""

from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import ClientSession, web

from infra.peers.mail.person import MailPerson
from infra.peers.telegram.app import create_app
from infra.servers import greenmail
from infra.servers.greenmail import GreenMail, MailUser
from infra.servers.processes import free_port

SALES = "sales@page.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GreenMail]:
    running = greenmail.start(tmp_path_factory.mktemp("greenmail"), [MailUser(SALES, "secret")])
    yield running
    running.stop()


async def _site(person: MailPerson | None) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(create_app(token="1000001:test-token", mail=person), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


@pytest.fixture
async def page(server: GreenMail) -> AsyncIterator[tuple[str, MailPerson, ClientSession]]:
    person = MailPerson("vera@page.example", "Vera Lind", SALES, server.smtp_port, server.imap_port)
    runner, base = await _site(person)
    async with ClientSession() as client:
        yield base, person, client
    await runner.cleanup()


async def test_a_mail_is_written_and_its_answer_stays_in_the_thread(
    page: tuple[str, MailPerson, ClientSession], server: GreenMail
) -> None:
    base, person, client = page
    form = {"subject": "Сканеры", "text": "Сколько стоит?"}
    async with client.post(f"{base}/mail/messages", data=form) as answer:
        assert answer.status == 200  # led back to the page
    sales = MailPerson(SALES, "Norrwick", person.address, server.smtp_port, server.imap_port)
    sales.write("17 евро", "Re: Сканеры")

    async with client.post(f"{base}/mail/messages", data={"subject": "", "text": "Спасибо"}) as answer:
        shown = await answer.text()

    assert shown.index("Сколько стоит?") != shown.index("17 евро")
    assert "Спасибо" in shown
    assert person.sent[-1]["Subject"] == "Re: Сканеры"
    assert person.sent[-1]["In-Reply-To"] == sales.sent[-1]["Message-ID"]


async def test_other_sites_cannot_write_in_the_prospects_name(
    page: tuple[str, MailPerson, ClientSession],
) -> None:
    base, person, client = page
    headers = {"Sec-Fetch-Site": "cross-site"}
    async with client.post(f"{base}/mail/messages", data={"text": "x"}, headers=headers) as answer:
        assert answer.status == 403

    assert person.sent == []


async def test_while_the_mail_server_starts_the_page_says_so() -> None:
    runner, base = await _site(MailPerson("v@x.example", "V", SALES, free_port(), free_port()))
    async with ClientSession() as client, client.get(f"{base}/mail?lang=en") as answer:
        assert "The mail server is starting" in await answer.text()
    await runner.cleanup()


async def test_without_a_mail_server_the_telegram_page_does_not_offer_mail() -> None:
    runner, base = await _site(None)
    async with ClientSession() as client, client.get(f"{base}/?lang=en") as answer:
        assert "Write by mail instead" not in await answer.text()
    await runner.cleanup()
