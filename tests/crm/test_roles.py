"""The table of permissions against what was promised to customers, role by role."""

import pytest

from crm.identity.models import Role
from crm.identity.roles import ALL_SCOPES, PERMISSIONS, SCOPES, Reach

# The promised table, in its own words: action, the scopes it is made of, and owner, admin, supervisor, bidi, viewer.
PROMISED = (
    ("read the workspace", ("organization:read",), "Y Y Y Y Y"),
    ("update the workspace", ("organization:write",), "Y Y N N N"),
    ("delete the workspace", ("organization:delete",), "Y N N N N"),
    ("transfer the workspace", ("organization:transfer",), "Y N N N N"),
    ("read the team", ("team:read",), "Y Y Y Y Y"),
    ("manage the team, invite", ("team:manage",), "Y Y N N N"),
    ("export data", ("records:export",), "Y Y N N N"),
    ("read the audit", ("audit:read",), "Y Y N N N"),
    (
        "read the CRM",
        ("crm:read", "contacts:read", "companies:read", "leads:read", "deals:read", "facts:read", "tasks:read"),
        "Y Y Y own Y",
    ),
    (
        "manage the CRM",
        ("contacts:write", "companies:write", "leads:write", "deals:write", "facts:write", "tasks:write"),
        "Y Y Y own N",
    ),
    ("read messages", ("conversations:read",), "Y Y Y own Y"),
    ("use messaging", ("conversations:write", "messages:send"), "Y Y Y own N"),
    ("approve drafts", ("drafts:approve",), "Y Y Y own N"),
    ("administer messaging", ("channel_accounts:manage",), "Y Y N N N"),
    ("manage automations, agents and policies", ("automation:manage", "bidi:manage", "policy:manage"), "Y Y N N N"),
    ("write what agents are told", ("bidi:instruct",), "Y Y Y N N"),
)  # fmt: skip
_WORDS = {Reach.ALL: "Y", Reach.OWN: "own", Reach.NONE: "N"}


@pytest.mark.parametrize(("action", "scopes", "promised"), PROMISED, ids=[one[0] for one in PROMISED])
def test_the_table_keeps_what_was_promised(action: str, scopes: tuple[str, ...], promised: str) -> None:
    lines = {one.scope: " ".join(_WORDS[one.reach[role]] for role in Role) for one in PERMISSIONS}

    assert {scope: lines[scope] for scope in scopes} == dict.fromkeys(scopes, promised)


def test_every_scope_has_one_line() -> None:
    assert len(PERMISSIONS) == len(ALL_SCOPES)


def test_a_higher_role_may_all_that_a_lower_one_may() -> None:
    for higher, lower in zip(list(Role)[1:], list(Role)[2:], strict=False):
        assert SCOPES[lower] - SCOPES[higher] == set()


def test_who_only_looks_holds_nothing_but_reading_and_their_own_keys() -> None:
    assert {scope for scope in SCOPES[Role.VIEWER] if not scope.endswith(":read")} == {"api_keys:write"}
    assert {scope for scope in ALL_SCOPES if scope.endswith(":read")} - SCOPES[Role.VIEWER] == {
        "audit:read",
        "evaluations:read",
    }
