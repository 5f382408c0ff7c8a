"""The lead's story in Chromium: an agent is given one kind of message, answers it in Telegram, and is taken over mid-way."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from playwright.async_api import Browser, expect

from core import clock
from crm.bidi.actions import update_bidi
from crm.bidi.models import Autonomy, BidiEdit
from crm.bidi.queries import get_bidi
from crm.conversations.models import Conversation
from crm.drafts import earning
from crm.drafts.past import PastDecision, add_past_decisions
from crm.runs.queries import list_runs
from events.ids import UserId
from tests.support.browser import Person, Prospect, Watch
from tests.support.documents import read_document
from tests.support.stage import Stage
from tests.support.until import until

PRICES = (
    "# Price list\n\n| Scanners | Per scanner and month |\n|---|---|\n| 25–99 | €17 |\n| 100–499 | €15 |\n"
)
TAKEN = "I take it from here: €17 each, and we come by on Thursday."


@pytest.fixture
async def prices(stage: Stage) -> AsyncIterator[None]:
    """What may be told to anybody; afterwards the agent suggests again, as it did before."""
    await read_document(stage, "Price list.md", PRICES.encode())
    yield
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        seat = await earning.choose_intents(tx, stage.world.bidi_id, set())
        await update_bidi(tx, seat.id, BidiEdit(autonomy=Autonomy.SUGGEST), version=seat.version)


async def test_a_lead_puts_an_agent_on_autopilot_and_takes_the_conversation_over(
    chromium: Browser, stage: Stage, vera: Prospect, prices: None
) -> None:
    base, mira = stage.fleet.base, f"/seats/{stage.world.bidi_id}"
    conversation = await vera.write("Hello!")
    await decided(stage, conversation)
    prospect = await vera.page(chromium)
    lead = await Person(chromium, stage).sign_in()
    watch = Watch.over(lead)

    # give it what it has earned
    await lead.goto(f"{base}{mira}")
    await expect(lead.locator("#autopilot")).to_contain_text("Now a person sends every reply")
    await lead.get_by_role("button", name="Let it answer by itself: Questions about the price").click()
    await expect(lead.locator("#autopilot")).to_contain_text("Its autonomy is “Suggest”")
    await lead.get_by_role("button", name="Set its autonomy to Autopilot").click()
    await expect(lead.locator("#autopilot")).to_contain_text("It answers by itself now")

    # it answers in Telegram, and nobody pressed anything
    await lead.goto(f"{base}/inbox/{conversation.id}?folder=all")
    await prospect.fill("#text", "What does it cost for 40 scanners?")
    await prospect.press("#text", "Enter")
    await expect(prospect.locator(".msg:not(.own) .text")).to_contain_text(["€17"], timeout=30_000)
    await expect(lead.locator(".msg.out", has_text="€17")).to_have_count(1)
    await expect(lead.locator(".msg-by", has_text="Mira, by itself")).to_be_visible()
    # the newest is first, at the bottom of the prospect's screen
    first = await prospect.locator(".msg:not(.own) .text").all_inner_texts()

    # its next reply is on its way when the lead takes over: Telegram has asked the bot to wait
    await stage.peer.fault("429", method="sendMessage", retry_after=120)
    await prospect.fill("#text", "And what is the price for 60 scanners?")
    await prospect.press("#text", "Enter")
    await expect(lead.locator(".msg.out", has_text="waiting to go")).to_have_count(1, timeout=30_000)
    await lead.get_by_role("button", name="Take over").click()
    await expect(lead.locator(".bar .chip.person")).to_have_text("Yours")
    await expect(lead.locator(".msg.out")).to_have_count(1)
    await expect(lead.locator(".draft.is-done")).to_contain_text("took the conversation over")

    # Telegram takes messages again: what arrives is the lead's, and the agent is silent
    await let_send(stage)
    await lead.fill("textarea[name=body]", TAKEN)
    await lead.press("textarea[name=body]", "Control+Enter")
    await expect(prospect.locator(".msg:not(.own) .text")).to_have_text([TAKEN, *first], timeout=30_000)
    runs = await count_runs(stage, conversation)
    await prospect.fill("#text", "What does it cost for 90 scanners?")
    await prospect.press("#text", "Enter")
    await expect(lead.locator(".msg", has_text="90 scanners")).to_be_visible()
    await until(lambda: was_heard(stage, conversation))
    assert await count_runs(stage, conversation) == runs
    assert await prospect.locator(".msg:not(.own) .text").all_inner_texts() == [TAKEN, *first]
    assert (watch.outside, watch.complaints) == ([], [])

    # what it did by itself, and the way to say that it was wrong
    await lead.goto(f"{base}{mira}")
    await expect(lead.locator(".seat-reply")).to_have_count(1)
    await lead.get_by_text("This reply was wrong").click()
    await lead.get_by_label("The contact complained about it").check()
    await lead.get_by_role("button", name="Report it").click()
    await expect(lead.locator("#autopilot")).to_contain_text("No kind of message is given to it yet.")


async def decided(stage: Stage, conversation: Conversation) -> None:
    """People have accepted a hundred of its answers about the price."""
    past = PastDecision(
        conversation.id,
        "price",
        "It costs €17.",
        "en",
        UserId(stage.world.owner.id),
        clock.now() - timedelta(days=1),
    )
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        await add_past_decisions(tx, stage.world.bidi_id, [past] * 100)
        assert (await get_bidi(tx, stage.world.bidi_id)).autonomy is Autonomy.SUGGEST


async def let_send(stage: Stage) -> None:
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        await tx.execute("UPDATE channel_accounts SET blocked_until = NULL")


async def count_runs(stage: Stage, conversation: Conversation) -> int:
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        return len((await list_runs(tx, conversation_id=conversation.id)).items)


async def was_heard(stage: Stage, conversation: Conversation) -> bool:
    """Whether every rule has been asked about everything that was said here."""
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        return not await tx.value(
            """
            SELECT EXISTS (SELECT FROM event_deliveries
                            WHERE subject_id = %(conversation_id)s
                              AND event_type = 'message.received'
                              AND handler IN ('route', 'evaluate_triggers')
                              AND status = 'open')
            """,
            conversation_id=conversation.id,
        )
