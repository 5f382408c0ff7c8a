"""Invented records for the living design page."""

from typing import Any

from web.i18n import Words


def specimens(words: Words) -> dict[str, Any]:
    return {}
