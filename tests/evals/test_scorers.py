"""What scorers take for said, and for the right way through the tools."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from crm.conversations.models import Conversation, ConversationStatus
from crm.runs.tool_calls import ToolCall
from evals.arena import Played
from evals.cases import Case, Expect
from evals.scorers import calls, outcomes
from evals.scorers.texts import states
from events.ids import ChannelAccountId, ContactId, ConversationId, RunId

NOW = datetime(2026, 9, 14, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "wording", "is_stated"),
    [
        ("30 scanners cost €17 each a month.", "€17", True),
        ("30 scanners cost €170 each a month.", "€17", False),
        ("It is €17.50 each.", "€17", False),
        ("Выходит 1 550 ₽ за штуку.", "1 550 ₽", True),
        ("Выходит 1550 ₽ за штуку.", "1 550 ₽", True),
        ("We deliver within 5 working days.", "5 working days", True),
        ("We deliver within 15 working days.", "5 working days", False),
        ("All records are encrypted.", "encrypted", True),
        ("Все записи зашифрованны.", "зашифрованы", True),
        ("All records are kept.", "encrypted", False),
    ],
)
def test_a_figure_is_the_whole_figure_and_words_may_be_nearly_the_same(
    text: str, wording: str, is_stated: bool
) -> None:
    assert states(text, wording) is is_stated


def _played(*tools: str, **state: object) -> Played:
    conversation = Conversation(
        ConversationId(uuid4()), ChannelAccountId(uuid4()), "telegram", ContactId(uuid4()), "7", ConversationStatus.OPEN,
        None, None, None, 1, 1, 1, NOW, None, "", "", "", "",
    )  # fmt: skip
    made = [
        ToolCall(uuid4(), RunId(uuid4()), f"k{n}", tool, {"stage": "Won"}, "allow", True, "done", {}, "")
        for n, tool in enumerate(tools)
    ]
    return Played(None, conversation, [], calls=made, state=dict(state))  # type: ignore[arg-type]


def _case(**expect: object) -> Case:
    return Case(id="c", burst=("Hi",), expect=Expect.model_validate(expect))


@pytest.mark.parametrize(
    ("made", "value"),
    [(("move_deal", "draft_reply"), 1.0), (("move_deal",), 0.6667), (("draft_reply", "move_deal", "delete"), 0.8), ((), 0.0)],
)  # fmt: skip
def test_calls_are_right_by_tool_and_by_the_arguments_that_matter(
    made: tuple[str, ...], value: float
) -> None:
    case = _case(calls=[{"tool": "move_deal", "arguments": {"stage": "Won"}}, {"tool": "draft_reply"}])

    score = calls.tool_f1(case, _played("brief_contact", *made))

    assert score is not None
    assert score.value == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize(
    ("mode", "made", "is_right"),
    [
        ("strict", ("a", "b"), True),
        ("strict", ("b", "a"), False),
        ("unordered", ("b", "a"), True),
        ("superset", ("a", "x", "b"), True),
        ("superset", ("a",), False),
        ("subset", ("a",), True),
    ],
)
def test_the_way_is_matched_as_the_case_says(mode: str, made: tuple[str, ...], is_right: bool) -> None:
    case = _case(calls=[{"tool": "a"}, {"tool": "b"}], trajectory=mode)

    score = calls.trajectory(case, _played(*made))

    assert score is not None
    assert score.is_passed is is_right


def test_the_final_state_names_the_places_that_are_wrong() -> None:
    case = _case(state={"deal.stage": "Won", "tasks": []})

    score = outcomes.final_state(case, _played(**{"deal.stage": "Lost", "tasks": []}))

    assert score is not None
    assert (score.value, score.why) == (0.5, "deal.stage is 'Lost'")
    assert outcomes.final_state(_case(), _played()) is None
