"""Keeps the Russian catalogue in step with the code: `python -m web.catalogue` adds what is new and drops what is gone."""

import re
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from web.i18n import REFUSAL
from web.sentences import find_sentences

__all__ = ["Catalog", "Message", "extract", "places", "read", "update"]

WEB = Path(__file__).parent
RUSSIAN = WEB / "locale" / "ru" / "LC_MESSAGES" / "messages.po"
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext.babel_extract")]
_KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
_UNTIMED = datetime(2026, 11, 24, tzinfo=UTC)
_OPTIONS = {"templates/**.html": {"trimmed": "true", "silent": "false"}}


def extract() -> Catalog:
    """Every message that pages say, and what they are refused with, without places: they would change with every line."""
    catalogue = Catalog(locale="ru", charset="utf-8")
    found = extract_from_dir(str(WEB), _METHODS, _OPTIONS, _KEYWORDS)
    for _, _, message, _, context in found:
        catalogue.add(message, context=context)
    for sentence in find_sentences():
        catalogue.add(sentence, context=REFUSAL)
    return catalogue


def read(path: Path = RUSSIAN) -> Catalog:
    with path.open("rb") as lines:
        return read_po(lines, locale="ru")


def places(message: str) -> set[str]:
    """The names of the values in a message."""
    return set(re.findall(r"%\((\w+)\)s", message))


def update() -> None:
    catalogue = read() if RUSSIAN.exists() else Catalog(locale="ru", charset="utf-8")
    catalogue.update(extract(), no_fuzzy_matching=True, update_header_comment=False)
    catalogue.obsolete.clear()
    catalogue.fuzzy = False
    # with the time of each extraction in it, two branches could never be merged
    catalogue.creation_date = _UNTIMED
    RUSSIAN.parent.mkdir(parents=True, exist_ok=True)
    with RUSSIAN.open("wb") as lines:
        write_po(lines, catalogue, width=110, sort_output=True, omit_header=False, ignore_obsolete=True)


if __name__ == "__main__":
    update()
