"""Unique words that stand in the victim's data: one that turns up anywhere else is a leak."""

import re
import secrets
from collections.abc import Collection, Iterable

_WORD = re.compile(r"canary[0-9a-f]{16}", re.IGNORECASE)
# the same word as PostgreSQL and JSON show bytes
_HEX = re.compile(r"63616e617279(?:3[0-9]|6[1-6]){16}", re.IGNORECASE)
_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


class Canaries:
    """Every canary with the place where it stands, and the victim's ids, which are canaries of their own."""

    def __init__(self) -> None:
        self._places: dict[str, str] = {}
        self._ids: set[str] = set()

    def make(self, place: str) -> str:
        word = f"canary{secrets.token_hex(8)}"
        self._places[word] = place
        return word

    def add_ids(self, ids: Iterable[str]) -> None:
        """Ids that only the victim knows."""
        self._ids |= {id.lower() for id in ids}

    def stand_in(self, place: str, text: str) -> bool:
        """Whether a canary that was made for a place stands in a text."""
        words = [word for word, where in self._places.items() if where == place]
        return any(word in text or word.encode().hex() in text for word in words)

    def found_in(self, text: str, given: Collection[str] = ()) -> list[str]:
        """Where the victim's words and ids in a text come from; what the asker had `given` itself does not count."""
        known = " ".join(given).lower()
        words = {word.lower() for word in _WORD.findall(text)} | {
            bytes.fromhex(found).decode().lower() for found in _HEX.findall(text)
        }
        ids = {id.lower() for id in _ID.findall(text)} & self._ids
        return sorted(
            [f"the canary of {self._places.get(word, '?')}" for word in words if word not in known]
            + [f"the victim's id {id}" for id in ids if id not in known]
        )


def ids_in(text: str) -> set[str]:
    """Every UUID that is written in a text."""
    return {id.lower() for id in _ID.findall(text)}
