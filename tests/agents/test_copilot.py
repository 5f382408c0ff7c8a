"""The copilot: asked by a member, driven by the offline model without a key, through the runtime and the tools."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from pydantic import JsonValue

from agents.copilot.sources import cited_numbers, uncited
from agents.llm.base import LanguageModel, ModelReply, ModelRequest
from agents.llm.offline.model import OfflineModel
from agents.llm.scripted import ScriptedModel, Turn
from agents.runtime import Runtime
from core import clock
from core.db import Database
from core.ids import uuid7
from core.languages import language_of
from core.principal import system
from core.settings import Settings
from crm.approvals.models import ToolApproval
from crm.approvals.queries import list_tool_approvals
from crm.copilot import actions as copilot
from crm.copilot.models import About, AboutKind, Question, QuestionStatus
from crm.copilot.queries import get_question
from crm.identity.models import Role
from crm.runs.models import Run, RunStatus
from crm.runs.queries import get_run
from crm.runs.tool_calls import ToolCall, list_tool_calls
from crm.search import actions as searching
from crm.search.models import FoundKind
from evals.firm import Firm, Furnished, furnish, read_firm
from graph.postgres import PostgresGraph
from graph.projector import rebuild
from tests.support.organizations import add_member
from tests.support.until import until
from tools.dispatch import Dispatcher


@dataclass
class Desk:
    """A firm, and the copilot of it. `model` may be replaced between questions."""

    db: Database
    settings: Settings
    firm: Firm
    made: Furnished
    model: LanguageModel = field(default_factory=OfflineModel)

    async def ask(self, words: str, *, by: str = "anna", about: About | None = None) -> Question:
        """A member asks; the question as it was answered."""
        with clock.frozen(self.firm.now):
            async with self.db.transaction(self.made.members[by], "test") as tx:
                question = await copilot.start_chat(tx, words, about)
            return await self.work(question, by=by)

    async def work(self, question: Question, *, by: str = "anna") -> Question:
        member = self.made.members[by]
        dispatcher = Dispatcher(self.db, PostgresGraph(self.db))
        runtime = Runtime(self.db, self.settings, dispatcher, lambda _: self.model)
        with clock.frozen(self.firm.now):
            await runtime.execute(member.organization_id, question.run_id)
        async with self.db.transaction(member, "test") as tx:
            return await get_question(tx, question.id)

    async def calls(self, question: Question) -> list[ToolCall]:
        async with self.db.transaction(self.made.members["anna"], "test") as tx:
            return await list_tool_calls(tx, question.run_id)

    async def cards(self, question: Question) -> list[ToolApproval]:
        async with self.db.transaction(self.made.members["anna"], "test") as tx:
            return await list_tool_approvals(tx, run_id=question.run_id)

    async def run(self, question: Question) -> Run:
        async with self.db.transaction(self.made.members["anna"], "test") as tx:
            return await get_run(tx, question.run_id)

    def deal(self, key: str) -> About:
        return About(AboutKind.DEAL, self.made.ids[f"deal:{key}"])

    def script(self, *turns: dict[str, JsonValue]) -> None:
        self.model = ScriptedModel({"copilot": [Turn.model_validate(turn) for turn in turns]})


@pytest.fixture(scope="module")
async def furnished(database: Database) -> Furnished:
    firm = read_firm()
    builder = system(uuid7())
    with clock.frozen(firm.now):
        async with database.transaction(builder, "test") as tx:
            made = await furnish(tx, firm)
        await rebuild(database, builder, PostgresGraph(database))
        for kind in FoundKind:
            async with database.transaction(builder, "test") as tx:
                await searching.index_next(tx, kind)
    return made


@pytest.fixture
def desk(database: Database, settings: Settings, furnished: Furnished) -> Desk:
    return Desk(database, settings, read_firm(), furnished)


ANSWERS = [
    ("Who can introduce us at Brindle Freight, and what was promised last?",
     ["Ilya Boyko knows Tomas Ferreblanc", "by Thursday"], {"fact", "message"}),
    ("Кто может познакомить нас с Ольгой Кузьминой?", ["Павел Орлов"], {"fact"}),
    ("What did Piet say about the budget?", ["21,000 euros"], {"message"}),
    ("Что обещали Ольге Кузьминой?", ["Пришлю договор в среду"], {"message"}),
    ("What are my tasks?", ["3 tasks", "Call Daria about the second depot"], {"task"}),
    ("Какие у меня просроченные задачи?", ["1 задача", "Call Daria"], {"task"}),
    ("What meetings are there this week?", ["3 meetings", "Price call with Tomas"], {"meeting"}),
    ("How many deals are in Proposal?", ["3 deals"], {"figure"}),
    ("Какая сумма открытых сделок в рублях по стадиям?", ["1 900 000 ₽", "1 250 000 ₽", "640 000 ₽"], {"figure"}),
    ("Which deals are stalled?", ["5 deals", "Tallinn label check"], {"figure", "deal"}),
    ("Расскажи про Кедрозор", ["Томск", "три смены", "Виктор Ламбин"], {"company", "fact", "deal", "contact"}),
]  # fmt: skip


CHANGES: list[tuple[str, str, dict[str, JsonValue]]] = [
    ("I have called Daria about the second depot, tick that task off", "complete_task", {"task_id": "task:t2"}),
    ("Отметь задачу «Подготовить показ для Нины» выполненной", "complete_task", {"task_id": "task:t9"}),
    ("Move the task \"Call Daria about the second depot\" to Friday at 16:30", "update_task", {"due_at": "2026-09-18T16:30:00+02:00"}),
    ("Cancel the price call with Tomas", "close_meeting", {"meeting_id": "meeting:m1", "status": "cancelled"}),
    ("Созвон с Ольгой состоялся: ждут договор. Закрой встречу.", "close_meeting", {"status": "held", "outcome": "ждут договор"}),
    ("Remove the tag \"key account\" from Brindle Freight", "tag_record", {"record_id": "company:brindle", "remove": ["key account"]}),
    ("Set the amount of Luma patient desks to 29,000 dollars", "update_deal", {"amount_minor": 2900000}),
    ("Set the amount of Luma patient desks to 29000.50 dollars", "update_deal", {"amount_minor": 2900050}),
    ("Дата закрытия сделки «Северный Маяк, портовый склад» переносится на 20 ноября", "update_deal", {"close_date": "2026-11-20"}),
    ("Add the email ruth@oakmere.example to Ruth Okafor", "add_handle", {"contact_id": "contact:ruth", "value": "ruth@oakmere.example"}),
    ("Liis Tamm asked us not to write to her any more, suppress her", "suppress_contact", {"contact_id": "contact:liis"}),
    ("Заведи лид по контакту «Виктор Ламбин»", "create_lead", {"contact_id": "contact:viktor"}),
    ("Set the next step of Oakmere yard scanning to: send the plan", "update_deal_next_step", {"next_step": "send the plan"}),
]  # fmt: skip


@pytest.mark.parametrize(("words", "tool", "arguments"), CHANGES, ids=[words for words, _, _ in CHANGES])
async def test_a_change_is_asked_for_with_what_the_words_mean(
    desk: Desk, words: str, tool: str, arguments: dict[str, JsonValue]
) -> None:
    question = await desk.ask(words)

    (card,) = await desk.cards(question)
    ids = {name: str(id) for name, id in desk.made.ids.items()}
    wanted = {name: ids.get(str(value), value) for name, value in arguments.items()}
    assert card.tool == tool
    assert {name: card.arguments.get(name) for name in wanted} == wanted


@pytest.mark.parametrize(
    "words",
    [
        "Should we move Havik freezer gates to Proposal?",
        "Стоит ли переносить «Северный Маяк, портовый склад» в Proposal?",
        "Cancel the meeting",
        "Tick that task off",
    ],
)
async def test_nothing_is_proposed_that_was_not_ordered_or_is_not_clear(desk: Desk, words: str) -> None:
    assert await desk.cards(await desk.ask(words)) == []


async def test_names_in_another_alphabet_do_not_change_the_language_of_an_answer(desk: Desk) -> None:
    question = await desk.ask("Tell me about Ольга Кузьмина")

    assert "Responsible" in question.answer or "Owner" in question.answer or "Deals" in question.answer


@pytest.mark.parametrize(
    ("answer", "bare"),
    [
        ("He wrote: “We agree. Send it on Monday.” [3]", 0),
        ("Он пишет: «Понимаем. Покажем работу на встрече.» [3]", 0),
        ("He wrote: “We agree. Send it on Monday.”", 1),
        ("It costs ten euros a month. [1] It is there on Monday.", 1),
    ],
)
def test_what_somebody_said_belongs_to_the_sentence_around_it(answer: str, bare: int) -> None:
    assert len(uncited(answer, language_of(answer, "en"))) == bare


@pytest.mark.parametrize(("words", "told", "kinds"), ANSWERS, ids=[words for words, _, _ in ANSWERS])
async def test_an_answer_says_what_is_on_record_and_where(
    desk: Desk, words: str, told: Sequence[str], kinds: set[str]
) -> None:
    question = await desk.ask(words)

    assert question.status is QuestionStatus.ANSWERED
    answer = question.answer.replace("\u00a0", " ")
    assert [part for part in told if part not in answer] == []
    assert {one.kind for one in question.cited} >= kinds
    assert {one.n for one in question.cited} == cited_numbers(question.answer)
    assert not uncited(question.answer, language_of(words, "en"))


async def test_what_was_said_leads_to_its_place_in_the_conversation(desk: Desk) -> None:
    question = await desk.ask("What did Piet say about the budget?")

    (message,) = question.cited

    assert message.conversation_id is not None
    assert message.quote == "The budget for this year is 21,000 euros, not more."


async def test_a_question_may_point_at_what_its_asker_looks_at(desk: Desk) -> None:
    question = await desk.ask("Tell me about this deal", about=desk.deal("havik-freezer-gates"))

    assert "Havik freezer gates" in question.answer
    assert "€20,500" in question.answer


ACTIONS = [
    ("Move this deal to Negotiation", "havik-freezer-gates", "move_deal_stage", {"stage": "Negotiation"}),
    ("Перенеси сделку «Депо Шесть, терминалы» в Won", "", "move_deal_stage", {"stage": "Won"}),
    ("Create a task to call Ruth Okafor tomorrow at 10:00", "", "create_task",
     {"title": "Call Ruth Okafor", "due_at": "2026-09-17T10:00:00+02:00"}),
    ("Поставь задачу позвонить Нине Соболь в пятницу в 11:00", "", "create_task",
     {"due_at": "2026-09-18T11:00:00+02:00"}),
    ("Add a note on Ruth Okafor: prefers calls before noon", "", "create_note", {"body": "prefers calls before noon"}),
    ("Tag Brindle Freight as vip", "", "tag_record", {"add": ["vip"]}),
    ("Set the next step to Send the test report", "havik-freezer-gates", "update_deal_next_step",
     {"next_step": "Send the test report"}),
    ("Plan a meeting with Liis Tamm on Friday at 15:00", "", "plan_meeting",
     {"starts_at": "2026-09-18T15:00:00+02:00"}),
    ("Assign Havik Cold Storage to Ilya Boyko", "", "assign_record", {"record_kind": "company"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "deal", "tool", "arguments"), ACTIONS, ids=[words for words, *_ in ACTIONS]
)
async def test_what_is_wanted_becomes_a_card_and_waits(
    desk: Desk, words: str, deal: str, tool: str, arguments: dict[str, JsonValue]
) -> None:
    question = await desk.ask(words, about=desk.deal(deal) if deal else None)

    call = (await desk.calls(question))[-1]
    (card,) = await desk.cards(question)

    assert (call.tool, call.status, card.tool) == (tool, "asked", tool)
    assert {name: call.arguments[name] for name in arguments} == arguments
    assert ("approval" in question.answer) or ("одобрен" in question.answer)


async def test_a_viewer_gets_answers_and_no_cards(desk: Desk) -> None:
    viewer = await add_member(desk.db, desk.made.members["anna"], Role.VIEWER)
    desk.made.members["viewer"] = viewer

    told = await desk.ask("How many deals are in Proposal?", by="viewer")
    wanted = await desk.ask("Tag Brindle Freight as vip", by="viewer")

    assert "3 deals" in told.answer
    assert await desk.cards(wanted) == []
    assert "contacts:write" in wanted.answer


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("Send Daria an email", "no tool for that"),
        ("Удали сделку «Tallinn label check»", "Удалять ничего не могу"),
        ("Tell me about Quentin Nobody", "nothing called Quentin Nobody"),
        ("What's the weather?", "could not make out"),
    ],
)
async def test_the_copilot_says_what_it_cannot_do(desk: Desk, words: str, said: str) -> None:
    question = await desk.ask(words)

    assert said in question.answer
    assert question.cited == []


async def test_an_earlier_question_of_the_chat_is_known(desk: Desk) -> None:
    model = Listener({"text": "Fine."})
    desk.model = model
    first = await desk.ask("Who is Piet?")
    async with desk.db.transaction(desk.made.members["anna"], "test") as tx:
        second = await copilot.ask(tx, first.chat_id, "And where does he work?")

    await desk.work(second)

    turns = [(turn.role, turn.text) for turn in model.requests[-1].messages]
    assert ("user", "Who is Piet?") in turns
    assert ("assistant", "Fine.") in turns
    assert '"question":"And where does he work?"' in turns[-1][1]


async def test_a_statement_without_a_source_is_asked_for_again(desk: Desk) -> None:
    deals: dict[str, JsonValue] = {
        "tools": [{"name": "find_deals", "arguments": {"filter": {}, "sort": "name"}}]
    }
    desk.script(deals, {"text": "The first deal is the best one."}, {"text": "The first deal is open. [1]"})

    question = await desk.ask("Which deal is first?")

    assert question.answer == "The first deal is open. [1]"
    assert (await desk.run(question)).outcome == "answered"


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        ({"unavailable": "no route"}, "could not be asked"),
        ({"text": ""}, "empty"),
        ({"tools": [{"name": "find_deals", "arguments": {}}]}, "keeps calling tools"),
    ],
    ids=["no model", "silence", "only tools"],
)
async def test_a_model_that_fails_is_told_in_the_chat(
    desk: Desk, turn: dict[str, JsonValue], reason: str
) -> None:
    desk.script(turn)

    question = await desk.ask("Which deal is first?")

    assert question.status is QuestionStatus.FAILED
    assert reason in question.reason


async def test_a_model_may_be_wrong_about_tools_and_still_answer(desk: Desk) -> None:
    desk.script(
        {
            "tools": [
                {"name": "no_such_tool", "arguments": {}},
                {"name": "find_deals", "arguments": "nonsense"},
            ]
        },
        {"text": "I could not find it out."},
    )

    question = await desk.ask("Which deal is first?")

    assert question.answer == "I could not find it out."
    assert [call.status for call in await desk.calls(question)] == ["failed", "failed"]


async def test_a_copilot_reads_conversations_after_other_words_from_outside(desk: Desk) -> None:
    """An inbox run may not: its answer leaves the house. What a colleague reads here they may read anyway."""
    question = await desk.ask("What did we promise Ruth Okafor?")

    calls = {call.tool: call for call in await desk.calls(question)}

    assert calls["read_conversation"].is_tainted
    assert calls["read_conversation"].status == "done"


async def test_a_run_whose_process_died_goes_on_and_nothing_happens_twice(desk: Desk) -> None:
    member = desk.made.members["anna"]
    with clock.frozen(desk.firm.now):
        async with desk.db.transaction(member, "test") as tx:
            question = await copilot.start_chat(tx, "Tag Oakmere Timber as wood")
    arguments: dict[str, JsonValue] = {
        "record_kind": "company",
        "record_id": str(desk.made.ids["company:oakmere"]),
        "add": ["wood"],
    }
    desk.model = Dying({"tools": [{"name": "tag_record", "arguments": arguments}]})
    with pytest.raises(Died):
        await desk.work(question)
    desk.script(
        {"tools": [{"name": "tag_record", "arguments": arguments}]}, {"text": "It waits for approval."}
    )

    done = await desk.work(question)

    assert done.answer == "It waits for approval."
    assert [call.tool for call in await desk.calls(question)] == ["tag_record"]
    assert len(await desk.cards(question)) == 1


async def test_a_stopped_run_ends_within_two_seconds(desk: Desk) -> None:
    member = desk.made.members["anna"]
    desk.script({"hang": True})
    async with desk.db.transaction(member, "test") as tx:
        question = await copilot.start_chat(tx, "Which deal is first?")
    working = asyncio.create_task(desk.work(question))
    await until_running(desk, question)
    async with desk.db.transaction(member, "test") as tx:
        await copilot.stop_answer(tx, question.id)

    async with asyncio.timeout(2):
        stopped = await working

    assert stopped.status is QuestionStatus.STOPPED


async def until_running(desk: Desk, question: Question) -> None:
    async def is_running() -> bool:
        return (await desk.run(question)).status is RunStatus.RUNNING

    await until(is_running)


class Died(Exception):
    """The process is gone."""


class Listener(ScriptedModel):
    """A script that remembers what it was asked."""

    def __init__(self, *turns: dict[str, JsonValue]) -> None:
        super().__init__({"copilot": [Turn.model_validate(turn) for turn in turns]})
        self.requests: list[ModelRequest] = []

    async def complete(self, request: ModelRequest) -> ModelReply:
        self.requests.append(request)
        return await super().complete(request)


class Dying(Listener):
    """A script whose process dies at the second question."""

    async def complete(self, request: ModelRequest) -> ModelReply:
        if self.requests:
            raise Died
        return await super().complete(request)
