"""Draws the demo's price list, once per change of its words: `python -m infra.seed.price_list`. Needs fpdf2 and DejaVu."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fpdf import FPDF
from fpdf.enums import TableBordersLayout

_HERE = Path(__file__).parent
FONTS = Path("/usr/share/fonts/truetype/dejavu")
_WORDS = _HERE / "price_list.toml"
_INK, _FAINT = 30, 110


def draw(words: dict[str, Any]) -> bytes:
    """Every page of the words: a title, and under it paragraphs and tables."""
    pdf = FPDF(format="A4")
    pdf.set_creation_date(datetime(2026, 1, 12, tzinfo=UTC))  # the same words make the same file
    pdf.add_font("DejaVu", "", FONTS / "DejaVuSans.ttf")
    pdf.add_font("DejaVu", "B", FONTS / "DejaVuSans-Bold.ttf")
    pdf.set_margin(22)
    pdf.set_title(words["title"])
    for page in words["pages"]:
        pdf.add_page()
        pdf.set_text_color(_INK)
        pdf.set_font("DejaVu", "B", 18)
        pdf.multi_cell(0, 10, page["title"], new_x="LMARGIN", new_y="NEXT")
        pdf.ln(4)
        for part in page["parts"]:
            _part(pdf, part)
    return bytes(pdf.output())


def _part(pdf: FPDF, part: dict[str, Any]) -> None:
    if heading := part.get("heading"):
        pdf.ln(3)
        pdf.set_font("DejaVu", "B", 12)
        pdf.multi_cell(0, 8, heading, new_x="LMARGIN", new_y="NEXT")
        pdf.ln(3)
    pdf.set_font("DejaVu", "", 10)
    for text in part.get("text", ()):
        pdf.set_text_color(_INK)
        pdf.multi_cell(0, 6, text, new_x="LMARGIN", new_y="NEXT")
        pdf.ln(3)
    if rows := part.get("table"):
        with pdf.table(
            rows, borders_layout=TableBordersLayout.HORIZONTAL_LINES, line_height=8, text_align="LEFT"
        ):
            pass
        pdf.ln(4)
    if note := part.get("note"):
        pdf.set_text_color(_FAINT)
        pdf.multi_cell(0, 6, note, new_x="LMARGIN", new_y="NEXT")
        pdf.set_text_color(_INK)


if __name__ == "__main__":
    drawn = tomllib.loads(_WORDS.read_text("utf-8"))
    (_HERE / "documents" / drawn["file"]).write_bytes(draw(drawn))
