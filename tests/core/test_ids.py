"""Identifiers are in the order in which they were made."""

import time
from itertools import pairwise

import pytest

from core.ids import uuid7


def test_ids_made_in_turn_within_a_millisecond_are_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(1_700_000_000_000_000_000, 1_700_000_000_001_000_000, 5_000))
    monkeypatch.setattr(time, "time_ns", lambda: next(moments))

    made = [uuid7() for _ in range(200)]

    assert len({id.int >> 80 for id in made}) == 1
    assert all(first < second for first, second in pairwise(made))
    assert {(id.version, id.variant) for id in made} == {(7, "specified in RFC 4122")}
