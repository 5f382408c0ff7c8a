"""A simulated prospect says the same in the same talk, answers what it is asked, and knows when it has done."""

from collections.abc import Mapping
from random import Random

import pytest

from agents.llm.offline.model import OfflineModel
from core.db import Database
from core.settings import Settings
from evals.arena import Arena
from evals.cases import Case, Talk
from evals.prospect import Heard, Prospect
from evals.suites import find_suite

PRICE = {"asks": ["For forty, I mean.", "So what is the price?"], "hears": ["€17"]}
KNOWN = [{"about": ["how many"], "says": "Forty."}]


def prospect(*wishes: Mapping[str, object], **more: object) -> Prospect:
    return Prospect(Talk.model_validate({"wishes": wishes, **more}), Random("seed"))


def test_a_prospect_asks_again_in_other_words_and_leaves_when_it_is_tired() -> None:
    buyer = prospect(PRICE, patience=2)

    said = [buyer.hear(Heard("Our scanners are good.")) for _ in range(3)]

    assert said == ["For forty, I mean.", "So what is the price?", None]
    assert (buyer.end, buyer.got) == ("gone", 0)


def test_a_prospect_tells_once_what_it_is_asked_and_goes_on_to_what_it_wants_next() -> None:
    buyer = prospect(PRICE, {"asks": ["And delivery?"], "hears": ["5 days"]}, knows=KNOWN)

    said = [
        buyer.hear(Heard(text))
        for text in ("How many do you need?", "How many?", "They cost €17 each.", "Within 5 days.")
    ]

    assert said == ["Forty.", "For forty, I mean.", "And delivery?", None]
    assert (buyer.end, buyer.got) == ("content", 2)


@pytest.mark.parametrize(
    ("gets", "heard", "end"),
    [
        ("person", Heard(has_person=True), "content"),
        ("person", Heard("I can help you."), "gone"),
        ("peace", Heard(), "content"),
        ("peace", Heard("Are you sure?"), "gone"),
        ("answer", Heard(has_person=True), "handed over"),
        ("answer", Heard("Anything."), "content"),
        ("answer", Heard(), "gone"),
    ],
)
def test_a_prospect_is_content_with_what_it_wanted_alone(gets: str, heard: Heard, end: str) -> None:
    buyer = prospect({"gets": gets}, patience=0)

    assert buyer.hear(heard) is None
    assert buyer.end == end


def test_the_same_seed_words_it_the_same_way_and_another_may_not() -> None:
    wish = {"asks": [["one", "two", "three", "four", "five", "six"]], "hears": ["never"]}
    talk = Talk.model_validate({"wishes": [wish]})

    said = [Prospect(talk, Random(f"c {attempt}")).hear(Heard("No.")) for attempt in (*range(8), 0)]

    assert said[0] == said[-1]
    assert len(set(said)) > 1


async def test_a_talk_is_held_over_several_turns_and_every_answer_is_sent(
    database: Database, settings: Settings
) -> None:
    wishes = [{"hears": ["16 hours"]}, {"asks": ["And without a signal?"], "hears": ["14 days"]}]
    case = Case.model_validate(
        {
            "id": "t",
            "world": "scanners",
            "burst": ["How long does one charge last?"],
            "talk": {"wishes": wishes},
            "expect": {},
        }
    )

    played = await find_suite("talks").play(Arena(database, settings), case, OfflineModel())

    assert played.talk is not None
    assert (played.talk.end, played.talk.got, played.talk.turns) == ("content", 2, 2)
    assert [line.text for line in played.talk.lines] == [message.body for message in played.messages]
    assert played.state["messages.out"] == 2
    assert len({message.occurred_at for message in played.messages if message.direction == "in"}) == 2
