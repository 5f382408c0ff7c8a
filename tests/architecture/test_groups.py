"""Tests that share something costly stay together under xdist."""

import os

import pytest


@pytest.mark.xdist_group("groups")
def test_a_group_is_seen_by_the_scheduler(request: pytest.FixtureRequest) -> None:
    """xdist deals groups by the ending of a test's name; pytest 9.2 dropped it without a word."""
    if os.environ.get("PYTEST_XDIST_WORKER"):
        assert request.node.nodeid.endswith("@groups")
