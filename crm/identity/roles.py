"""Who may do what: one table of permissions by role, from which everything that asks takes its answer.

Source: the table of roles that the product promises, docs/decisions/0026-one-table-of-permissions.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Role(StrEnum):
    """From the one who may do everything to the one who may only look."""

    OWNER = "owner"
    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    BIDI = "bidi"
    VIEWER = "viewer"

    def may(self, scope: str) -> bool:
        """Whether who has this role has a permission."""
        return bool(SCOPES[self] & {"*", scope})

    def is_above(self, other: "Role") -> bool:
        return list(Role).index(self) < list(Role).index(other)


class Reach(StrEnum):
    """How far a permission goes: everything, only what is assigned to the person, nothing."""

    ALL = "all"
    OWN = "own"
    NONE = "none"


Area = Literal["workspace", "records", "conversations", "agents", "setting_up", "personal"]


@dataclass(frozen=True)
class Permission:
    """One line of the table: what a scope lets each role do."""

    area: Area
    scope: str
    reach: Mapping[Role, Reach]


# Every permission there is. The columns are owner, admin, supervisor, bidi, viewer: A everything, o one's own, . nothing.
_TABLE: tuple[tuple[Area, str, str], ...] = (
    ("workspace", "organization:read", "A A A A A"),
    ("workspace", "organization:write", "A A . . ."),
    ("workspace", "organization:transfer", "A . . . ."),
    ("workspace", "organization:delete", "A . . . ."),
    ("workspace", "team:read", "A A A A A"),
    ("workspace", "team:manage", "A A . . ."),
    ("workspace", "records:export", "A A . . ."),
    ("workspace", "audit:read", "A A . . ."),
    ("workspace", "privacy:manage", "A A . . ."),
    ("records", "crm:read", "A A A o A"),
    ("records", "contacts:read", "A A A o A"),
    ("records", "contacts:write", "A A A o ."),
    ("records", "companies:read", "A A A o A"),
    ("records", "companies:write", "A A A o ."),
    ("records", "leads:read", "A A A o A"),
    ("records", "leads:write", "A A A o ."),
    ("records", "deals:read", "A A A o A"),
    ("records", "deals:write", "A A A o ."),
    ("records", "graph:read", "A A A o A"),
    ("records", "facts:read", "A A A o A"),
    ("records", "facts:write", "A A A o ."),
    ("records", "tasks:read", "A A A o A"),
    ("records", "tasks:write", "A A A o ."),
    ("records", "meetings:read", "A A A o A"),
    ("records", "meetings:write", "A A A o ."),
    ("records", "notes:read", "A A A o A"),
    ("records", "notes:write", "A A A o ."),
    ("records", "files:read", "A A A o A"),
    ("records", "files:write", "A A A o ."),
    ("records", "views:write", "A A A o ."),
    ("conversations", "conversations:read", "A A A o A"),
    ("conversations", "conversations:write", "A A A o ."),
    ("conversations", "messages:send", "A A A o ."),
    ("conversations", "drafts:write", "A A A o ."),
    ("conversations", "drafts:approve", "A A A o ."),
    ("conversations", "suggestions:write", "A A A o ."),
    ("conversations", "approvals:write", "A A A o ."),
    ("agents", "knowledge:read", "A A A A A"),
    ("agents", "knowledge:write", "A A A . ."),
    ("agents", "bidi:instruct", "A A A . ."),
    ("agents", "bidi:manage", "A A . . ."),
    ("agents", "policy:manage", "A A . . ."),
    ("agents", "automation:manage", "A A . . ."),
    ("agents", "language_models:manage", "A A . . ."),
    ("agents", "evaluations:read", "A A . . ."),
    ("agents", "evaluations:write", "A A . . ."),
    ("setting_up", "channel_accounts:manage", "A A . . ."),
    ("setting_up", "fields:write", "A A A . ."),
    ("setting_up", "pipelines:write", "A A A . ."),
    ("setting_up", "imports:write", "A A A . ."),
    ("setting_up", "webhooks:manage", "A A . . ."),
    ("setting_up", "api_keys:manage", "A A . . ."),
    ("personal", "api_keys:write", "o o o o o"),
)
_REACH = {"A": Reach.ALL, "o": Reach.OWN, ".": Reach.NONE}

PERMISSIONS = tuple(
    Permission(area, scope, dict(zip(Role, (_REACH[mark] for mark in marks.split()), strict=True)))
    for area, scope, marks in _TABLE
)
# Every permission there is; "*" stands for all of them.
ALL_SCOPES = frozenset(permission.scope for permission in PERMISSIONS)
SCOPES: dict[Role, frozenset[str]] = {
    role: frozenset(one.scope for one in PERMISSIONS if one.reach[role] is not Reach.NONE) for role in Role
} | {Role.OWNER: frozenset({"*"})}
# Who sees only what is assigned to them: the database's policies of sight apply, docs/decisions/0024.
ASSIGNED_ONLY = frozenset({Role.BIDI})
