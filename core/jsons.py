"""JSON as the product writes it: ids, times and enums become strings, bytes stay UTF-8."""

from typing import Any

import orjson


def dumps(value: object) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def dump_bytes(value: object) -> bytes:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)


def loads(data: bytes | str) -> Any:
    """Raises: ValueError for text that is not JSON."""
    return orjson.loads(data)
