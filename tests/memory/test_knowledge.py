"""How places in documents are called."""

import pytest

from memory.knowledge import citation


@pytest.mark.parametrize(
    ("page", "heading", "called"),
    [
        (2, ("Цены",), "Prices.pdf, page 2"),
        (None, ("FAQ", "Работает ли без интернета?"), "Prices.pdf, Работает ли без интернета?"),
        (None, (), "Prices.pdf, line 12"),
    ],
)
def test_a_place_is_called_by_page_else_heading_else_line(
    page: int | None, heading: tuple[str, ...], called: str
) -> None:
    assert citation("Prices.pdf", page=page, heading=heading, number=12) == called
