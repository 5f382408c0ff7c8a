"""A reader counts the sources of an answer from 1, whatever else the run has read."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from crm.copilot.models import Question, QuestionStatus
from events.ids import CopilotChatId, CopilotQuestionId, RunId
from web.copilot_view import Part, parts_of, sources_of

DEAL, TASK = uuid4(), uuid4()


def test_sources_count_from_one_in_the_order_in_which_the_answer_names_them() -> None:
    answer = "The deal stands at Proposal. [9]\n- She wants a pilot. [4, 9]"
    sources = sources_of(_question(answer, [_citation(4, "task", TASK), _citation(9, "deal", DEAL)]))

    assert [(one.n, one.kind) for one in sources] == [(1, "deal"), (2, "task")]
    assert _marks(parts_of(answer, sources)) == [("1", DEAL), ("2", TASK), ("1", DEAL)]


def test_a_number_that_nothing_stands_behind_leads_nowhere() -> None:
    answer = "It was promised. [3]"

    assert _marks(parts_of(answer, sources_of(_question(answer, [])))) == [("1", None)]


def _marks(parts: Sequence[Part]) -> list[tuple[str, UUID | None]]:
    pieces = [piece for part in parts for block in part.blocks for piece in block.pieces if piece.is_mark]
    return [(piece.text, _target(piece.source.href) if piece.source else None) for piece in pieces]


def _target(href: str) -> UUID:
    return next(id for id in (DEAL, TASK) if str(id) in href)


def _citation(n: int, kind: str, id: UUID) -> dict[str, Any]:
    return {"n": n, "kind": kind, "id": str(id), "label": kind}


def _question(answer: str, citations: list[dict[str, Any]]) -> Question:
    return Question(
        CopilotQuestionId(uuid4()),
        CopilotChatId(uuid4()),
        "How does it stand?",
        None,
        None,
        RunId(uuid4()),
        QuestionStatus.ANSWERED,
        answer,
        citations,
        "",
        datetime.now(UTC),
        None,
    )
