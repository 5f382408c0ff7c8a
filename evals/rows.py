"""What changed: the rows of an organization, before and after."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crm.evaluations.pictures import Rows


@dataclass(frozen=True)
class Change:
    """One row that was inserted, updated or deleted; `columns` are those that differ."""

    table: str
    key: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_new(self) -> bool:
        return not self.before

    @property
    def columns(self) -> frozenset[str]:
        names = self.before.keys() | self.after.keys()
        return frozenset(name for name in names if self.before.get(name) != self.after.get(name))

    def __str__(self) -> str:
        what = "inserted" if self.is_new else "deleted" if not self.after else "changed"
        columns = "" if what != "changed" else f" ({', '.join(sorted(self.columns))})"
        return f"{self.table} {what}{columns}"


def changes(before: Rows, after: Rows) -> list[Change]:
    """Every difference between two pictures of one organization."""
    found = []
    for place in sorted(before.keys() | after.keys()):
        old, new = before.get(place), after.get(place)
        if old != new:
            found.append(Change(*place, json.loads(old or "{}"), json.loads(new or "{}")))
    return found


# What nobody asks of a row: whose it is, and how it came.
_DULL = frozenset(
    {
        "organization_id",
        "id",
        "created_at",
        "updated_at",
        "created_by_id",
        "created_by_kind",
        "run_id",
        "version",
    }
)


def in_words(change: Change) -> str:
    """A change in one line, with the values that it left."""
    values = change.after or change.before
    names = change.columns if change.before and change.after else values.keys()
    kept = {name: values.get(name) for name in sorted(names - _DULL)}
    kept = {name: value for name, value in kept.items() if value not in ("", [], {})}
    return f"{change} {json.dumps(kept, ensure_ascii=False)[:300]}"
