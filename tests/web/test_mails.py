"""Mail in the inbox: its subject and address, what a machine wrote, and the whole mail as text."""

import pytest

from core.db import Database
from core.ids import uuid7
from core.principal import Principal
from tests.support.mail import SALES, VERA, Post, make_post, written
from tests.web.conftest import Browser

QUOTED = "Is it still 17 euros?\n\nOn Thu, 26 Nov 2026 at 10:00, Norrwick Sales wrote:\n> It is 17 euros.\n"


@pytest.fixture
async def post(database: Database, organization: Principal) -> Post:
    return await make_post(database, organization)


async def _thread(browser: Browser, post: Post) -> str:
    conversation = (await post.conversations())[0]
    return (await browser.get(f"/inbox/{conversation.id}?folder=all")).text


async def test_a_mail_shows_its_subject_its_address_and_its_channel(browser: Browser, post: Post) -> None:
    await post.receive(written(subject="Price for 50 people"))

    page = await _thread(browser, post)

    assert f"Email {VERA}" in page
    assert page.count("Price for 50 people") >= 2
    assert "icons.svg" in page
    assert "#mail" in page


async def test_what_was_cut_can_be_read_as_text(browser: Browser, post: Post) -> None:
    await post.receive(written(QUOTED + "<script>alert(1)</script> <img src='https://evil.example/x.png'>"))

    page = await _thread(browser, post)
    message = (await post.messages())[0]
    whole = await browser.get(f"/mails/{message.id}")

    assert "It is 17 euros." not in page
    assert f'href="/mails/{message.id}"' in page
    assert "&gt; It is 17 euros." in whole.text
    assert "&lt;script&gt;alert(1)" in whole.text
    assert "<img src='https://evil" not in whole.text


async def test_a_mail_that_stands_there_whole_has_no_link(browser: Browser, post: Post) -> None:
    await post.receive(written("Short."))

    assert "/mails/" not in await _thread(browser, post)


@pytest.mark.parametrize(("locale", "mark"), [("en", "automatic reply"), ("ru", "автоматический ответ")])
async def test_what_a_machine_wrote_says_so(browser: Browser, post: Post, locale: str, mark: str) -> None:
    await browser.post("/preferences", locale=locale)
    await post.receive(written("I am away", subject="Automatic reply", auto_submitted="auto-replied"))

    assert mark in await _thread(browser, post)


async def test_a_mail_from_another_program_is_not_the_systems(browser: Browser, post: Post) -> None:
    await post.receive(written("from my phone", sender=SALES, to=VERA), from_sent_folder=True)

    assert "sent with another program" in await _thread(browser, post)


async def test_another_organizations_mail_is_not_found(
    browser: Browser, database: Database, other_organization: Principal
) -> None:
    theirs = await make_post(database, other_organization)
    await theirs.receive(written())
    message = (await theirs.messages())[0]

    assert (await browser.get(f"/mails/{message.id}")).status_code == 404
    assert (await browser.get(f"/mails/{uuid7()}")).status_code == 404
