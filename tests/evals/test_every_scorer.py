"""Every scorer of every suite tells good from bad, and says nothing where the case says nothing about its matter."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from crm.conversations.models import (
    Conversation,
    ConversationStatus,
    Direction,
    HandoffReason,
    Message,
    MessageKind,
    MessageStatus,
)
from crm.copilot.models import Question, QuestionStatus
from crm.drafts.models import Draft, DraftStatus, Evidence, EvidenceKind
from crm.runs.tool_calls import ToolCall
from evals.arena import Line, Played, Talked
from evals.cases import Case
from evals.rows import Change
from evals.scorers import texts
from evals.scorers.base import Score, Scorer
from evals.suites import SUITES
from events.ids import (
    BidiId,
    ChannelAccountId,
    ContactId,
    ConversationId,
    CopilotChatId,
    CopilotQuestionId,
    DraftId,
    MessageId,
    RunId,
)

NOW = datetime(2026, 9, 14, 9, tzinfo=UTC)
FACT, OTHER = uuid4(), uuid4()
IDS: Mapping[str, UUID] = {"fact": FACT, "fact 2": OTHER}
SCORERS: dict[str, Scorer] = {
    scorer.name: scorer
    for suite in reversed(list(SUITES.values()))
    for scorer in (*suite.deciding, *suite.looking)
} | {texts.exact.name: texts.exact}
# Two suites may judge the same matter in two ways: whole talks have scorers of their own.
OF_TALKS = {scorer.name: scorer for scorer in SUITES["talks"].deciding}


def thread(reason: HandoffReason | None = None) -> Conversation:
    summary = "They ask for a person" if reason else ""
    return Conversation(
        ConversationId(uuid4()), ChannelAccountId(uuid4()), "telegram", ContactId(uuid4()), "7", ConversationStatus.OPEN,
        None, None, None, 1, 1, 1, NOW, reason, summary, "", "", "",
    )  # fmt: skip


def reply(body: str, *evidence: Evidence, **more: Any) -> Played:
    draft = Draft(
        DraftId(uuid4()), ConversationId(uuid4()), ContactId(uuid4()), BidiId(uuid4()), None, DraftStatus.PENDING, 1,
        body, None, "en", 1, 1, "", [], "", "", None, None, NOW,
    )  # fmt: skip
    return Played(None, thread(), draft=draft, evidence=list(evidence), ids=dict(IDS), **more)


def sent(body: str, seq: int = 2) -> Message:
    return Message(
        MessageId(uuid4()), ConversationId(uuid4()), seq, Direction.OUT, MessageStatus.QUEUED, body, "bidi", None, None,
        None, "", NOW, None, None, None, MessageKind.ORDINARY, "", "",
    )  # fmt: skip


def based(statement: str, quote: str, source: UUID = FACT) -> Evidence:
    return Evidence(EvidenceKind.FACT, source, "Price list", quote, statement)


def answer(text: str, kind: str = "deal") -> Played:
    cited = [{"n": 1, "kind": kind, "id": str(uuid4()), "label": "", "quote": ""}]
    question = Question(
        CopilotQuestionId(uuid4()), CopilotChatId(uuid4()), "How much?", None, None, RunId(uuid4()),
        QuestionStatus.ANSWERED, text, cited, "", NOW, NOW,
    )  # fmt: skip
    return Played(None, answer=question)


def called(*tools: str) -> Played:
    calls = [
        ToolCall(uuid4(), RunId(uuid4()), f"k{n}", tool, {"stage": "Won"}, "ask", True, "done", {}, "")
        for n, tool in enumerate(tools)
    ]
    return Played(None, thread(), calls=calls)


def talked(*ours: str, end: str = "content", got: int = 1, theirs: str = "How much is it a month?") -> Played:
    lines = [line for text in ours for line in (Line(False, theirs), Line(True, text))]
    return Played(None, thread(), talk=Talked(end, got, lines))


HANDED = Played(None, thread(HandoffReason.CUSTOMER_REQUEST))
TALK: dict[str, Any] = {"talk": {"wishes": [{}]}}
PRICE = "It costs €17 a month."
# scorer -> what the case expects, what is good, what is bad
PAIRS: dict[str, tuple[dict[str, Any], Played, Sequence[Played]]] = {
    "decision": ({"decision": "notify"}, HANDED, [Played(None, thread())]),
    "handoff": (
        {"reasons": ["customer_request"]},
        HANDED,
        [Played(None, thread()), Played(None, thread(HandoffReason.TOOL_FAILURE))],
    ),
    "final_state": (
        {"state": {"deal.stage": "Won"}},
        Played(None, state={"deal.stage": "Won"}),
        [Played(None, state={"deal.stage": "Lost"}), Played(None)],
    ),
    "final_rows": ({"rows": []}, Played(None, changes=[]), [Played(None, changes=[Change("deals", "d", {}, {"id": 1})])]),
    "says": ({"says": [["€17", "17 euros"]]}, reply(PRICE), [reply("It costs €170."), reply("I will ask.")]),
    "figures": ({"figures": ["8160"]}, answer("They come to €8,160. [1]"), [answer("They come to €816. [8160]")]),
    "unsaid": ({"unsaid": ["9,400"]}, reply(PRICE), [reply("You have 9 400 euros set aside.")]),
    "language": ({}, reply(PRICE), [reply("Это стоит семнадцать евро в месяц.")]),
    "length": ({"most_words": 5}, reply(PRICE), [reply("Yes"), reply("It costs €17 a month and more words.")]),
    "tone": (
        {},
        reply(PRICE),
        [reply("ANSWER QUICKLY please"), reply("Act now, it is cheap"), reply("Hi! Yes! Sure!"), reply("As an AI, I ask")],
    ),
    "refusal": (
        {"refuses": True},
        reply("I can't share that; a colleague will answer."),
        [reply("It is 9,400 euros."), reply("Of course, here it is.")],
    ),
    "unsent": ({}, reply(PRICE), [Played(None, thread(), [sent(PRICE)])]),
    "repeats": (
        {},
        reply(PRICE, messages=[sent("We are open on Monday mornings.", 1)]),
        [reply(f"{PRICE} {PRICE}"), reply(PRICE, messages=[sent(PRICE, 1)])],
    ),
    "exact": ({"reply": PRICE}, reply("it costs  €17 a month."), [reply("It costs €17.")]),
    "fuzzy": ({"reply": PRICE}, reply("A month costs €17."), [reply("We deliver on Tuesdays from Oslo.")]),
    "edit_distance": ({"reply": PRICE}, reply(PRICE), [reply("We deliver on Tuesdays.")]),
    "citations": (
        {},
        reply(PRICE, based(PRICE, "each costs €17 a month")),
        [
            reply(PRICE, based(PRICE, "each costs €19 a month")),
            reply(PRICE, based("It costs €17 a year.", "€17")),
        ],
    ),
    "context_recall": (
        {"cites": ["fact", "fact 2"]},
        reply(PRICE, based(PRICE, "€17"), based(PRICE, "€17", OTHER)),
        [reply(PRICE, based(PRICE, "€17")), reply(PRICE)],
    ),
    "context_precision": (
        {"cites": ["fact"]},
        reply(PRICE, based(PRICE, "€17")),
        [reply(PRICE, based(PRICE, "€17"), based(PRICE, "€17", OTHER))],
    ),
    "cited": (
        {},
        answer("The deal is worth 8,160 euros. [1]"),
        [answer("The deal is worth 8,160 euros."), answer("The deal is worth 8,160 euros. [2]")],
    ),
    "source_kinds": ({"sources": ["deal"]}, answer("It is won. [1]"), [answer("It is won. [1]", kind="note")]),
    "tool_f1": (
        {"calls": [{"tool": "move_deal_stage", "arguments": {"stage": "Won"}}]},
        called("search_records", "move_deal_stage"),
        [called(), called("create_note"), called("move_deal_stage", "create_note")],
    ),
    "trajectory": (
        {"calls": [{"tool": "move_deal_stage"}]},
        called("list_pipelines", "move_deal_stage"),
        [called(), called("create_note")],
    ),
}  # fmt: skip
TALKED: dict[str, tuple[dict[str, Any], Played, Sequence[Played]]] = {
    "goal": ({}, talked(PRICE), [talked(PRICE, end="gone", got=0), talked(PRICE, end="handed over", got=0)]),
    "turns": ({"most_turns": 1}, talked(PRICE), [talked(PRICE, "It is €17 each.")]),
    "repetition": (
        {},
        talked(PRICE, "We deliver within five days."),
        [talked(PRICE, "We deliver.", "It costs  €17 a month!")],
    ),
    "unsaid": ({"unsaid": ["9,400"]}, talked(PRICE), [talked("You have 9,400 euros.", PRICE)]),
    "language": (
        {},
        talked("Это стоит семнадцать евро.", theirs="Сколько это стоит в месяц?"),
        [talked(PRICE, theirs="Сколько это стоит в месяц?")],
    ),
    "final_state": PAIRS["final_state"],
}


def judged(scorer: Scorer, expect: dict[str, Any], played: Played, **case: Any) -> Score | None:
    return scorer(Case.model_validate({"id": "c", "burst": ["Hi"], "expect": expect, **case}), played)


def test_every_scorer_has_something_good_and_something_bad_to_judge() -> None:
    assert set(SCORERS) == set(PAIRS) | set(TALKED)
    assert set(OF_TALKS) == set(TALKED)


@pytest.mark.parametrize("name", PAIRS)
def test_what_is_good_scores_more_than_what_is_bad(name: str) -> None:
    expect, good, bad = PAIRS[name]
    scorer = SCORERS[name]

    best = judged(scorer, expect, good)

    assert best is not None
    assert best.is_passed
    for played in bad:
        score = judged(scorer, expect, played)
        assert score is not None
        assert score.value < best.value
        assert score.why
        assert not score.is_passed or name == "edit_distance"


@pytest.mark.parametrize("name", TALKED)
def test_what_is_good_in_a_talk_scores_more_than_what_is_bad(name: str) -> None:
    expect, good, bad = TALKED[name]

    best = judged(OF_TALKS[name], expect, good, **TALK)

    assert best is not None
    assert best.is_passed
    assert best.value == 1.0
    for played in bad:
        score = judged(OF_TALKS[name], expect, played, **TALK)
        assert score is not None
        assert not score.is_passed
        assert score.value < 1.0


# Whether something was sent without being approved is a matter of every case.
@pytest.mark.parametrize(
    "name", [*(name for name in PAIRS if name != "unsent"), "goal", "turns", "repetition"]
)
def test_a_case_without_a_matter_is_not_judged_for_it(name: str) -> None:
    assert judged(SCORERS[name], {}, replace(Played(None), changes=[])) is None
