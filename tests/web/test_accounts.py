"""Accounts from a mail: signing up, forgetting a password, and mails that are sent once."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx2
import pytest

from core.db import Database
from core.ids import uuid7
from core.mail_folder import KeptMail, MailFolder
from core.principal import Principal, system
from core.settings import Settings
from crm.identity.letters import KINDS, letter
from crm.identity.mails import queue_mail
from crm.identity.queries import find_credentials
from infra.peers.smtp.server import Fault, SmtpPeer, running_smtp_peer
from tests.support.organizations import PASSWORD, give_password
from tests.support.site import running_site
from tests.support.working import carry_out_events, carry_out_everywhere
from worker import services as worker_services
from worker.services import Services

NEW_PASSWORD = "another horse battery"


@dataclass
class Newcomer:
    """Somebody at the door, and the worker that sends what they wait for."""

    client: httpx2.AsyncClient
    services: Services
    email: str = field(default_factory=lambda: f"{uuid7().hex}@newcomer.example")

    async def send(self, path: str, **fields: str) -> httpx2.Response:
        """A form of the page at `path`, or at what stands before the `#`."""
        page = await self.client.get(path)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert token, page.text
        place = path.partition("?")[0]
        return await self.client.post(place, data={"csrf_token": token.group(1), **fields})

    async def sign_up(self, **other: str) -> httpx2.Response:
        typed = {"name": "Nora", "organization": "Nora & Co", "email": self.email, "password": PASSWORD}
        return await self.send("/sign-up", **(typed | other))

    async def sign_in(self, password: str = PASSWORD) -> httpx2.Response:
        """From a browser that nobody is signed in with."""
        self.client.cookies.clear()
        page = await self.client.get("/session/new")
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert token, page.text
        fields = {"csrf_token": token.group(1), "email": self.email, "password": password}
        return await self.client.post("/session", data=fields)

    async def mails(self) -> list[KeptMail]:
        """What has been written to this person, the newest first."""
        await carry_out_everywhere(self.services, "send_system_mail")
        kept = await MailFolder(self.services.settings.data).list_newest()
        return [mail for mail in kept if mail.recipient == self.email]

    async def link(self) -> str:
        """The path of the newest mail's link."""
        (mail, *_) = await self.mails()
        found = re.search(r"^http://[^/]+(/\S+)$", mail.text, re.M)
        assert found, mail.text
        return found.group(1)


@pytest.fixture
async def shown(settings: Settings) -> Settings:
    return settings.model_copy(update={"show_mails": True})


@pytest.fixture
async def newcomer(shown: Settings) -> AsyncIterator[Newcomer]:
    async with (
        running_site(shown) as site,
        worker_services.build(shown) as services,
        httpx2.AsyncClient(base_url=site, timeout=20) as client,
    ):
        yield Newcomer(client, services)


async def test_somebody_signs_up_confirms_and_owns_an_organization(
    newcomer: Newcomer, database: Database
) -> None:
    answer = await newcomer.sign_up()
    before = await newcomer.sign_in()
    link = await newcomer.link()
    confirmed = await newcomer.send(link, token=link.partition("token=")[2])

    assert answer.status_code == confirmed.status_code == 200
    assert before.status_code == 401, "nobody is let in before the address is shown to be theirs"
    assert (await newcomer.sign_in()).status_code == 303
    page = (await newcomer.client.get("/profile")).text
    assert 'value="Nora"' in page
    credentials = await find_credentials(database, newcomer.email)
    assert credentials is not None
    async with database.transaction(system(credentials.organization_id), "test") as tx:
        role = await tx.value("SELECT role FROM members WHERE user_id = %(id)s", id=credentials.user_id)
    assert role == "owner"


async def test_a_link_confirms_once(newcomer: Newcomer) -> None:
    await newcomer.sign_up()
    link = await newcomer.link()
    await newcomer.send(link, token=link.partition("token=")[2])

    again = await newcomer.send(link, token=link.partition("token=")[2])

    assert again.status_code == 404


async def test_following_the_link_alone_does_nothing(newcomer: Newcomer, database: Database) -> None:
    await newcomer.sign_up()
    link = await newcomer.link()

    await newcomer.client.get(link)

    assert await find_credentials(database, newcomer.email) is None


async def test_of_two_sign_ups_with_one_address_the_first_that_is_confirmed_counts(
    newcomer: Newcomer,
) -> None:
    await newcomer.sign_up(password="an attacker's own words")
    theirs = await newcomer.link()
    await newcomer.sign_up()
    mine = await newcomer.link()

    await newcomer.send(mine, token=mine.partition("token=")[2])
    late = await newcomer.send(theirs, token=theirs.partition("token=")[2])

    assert late.status_code == 409
    assert (await newcomer.sign_in()).status_code == 303
    assert (await newcomer.sign_in("an attacker's own words")).status_code == 401


@pytest.mark.parametrize("path", ["/sign-up", "/password/forgotten"])
async def test_a_known_and_an_unknown_address_get_the_same_answer_after_the_same_time(
    newcomer: Newcomer, database: Database, organization: Principal, path: str
) -> None:
    known = await give_password(database, organization)
    typed = {"name": "Nora", "organization": "Nora & Co", "password": PASSWORD}
    answers = {}
    for email in (known, newcomer.email):
        began = time.monotonic()
        answer = await newcomer.send(path, email=email, **(typed if path == "/sign-up" else {}))
        text = re.sub(r'name="csrf_token" value="[^"]+"|"X-CSRF-Token": "\w+"', "", answer.text)
        answers[email] = (answer.status_code, text.replace(email, "?")), time.monotonic() - began

    assert answers[known][0] == answers[newcomer.email][0]
    assert min(seconds for _, seconds in answers.values()) >= 0.4


async def test_the_owner_of_an_address_hears_that_somebody_signed_up_with_it(
    newcomer: Newcomer, database: Database, organization: Principal
) -> None:
    newcomer.email = await give_password(database, organization)

    await newcomer.sign_up(password="an attacker's own words")

    assert [mail.subject for mail in await newcomer.mails()] == ["You already have an account at GetSale"]
    assert (await newcomer.sign_in()).status_code == 303


@pytest.mark.parametrize(
    "typed",
    [{"password": "short"}, {"email": "no address"}, {"name": " "}, {"organization": ""}],
    ids=lambda typed: next(iter(typed)),
)
async def test_what_cannot_be_is_said_beside_what_was_typed(
    newcomer: Newcomer, typed: dict[str, str]
) -> None:
    answer = await newcomer.sign_up(**typed)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert PASSWORD not in answer.text


@pytest.mark.parametrize("easy", ["password123", "qwertyuiop", "йцукенгшщз", "1234567890", "aaaaaaaaaaaa"])
async def test_a_password_that_is_easy_to_guess_is_refused(newcomer: Newcomer, easy: str) -> None:
    answer = await newcomer.sign_up(password=easy)

    assert answer.status_code == 422
    assert "easy to guess" in answer.text
    assert await newcomer.mails() == []


async def test_a_forgotten_password_is_set_anew_once_and_ends_every_session(
    newcomer: Newcomer, database: Database, organization: Principal
) -> None:
    newcomer.email = await give_password(database, organization)
    await newcomer.sign_in()
    async with httpx2.AsyncClient(base_url=newcomer.client.base_url, timeout=20) as other:
        stranger = Newcomer(other, newcomer.services, newcomer.email)
        await stranger.send("/password/forgotten", email=newcomer.email)
        link = await stranger.link()
        token = link.partition("token=")[2]

        answer = await stranger.send(link, token=token, password=NEW_PASSWORD)
        again = await stranger.send(link, token=token, password="a third horse battery")

        assert (answer.status_code, again.status_code) == (200, 404)
        assert (await newcomer.client.get("/inbox")).status_code == 303, "the session before has ended"
        assert (await stranger.sign_in()).status_code == 401
        assert (await stranger.sign_in(NEW_PASSWORD)).status_code == 303
    assert {mail.subject for mail in await newcomer.mails()} >= {
        "Your password for GetSale was changed",
        "A sign-in to GetSale from a new device",
    }


async def test_links_never_lead_to_a_host_that_the_caller_chose(
    newcomer: Newcomer, database: Database, organization: Principal
) -> None:
    newcomer.email = await give_password(database, organization)

    page = await newcomer.client.get("/password/forgotten")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    answer = await newcomer.client.post(
        "/password/forgotten",
        data={"csrf_token": token.group(1), "email": newcomer.email},
        headers={"Host": "evil.example"},
    )

    assert answer.status_code == 503
    assert await newcomer.mails() == []


async def test_kept_mails_are_shown_with_links_that_can_be_followed(newcomer: Newcomer) -> None:
    await newcomer.sign_up()
    link = await newcomer.link()

    page = await newcomer.client.get("/mails")

    assert f'{link}" rel="noreferrer">' in page.text


async def test_mails_are_shown_only_where_it_is_allowed(settings: Settings) -> None:
    async with running_site(settings) as site, httpx2.AsyncClient(base_url=site) as client:
        assert (await client.get("/mails")).status_code == 404


async def test_where_nobody_may_sign_up_there_is_no_page_for_it(settings: Settings) -> None:
    closed = settings.model_copy(update={"sign_up": False})
    async with running_site(closed) as site, httpx2.AsyncClient(base_url=site) as client:
        assert (await client.get("/sign-up")).status_code == 404
        assert "/sign-up" not in (await client.get("/session/new")).text


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_letter_is_whole_in_both_languages(kind: str, locale: str) -> None:
    names = ("name", "organization", "inviter", "device", "address", "what", "provider", "day")
    values = dict.fromkeys(names, "Visit http://evil.example")

    written = letter(kind, locale, link="https://sales.example/x", **values)

    assert "$" not in written.subject + written.text
    assert written.text.count("://") == 1, "only our own link is one"


# the mail server ---------------------------------------------------------------------------------------------------
@pytest.fixture
async def smtp() -> AsyncIterator[SmtpPeer]:
    async with running_smtp_peer() as running:
        yield running


@pytest.fixture
async def services(settings: Settings, smtp: SmtpPeer) -> AsyncIterator[Services]:
    url = f"smtp+plain://getsale:{smtp.password}@127.0.0.1:{smtp.port}"
    chosen = settings.model_copy(update={"smtp_url": url, "channel_timeout_seconds": 1.0})
    async with worker_services.build(Settings(**chosen.model_dump())) as built:
        yield built


async def _queue(services: Services, organization: Principal) -> None:
    key = services.settings.secret_key.get_secret_value()
    async with services.db.transaction(organization, "test") as tx:
        await queue_mail(tx, "anna@far.example", letter("reset", "en", link="https://x.example/1"), key=key)


async def _mail(services: Services, organization: Principal) -> tuple[str, bool]:
    """How the mail stands, and whether its text is still here."""
    async with services.db.transaction(organization, "test") as tx:
        status = await tx.value("SELECT status FROM system_mails")
        return status, bool(await tx.value("SELECT content IS NOT NULL FROM system_mails"))


async def test_a_mail_goes_out_once_over_the_operators_server(
    services: Services, smtp: SmtpPeer, organization: Principal
) -> None:
    await _queue(services, organization)
    await asyncio.gather(*(carry_out_events(services, organization) for _ in range(4)))

    assert [mail.text.splitlines()[4] for mail in smtp.received("anna@far.example")] == [
        "https://x.example/1"
    ]
    assert await _mail(services, organization) == ("sent", False)


@pytest.mark.parametrize(
    ("fault", "ends"),
    [(Fault.DROP_AFTER, "unknown"), (Fault.REFUSE, "failed"), (Fault.DROP_BEFORE, "queued")],
)
async def test_a_mail_that_may_have_left_is_not_sent_again(
    services: Services, smtp: SmtpPeer, organization: Principal, fault: Fault, ends: str
) -> None:
    smtp.fail(fault)
    await _queue(services, organization)

    await carry_out_events(services, organization)

    assert await _mail(services, organization) == (ends, ends == "queued")
    assert len(smtp.received("anna@far.example")) == (1 if fault is Fault.DROP_AFTER else 0)
