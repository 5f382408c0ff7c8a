"""Keeps spreadsheets from calculating text: what begins like a formula gets an apostrophe, and loses it when read."""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")


def escaped(text: str) -> str:
    """Text that no spreadsheet takes for a formula. Source: OWASP, CSV Injection."""
    return f"'{text}" if _FORMULA.match(text) else text


def plain(text: str) -> str:
    """What `escaped` was given."""
    return text[1:] if _ESCAPED.match(text) else text
