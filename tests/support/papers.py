"""Files for tests, made on the spot: PDF, DOCX, and what is meant to do harm."""

import zipfile
from collections.abc import Sequence
from io import BytesIO

import docx
from fpdf import FPDF
from pypdf import PdfReader, PdfWriter

from infra.seed.price_list import FONTS

Rows = Sequence[Sequence[str]]
_REPEATED = b" " * (1024 * 1024)


def pdf(*pages: str | Rows, footer: str = "") -> bytes:
    """A page is a text or the rows of a table."""
    paper = FPDF()
    paper.add_font("DejaVu", "", FONTS / "DejaVuSans.ttf")
    for number, page in enumerate(pages, start=1):
        paper.add_page()
        paper.set_font("DejaVu", "", 11)
        if isinstance(page, str):
            paper.multi_cell(0, 7, page, new_x="LMARGIN", new_y="NEXT")
        else:
            with paper.table(page, text_align="LEFT"):
                pass
        if footer:
            paper.set_auto_page_break(False)
            paper.set_y(-20)
            paper.cell(0, 8, footer.format(number))
            paper.set_auto_page_break(True, 20)
    return bytes(paper.output())


def scanned_pdf() -> bytes:
    """Pages that are pictures: lines and boxes, no letter."""
    paper = FPDF()
    paper.add_page()
    paper.rect(20, 20, 100, 60)
    paper.line(20, 100, 120, 100)
    return bytes(paper.output())


def encrypted(content: bytes, password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(BytesIO(content)))
    writer.encrypt(password, algorithm="AES-256")
    return _written(writer)


def long_pdf(pages: int) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    return _written(writer)


def _written(writer: PdfWriter) -> bytes:
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def word(title: str, text: str, table: Rows) -> bytes:
    """A heading, a paragraph, and a table under a second heading."""
    document = docx.Document()
    document.add_heading(title, level=1)
    document.add_paragraph(text)
    document.add_heading("2026", level=2)
    grid = document.add_table(len(table), len(table[0]))
    for row, cells in zip(grid.rows, table, strict=True):
        for cell, words in zip(row.cells, cells, strict=True):
            cell.text = words
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def zip_bomb(megabytes: int) -> bytes:
    """A DOCX of a few kilobytes that unpacks to many megabytes."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        with package.open("word/document.xml", "w") as part:
            for _ in range(megabytes):
                part.write(_REPEATED)
    return out.getvalue()


def spreadsheet() -> bytes:
    """A package of another office program."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("xl/workbook.xml", "<workbook/>")
    return out.getvalue()
