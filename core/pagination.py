"""Pages of a list: some items, and an opaque cursor that leads to the next ones."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from core import jsons
from core.errors import Unprocessable

Item = TypeVar("Item")
MAX_PAGE = 100


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page; `next_cursor` is None on the last one."""

    items: list[Item]
    next_cursor: str | None


def page_size(limit: int) -> int:
    """A limit between 1 and 100."""
    return max(1, min(limit, MAX_PAGE))


def encode_cursor(*position: object) -> str:
    """The sort key of the last row of a page, its id at the end, as text that is safe in a URL."""
    return base64.urlsafe_b64encode(jsons.dump_bytes([str(part) for part in position])).decode().rstrip("=")


def page_of(items: list[Item], size: int, *, after: Callable[[Item], str]) -> Page[Item]:
    """A page of `size` out of the one row more that was asked for; `after` makes the cursor of a row."""
    page = items[:size]
    return Page(page, after(page[-1]) if len(items) > size else None)


def decode_id(cursor: str) -> UUID:
    """The id in a cursor that holds nothing else. Raises: Unprocessable."""
    return UUID(decode_cursor(cursor, 1)[0])


def decode_time(cursor: str) -> tuple[datetime, UUID]:
    """The time and the id of a cursor. Raises: Unprocessable."""
    at, item_id = decode_cursor(cursor, 2)
    try:
        return datetime.fromisoformat(at), UUID(item_id)
    except ValueError as err:
        raise Unprocessable("This page cursor is not valid; start from the first page.") from err


def decode_score(cursor: str) -> tuple[float, UUID]:
    """The score and the id of a cursor. Raises: Unprocessable."""
    score, item_id = decode_cursor(cursor, 2)
    try:
        return float(score), UUID(item_id)
    except ValueError as err:
        raise Unprocessable("This page cursor is not valid; start from the first page.") from err


def decode_cursor(cursor: str, parts: int) -> list[str]:
    """Raises: Unprocessable when the cursor was not made by `encode_cursor` with as many parts."""
    try:
        position = jsons.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        is_ours = isinstance(position, list) and len(position) == parts and "\x00" not in "".join(position)
        if is_ours and UUID(position[-1]):
            return [str(part) for part in position]
    except (binascii.Error, ValueError, TypeError, AttributeError):
        pass
    raise Unprocessable("This page cursor is not valid; start from the first page.")
