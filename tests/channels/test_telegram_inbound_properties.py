"""Whatever an update looks like, it is taken, understood or refused: nothing else comes out of the parser."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from channels.telegram.inbound import parse
from core.errors import Unprocessable
from crm.conversations.models import InboundMessage

PAYLOADS = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parent / "payloads").glob("*.json"))
]
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.just("\ud800")
    | st.just("\x00"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=4,
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.sampled_from(PAYLOADS), st.data())
def test_a_mutated_update_never_breaks_the_parser(payload: Any, data: st.DataObject) -> None:
    mutated = json.loads(json.dumps(payload))
    for _ in range(data.draw(st.integers(1, 3))):
        mutated = mutate(mutated, data)

    check(mutated)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(anything)
def test_arbitrary_json_never_breaks_the_parser(raw: Any) -> None:
    check(raw)


def check(raw: Any) -> None:
    try:
        parsed = parse(raw, file_limit_bytes=1000)
    except Unprocessable:
        return
    if isinstance(parsed, InboundMessage):
        assert parsed.text
        assert is_storable(repr(parsed.handles) + parsed.text + parsed.sender_name)
        assert all(is_storable(file.name + file.mime + file.provider_id) for file in parsed.attachments)


def is_storable(text: str) -> bool:
    return "\x00" not in text and text.encode(errors="ignore").decode() == text


def mutate(node: Any, data: st.DataObject) -> Any:
    """Replace, remove or add something at a random place."""
    if not isinstance(node, dict | list) or not node or data.draw(st.integers(0, 5)) == 0:
        return data.draw(anything)
    if isinstance(node, list):
        place = data.draw(st.integers(0, len(node) - 1))
        return [*node[:place], mutate(node[place], data), *node[place + 1 :]]
    key = data.draw(st.sampled_from(sorted(node)))
    if data.draw(st.integers(0, 4)) == 0:
        return {name: value for name, value in node.items() if name != key}
    return {**node, key: mutate(node[key], data)}
