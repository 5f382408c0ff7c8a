"""The rules of stages: a small closed language, stored as data, that tells in words what is missing.

A rule is `{"rule": "field", "field": "close_date"}`, `{"rule": "stakeholder", "role": "decision_maker"}`,
`{"rule": "minimum_amount", "amount_minor": 100000, "currency": "EUR"}` or `{"rule": "no_open_tasks"}`.
Rules are asked before a record enters or leaves a stage, on every path (crm/pipelines/moves.py).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Protocol, get_args

from core.errors import Unprocessable
from core.money import MOST_MINOR, format_amount, known_currency
from events.ids import RecordKind

RuleKind = Literal["field", "stakeholder", "minimum_amount", "no_open_tasks"]
Role = Literal["decision_maker", "champion", "influencer", "buyer", "legal", "user", "blocker"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
MOST_RULES: Final = 20

# Fields that may be required, with what they are called, and whether leads have them too.
FIELDS: Final = {
    "company": ("a company", False),
    "contact": ("a contact", False),
    "amount": ("an amount", False),
    "close_date": ("a close date", False),
    "probability": ("a probability of its own", False),
    "owner": ("an owner", True),
    "next_step": ("a next step", True),
    "lost_reason": ("the reason why it is lost", True),
    "source": ("a source", True),
}
_LEADS_ONLY: Final = frozenset({"source"})
_CUSTOM: Final = re.compile(r"custom\.[a-z][a-z0-9_]{0,62}")


class Judged(Protocol):
    """What rules look at."""

    @property
    def kind(self) -> RecordKind: ...
    @property
    def values(self) -> Mapping[str, object]: ...
    @property
    def currency(self) -> str: ...
    @property
    def roles(self) -> Sequence[str]: ...
    @property
    def open_tasks(self) -> int: ...


@dataclass(frozen=True)
class Rule:
    """One rule; which of the other fields count, `rule` says."""

    rule: RuleKind
    field: str = ""
    role: str = ""
    amount_minor: int = 0
    currency: str = ""

    def as_data(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value not in ("", 0)}

    def is_about(self, kind: RecordKind) -> bool:
        """Whether the rule says anything about records of this kind; leads have no money and no stakeholders."""
        match self.rule:
            case "no_open_tasks":
                return True
            case "field" if self.field in _LEADS_ONLY:
                return kind is RecordKind.LEAD
            case "field" if self.field in FIELDS:
                return kind is RecordKind.DEAL or FIELDS[self.field][1]
            case _:
                return kind is RecordKind.DEAL

    def is_met(self, record: Judged) -> bool:
        if not self.is_about(record.kind):
            return True
        match self.rule:
            case "field":
                return record.values.get(self.field) not in (None, "", [])
            case "stakeholder":
                return self.role in record.roles
            case "minimum_amount":
                amount = record.values.get("amount")
                return (
                    record.currency == self.currency
                    and isinstance(amount, int)
                    and amount >= self.amount_minor
                )
            case "no_open_tasks":
                return record.open_tasks == 0

    @property
    def words(self) -> str:
        """What a record needs to keep the rule, to follow "needs"."""
        match self.rule:
            case "field":
                return (
                    FIELDS[self.field][0]
                    if self.field in FIELDS
                    else f"a value in {self.field.removeprefix('custom.')}"
                )
            case "stakeholder":
                return f"a stakeholder who is {self.role.replace('_', ' ')}"
            case "minimum_amount":
                return (
                    f"an amount of at least {format_amount(self.amount_minor, self.currency)} {self.currency}"
                )
            case "no_open_tasks":
                return "all its tasks done"


def rules_of(data: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Rules as they are stored. Raises: Unprocessable for what is no rule."""
    return tuple(_rule(one) for one in data)


def _rule(data: Mapping[str, Any]) -> Rule:
    try:
        rule = Rule(**data)
    except TypeError as err:
        raise Unprocessable(f"{dict(data)!r} is no rule of a stage.", field="rules") from err
    check_rule(rule)
    return rule


def check_rule(rule: Rule) -> None:
    """Raises: Unprocessable that says what the rule would have to be."""
    match rule.rule:
        case "field":
            if rule.field not in FIELDS and not _CUSTOM.fullmatch(rule.field):
                raise Unprocessable(
                    f"{rule.field!r} is no field that a stage can require; use one of {', '.join(FIELDS)} "
                    "or custom. with the key of a custom field.",
                    field="field",
                )
        case "stakeholder":
            if rule.role not in ROLES:
                raise Unprocessable(f"{rule.role!r} is no role; use one of {', '.join(ROLES)}.", field="role")
        case "minimum_amount":
            if known_currency(rule.currency) != rule.currency or not 0 < rule.amount_minor <= MOST_MINOR:
                raise Unprocessable(
                    "A least amount is more than zero, in a currency in capitals.", field="amount_minor"
                )
        case "no_open_tasks":
            pass
        case _:
            raise Unprocessable(
                f"{rule.rule!r} is no rule; use one of {', '.join(get_args(RuleKind))}.", field="rule"
            )


def missing(rules: Sequence[Rule], record: Judged) -> tuple[Rule, ...]:
    """The rules that the record does not keep."""
    return tuple(rule for rule in rules if not rule.is_met(record))
