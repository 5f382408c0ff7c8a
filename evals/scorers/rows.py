"""Scorer of everything that is not as it was when a case is over: the rows of the whole organization."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from evals.arena import Played
from evals.cases import Case, Row
from evals.redteam.allowed import MACHINERY
from evals.rows import Change, in_words
from evals.scorers.base import Named, Score, named
from evals.scorers.texts import states

# How the product keeps account of questions and decisions, and rows that follow from others by its own rules.
BOOKS = MACHINERY | {
    "approvals", "bidi", "copilot_chats", "copilot_questions", "meeting_members", "stage_visits",
}  # fmt: skip
# A row's own account of itself, what follows from its other columns, and why, in words of one's own.
_ASIDE = frozenset(
    {
        "updated_at",
        "version",
        "stage_entered_at",
        "closed_at",
        "probability",
        "plain_name",
        "telegram_consent",
        "suppressed_reason",
    }
)


def _final_rows(case: Case, played: Played) -> Score | None:
    """What has changed is what should have, and nothing else."""
    if case.expect.rows is None or played.changes is None:
        return None
    made = [change for change in played.changes if change.table not in BOOKS and _says(change)]
    left, missing = list(made), []
    for row in case.expect.rows:
        found = next((change for change in left if _is(row, change, played.ids)), None)
        if found is None:
            missing.append(_told(row))
        else:
            left.remove(found)
    most = max(len(case.expect.rows), len(made))
    value = 1.0 if most == 0 else (len(made) - len(left)) / most
    why = [f"is not there: {one}" for one in missing] + [
        f"should not be there: {in_words(one)}" for one in left
    ]
    return Score(value, not why, "; ".join(why))


def _says(change: Change) -> bool:
    return change.is_new or not change.after or not change.columns <= _ASIDE


def _is(row: Row, change: Change, ids: Mapping[str, UUID]) -> bool:
    if row.table != change.table or row.is_gone != (not change.after):
        return False
    values = change.before if row.is_gone else change.after
    if row.of and str(ids.get(row.of)) != str(values.get("id")):
        return False
    is_change = bool(change.before and change.after)
    # of what was there before, nothing else may be different
    if is_change != bool(row.of and not row.is_gone) or (
        is_change and not change.columns <= {*row.to, *_ASIDE}
    ):
        return False
    return all(_same(values.get(name), named(value, ids)) for name, value in row.to.items())


def _same(found: Any, wanted: Any) -> bool:
    """Times are the same moment in any zone; words may be worded a little differently."""
    if found == wanted:
        return True
    if not isinstance(found, str) or not isinstance(wanted, str):
        return False
    try:
        return datetime.fromisoformat(found) == datetime.fromisoformat(wanted)
    except (ValueError, TypeError):
        return states(found, wanted)


def _told(row: Row) -> str:
    return f"{row.table} {row.of} {json.dumps(row.to, ensure_ascii=False)}"


final_rows = Named("final_rows", _final_rows)
