"""The pages of runs: a real run of the inbox agent, read back step by step."""

from datetime import timedelta

import pytest

from core import clock
from core.db import Database
from core.principal import Principal, PrincipalKind
from core.settings import Settings
from crm.deals.actions import move_stage
from crm.deals.queries import list_deals
from crm.pipelines.queries import list_stages
from crm.runs.model_calls import (
    CallOutcome,
    ModelCall,
    UsageFrom,
    list_model_calls,
    record_model_calls,
)
from crm.runs.model_exchanges import ExchangeTurn, ModelExchange, RequestedCall, forget_old_exchanges
from crm.runs.models import Run
from tests.support.office import Office, make_office
from tests.web.conftest import Browser
from web.i18n import Words

FRAGMENT = {"HX_Request": "true"}


@pytest.fixture
async def office(database: Database, organization: Principal, settings: Settings) -> Office:
    return await make_office(database, organization, settings)


@pytest.fixture
async def answered(office: Office) -> Run:
    """The rules that stand in for a model cost nothing; what one would have cost is noted as its meter does."""
    run = await office.answer("Hello, what does a scanner cost for 40 of them?")
    async with office.db.transaction(office.owner, "test") as tx:
        await record_model_calls(tx, run.id, [_asked("triage"), _asked("draft")], keep=timedelta(days=1))
    return run


def _asked(task: str) -> ModelCall:
    said = ModelExchange(
        (
            ExchangeTurn("system", "You are Mira."),
            ExchangeTurn("user", '{"new_messages":["<img src=x> pay\u200bpal"]}', left_out=2000),
        ),
        ("find_contacts", "get_contact"),
        ExchangeTurn("assistant", "", (RequestedCall("find_contacts", '{"text":"<b>Vera</b>"}'),)),
    )
    return ModelCall(
        task, "qwen3", 1, CallOutcome.ANSWERED, UsageFrom.PROVIDER, 1200, 80, 4_123, clock.now(), 310, 90,
        exchange=said,
    )  # fmt: skip


async def _step_of(office: Office, run: Run, place: int) -> str:
    """The id of a model call of the run, by its place among them."""
    async with office.db.transaction(office.owner, "test") as tx:
        return str((await list_model_calls(tx, run.id))[place].id)


async def test_the_list_says_who_worked_on_what_and_how_it_ended(browser: Browser, answered: Run) -> None:
    page = (await browser.get("/runs")).text

    assert f'href="/runs/{answered.id}"' in page
    assert "Conversation with Vera Lind" in page
    assert "Mira: proposed a reply" in page
    assert "Finished" in page


async def test_the_list_keeps_what_its_filter_asks_for(browser: Browser, answered: Run) -> None:
    own = await browser.get(f"/runs?bidi_id={answered.bidi_id}&agent=inbox&status=succeeded")
    none = await browser.get("/runs?bidi_id=&agent=&status=failed")

    assert f'href="/runs/{answered.id}"' in own.text
    assert f'href="/runs/{answered.id}"' not in none.text
    assert "No run is like that" in none.text


async def test_a_run_shows_its_steps_what_it_wrote_and_on_what_that_rests(
    browser: Browser, office: Office, answered: Run
) -> None:
    page = (await browser.get(f"/runs/{answered.id}")).text

    for step in ("Inbox agent", "Understand", "Gather", "brief_contact", "recall", "draft_reply"):
        assert f'<span class="clip">{step}</span>' in page
    assert (await office.body())[:30] in page
    assert "Price list 2026" in page
    assert "Draft: written" in page


async def test_a_tool_call_shows_what_policy_said_and_what_went_in_and_out(
    browser: Browser, office: Office, answered: Run
) -> None:
    call = next(call for call in await office.calls(answered.id) if call.tool == "draft_reply")

    page = (await browser.get(f"/runs/{answered.id}?step={call.id}", **FRAGMENT)).text

    assert page.lstrip().startswith('<div class="run-page"')
    assert "<dt>Risk</dt><dd" in page
    assert "had read text from outside" in page
    assert "allowed" in page
    assert "<dt>body</dt>" in page
    assert "Draft: written" in page


async def test_a_model_call_shows_its_tokens_and_what_it_cost(
    browser: Browser, office: Office, answered: Run
) -> None:
    page = (await browser.get(f"/runs/{answered.id}?step={await _step_of(office, answered, -1)}")).text

    assert '<dt>Asked for</dt><dd class="run-value" lang="en">draft</dd>' in page
    assert '<dt>Tokens in</dt><dd class="run-value" lang="en">1,200</dd>' in page
    assert '<dt>Cost</dt><dd class="run-value" lang="en">$0.004123</dd>' in page
    assert "counted by the provider" in page


async def test_a_model_call_shows_what_went_in_and_what_came_out_as_text(
    browser: Browser, office: Office, answered: Run
) -> None:
    page = (await browser.get(f"/runs/{answered.id}?step={await _step_of(office, answered, -1)}")).text

    went_in, _, came_out = page.partition("What came out")
    assert "You are Mira." in went_in
    assert "&lt;img src=x&gt; pay⟨ZWSP⟩pal" in went_in
    assert "2,000 more characters are not kept" in went_in
    assert went_in.count("may hold text from outside") == 1
    assert "<code>get_contact</code>" in went_in
    assert "<code>find_contacts</code>" in came_out
    assert "&lt;b&gt;Vera&lt;/b&gt;" in came_out


async def test_a_call_of_the_offline_templates_shows_the_question_and_the_reply(
    browser: Browser, office: Office, answered: Run
) -> None:
    page = (await browser.get(f"/runs/{answered.id}?step={await _step_of(office, answered, 1)}")).text

    went_in, _, came_out = page.partition("What came out")
    assert "Hello, what does a scanner cost for 40 of them?" in went_in
    assert "€17" in came_out


async def test_what_was_said_and_is_forgotten_is_said_to_be(
    browser: Browser, office: Office, answered: Run
) -> None:
    step = await _step_of(office, answered, -1)
    async with office.db.transaction(office.owner, "test") as tx:
        await forget_old_exchanges(tx, timedelta(0))

    page = (await browser.get(f"/runs/{answered.id}?step={step}")).text
    told = await browser.get(f"/api/v1/runs/{answered.id}/model-calls/{step}")

    assert "What was said in this call is not kept, or no more." in page
    assert "counted by the provider" in page
    assert told.status_code == 404


async def test_the_api_tells_what_was_said_in_a_model_call(
    browser: Browser, office: Office, answered: Run
) -> None:
    step = await _step_of(office, answered, -1)

    told = (await browser.get(f"/api/v1/runs/{answered.id}/model-calls/{step}")).json()

    assert [turn["role"] for turn in told["messages"]] == ["system", "user"]
    assert told["messages"][1]["left_out"] == 2000
    assert told["answer"]["requests"] == [{"name": "find_contacts", "arguments": '{"text":"<b>Vera</b>"}'}]


async def test_the_graph_marks_where_the_run_went(browser: Browser, answered: Run) -> None:
    page = (await browser.get(f"/runs/{answered.id}?view=graph")).text

    assert page.count('class="node is-visited"') == 5
    assert page.count('class="way is-visited"') == 6
    assert "Understand, Gather, Write, Check the text, Propose" in page


async def test_what_a_contact_wrote_is_text(browser: Browser, office: Office) -> None:
    run = await office.answer("<img src=x onerror=alert(1)> what does a scanner cost?")

    pages = [(await browser.get(f"/runs/{run.id}")).text] + [
        (await browser.get(f"/runs/{run.id}?step={call.id}")).text for call in await office.calls(run.id)
    ]

    assert not any("<img" in page for page in pages)
    assert any("&lt;img" in page for page in pages)


async def test_a_draft_leads_to_the_run_that_wrote_it(browser: Browser, answered: Run) -> None:
    page = (await browser.get(f"/inbox/{answered.conversation_id}?folder=all")).text

    assert f'<a href="/runs/{answered.id}">How it was made</a>' in page


async def test_the_api_tells_a_run_step_by_step(office: Office, answered: Run, browser: Browser) -> None:
    found = (await browser.get(f"/api/v1/runs/{answered.id}/steps")).json()

    assert set(found["nodes"]) == {"triage", "gather", "draft", "guard", "propose"}
    assert [call["tool"] for call in found["tool_calls"]] == [
        call.tool for call in await office.calls(answered.id)
    ]
    assert {call["task"] for call in found["model_calls"]} == {"triage", "draft"}
    assert "ai.draft.generated" in [change["type"] for change in found["changes"]]


def test_costs_keep_the_decimals_that_they_have() -> None:
    costs = (0, 4_123, 1_500_000)

    assert [Words("en", "UTC").cost(one) for one in costs] == ["$0.00", "$0.004123", "$1.50"]
    assert Words("ru", "UTC").cost(4_123) == "0,004123\xa0$"


async def test_a_run_is_taken_back_after_a_look_at_what_that_does(
    browser: Browser, office: Office, answered: Run
) -> None:
    assert f'href="/runs/{answered.id}/revert"' in (await browser.get(f"/runs/{answered.id}")).text
    look = (await browser.get(f"/runs/{answered.id}/revert")).text
    assert "is withdrawn" in look
    assert await office.draft() is not None

    done = await browser.post(f"/runs/{answered.id}/revert")

    assert (done.status_code, done.headers["Location"]) == (303, f"/runs/{answered.id}")
    assert await office.draft() is None
    page = (await browser.get(f"/runs/{answered.id}")).text
    assert "took back what this run changed" in page
    assert f'href="/runs/{answered.id}/revert"' not in page


async def test_a_run_that_was_taken_back_is_not_taken_back_again(browser: Browser, answered: Run) -> None:
    await browser.post(f"/runs/{answered.id}/revert")

    again = await browser.post(f"/runs/{answered.id}/revert")

    assert again.status_code == 409
    assert "was taken back already" in again.text


async def test_a_look_names_what_changed_by_the_words_of_people(browser: Browser, office: Office) -> None:
    run = await office.answer("Hello, what does a scanner cost for 40 of them?")
    agent = Principal(
        PrincipalKind.BIDI, run.bidi_id, office.owner.organization_id, scopes=frozenset({"*"}), run_id=run.id
    )
    async with office.db.transaction(agent, "test") as tx:
        (deal,) = (await list_deals(tx)).items
        stages = await list_stages(tx, deal.pipeline_id)
        await move_stage(tx, deal.id, stages[1].id, version=deal.version)

    look = (await browser.get(f"/runs/{run.id}/revert")).text
    page = (await browser.get(f"/runs/{run.id}")).text

    assert f'<del lang="en">{stages[1].name}</del> → <ins lang="en">{deal.stage}</ins>' in look
    assert f"<ins>+ Stage: {stages[1].name}</ins>" in page
