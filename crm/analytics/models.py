"""What can be counted and added up, and what comes of it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from pydantic import JsonValue


class Counted(StrEnum):
    """Whose figures can be asked for."""

    CONTACT = "contact"
    COMPANY = "company"
    LEAD = "lead"
    DEAL = "deal"
    TASK = "task"
    MEETING = "meeting"


@dataclass(frozen=True)
class Ask:
    """`measure` is a column of numbers, or "" to count only; `group_by` are columns, "owner", "assignee" or
    "month:COLUMN".
    """

    kind: Counted
    filter: JsonValue
    measure: str = ""
    group_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """One group. `keys` holds its value of everything grouped by; money is in the smallest unit of its currency."""

    keys: dict[str, str]
    count: int
    total: Decimal | None
    average: Decimal | None


@dataclass(frozen=True)
class Figures:
    """`count` is over all lines; `is_cut` says that there are more groups than are shown."""

    lines: list[Line]
    count: int
    is_cut: bool
