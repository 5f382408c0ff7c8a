"""Cutting a draft for its citations and flags never changes a letter of it."""

from hypothesis import given
from hypothesis import strategies as st

from core.ids import uuid7
from crm.conversations.inbox import EvidenceLine
from web.i18n import Words
from web.inbox_view import segments
from web.phrases import evidence_quote

BODY = "Hi Vera. It costs €17. Pay to a@b.example."


def test_a_number_stands_behind_the_sentence_that_rests_on_it() -> None:
    pieces = segments(BODY, {1: "It costs €17"}, [])

    assert [(piece.text, piece.cites) for piece in pieces] == [
        ("Hi Vera. It costs €17.", [1]),
        (" Pay to a@b.example.", []),
    ]


def test_a_flagged_value_is_a_piece_of_its_own() -> None:
    pieces = segments(BODY, {}, ["a@b.example"])

    assert [piece.text for piece in pieces if piece.is_flagged] == ["a@b.example"]


def test_a_statement_that_was_edited_away_is_not_cited() -> None:
    assert all(not piece.cites for piece in segments(BODY, {1: "It costs €18"}, []))


@given(st.text(), st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_the_pieces_together_are_the_text(body: str, statements: list[str], flagged: list[str]) -> None:
    pieces = segments(body, dict(enumerate(statements, start=1)), flagged)

    assert "".join(piece.text for piece in pieces) == body


def test_amount_and_stage_of_a_deal_are_written_as_their_reader_writes_them() -> None:
    line = EvidenceLine(1, "deal", uuid7(), "40 scanners", "8160.00 EUR, Proposal", None, "confirmed", "")

    assert evidence_quote(line, Words("en", "UTC")) == "€8,160, Proposal"
    assert evidence_quote(line, Words("ru", "UTC")) == "8160\u00a0€, Предложение"
