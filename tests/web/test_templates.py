"""What the policy forbids is not in a template, and files stay short."""

import re
from pathlib import Path

import pytest

from web import vendor
from web.assets import STATIC
from web.templating import TEMPLATES

ALL_TEMPLATES = sorted(TEMPLATES.rglob("*.html"))
SCRIPTS = sorted(STATIC.glob("*.js"))
SHEETS = sorted(STATIC.glob("*.css"))


@pytest.mark.parametrize("path", ALL_TEMPLATES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_template_has_no_inline_style_script_or_handler(path: Path) -> None:
    text = path.read_text()

    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)
    assert all(" src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    assert "|safe" not in text.replace(" ", "")


@pytest.mark.parametrize("path", ALL_TEMPLATES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_template_has_at_most_80_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 80


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_has_at_most_100_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 100


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_every_block_of_a_style_sheet_is_closed(path: Path) -> None:
    """A browser closes an open media query at the end of the file, without a word."""
    rules = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)

    assert rules.count("{") == rules.count("}")


def test_vendored_files_are_what_the_lock_says() -> None:
    assert vendor.differences() == []


def test_every_post_form_carries_a_token() -> None:
    forms = re.compile(r'<form[^>]*method="post"[^>]*>(.*?)</form>', re.DOTALL)
    for path in ALL_TEMPLATES:
        for body in forms.findall(path.read_text()):
            assert "csrf(viewer)" in body or "back(viewer" in body, path
