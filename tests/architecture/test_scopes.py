"""Every permission that is asked for is one that a role or a key can hold."""

import re

from crm.identity.models import ALL_SCOPES, SCOPES
from tests.architecture.test_transactions import _sources

ASKED = re.compile(r"""(?:principal|person)\.(?:require|may)\(\s*"([a-z_]+:[a-z_]+)"\s*\)""")


def test_every_scope_that_is_asked_for_can_be_given_to_a_key() -> None:
    asked = {scope for path in _sources() for scope in ASKED.findall(path.read_text())}

    assert len(asked) > 15
    assert asked - ALL_SCOPES == set()


def test_roles_hold_scopes_that_there_are() -> None:
    assert {scope for scopes in SCOPES.values() for scope in scopes} - ALL_SCOPES == {"*"}
