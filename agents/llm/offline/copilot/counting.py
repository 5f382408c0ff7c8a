"""How many, how much, on average: what is counted, which of them, and by what."""

import re
from collections.abc import Generator
from dataclasses import dataclass

from pydantic import JsonValue

from agents.copilot.contract import Question, Returned
from agents.llm.offline.copilot.dates import Period, period_of
from agents.llm.offline.copilot.finding import Found, find_colleague, find_named, find_stages
from agents.llm.offline.copilot.naming import names_in
from agents.llm.offline.copilot.plans import Plan, Record, Want, mark, number, part, text, whole
from agents.llm.offline.copilot.saying import amount, counted, say

_KINDS = (
    ("deal", r"\bdeals?\b|pipeline|revenue|сдел(?:к|ок)|воронк|выручк"),
    ("lead", r"\bleads?\b|\bлид"),
    ("task", r"\btasks?\b|to-?dos?\b|задач"),
    ("meeting", r"\bmeetings?\b|\bcalls?\b|встреч|созвон"),
    ("company", r"compan(?:y|ies)|компани|фирм"),
    ("contact", r"\bcontacts?\b|people|persons?\b|контакт|человек|люд"),
)
_SUM = re.compile(
    r"\b(?:sum|total|worth|how much|value|revenue|come[s]? to|add up)\b|сумм|на сколько|общ\w+ стоимост|выручк|стоят\b|сколько стоит"
)
_AVERAGE = re.compile(r"\b(?:average|mean|avg)\b|средн")
_GROUPS = (
    ("stage", r"\b(?:by|per|each|every|for each)\s+stages?\b|по (?:кажд\w+ )?(?:стади|этап)|в каждой стадии"),
    ("owner", r"\b(?:by|per|each|every)\s+(?:owners?|rep|person|seller|colleague)\b|\bwho has (?:the )?most\b|по (?:ответственн|сотрудник|менеджер|продавц)"),
    ("company", r"\b(?:by|per|each|every)\s+compan(?:y|ies)\b|по компани"),
    ("currency", r"\b(?:by|per|each)\s+currenc|по валют"),
    ("month", r"\b(?:by|per|each|every)\s+month\b|по месяцам|помесячно"),
    ("outcome", r"\b(?:by|per)\s+outcome\b|по итог"),
    ("assignee", r"\b(?:by|per)\s+assignee\b|по исполнител"),
)  # fmt: skip
_MINE = re.compile(r"\b(?:my|mine|i have|do i)\b|\bмо[ияейх]+\b|\bу меня\b")
_OVERDUE = re.compile(r"overdue|past due|просроч")
_OUTCOMES = (
    ("won", r"\bw[io]n\b|\bclosed won\b|\bearn(?:ed)?\b|выигр|заработа"),
    ("lost", r"\blost\b|проигр|потерян"),
    ("open", r"\bopen\b|in progress|открыт|в работе|активн"),
)
_CURRENCIES = (
    ("EUR", r"\beuros?\b|\beur\b|€|\bевро\b"),
    ("USD", r"\bdollars?\b|\busd\b|\$|доллар"),
    ("RUB", r"\br(?:o?u)bles?\b|\brub\b|₽|рубл"),
)
# Which time of a record a period is about.
_TIMES = {
    "contact": "created_at", "company": "created_at", "lead": "created_at", "task": "due_at", "meeting": "starts_at",
}  # fmt: skip
_CLOSING = re.compile(r"\bclos(?:e|es|ing)\b|close date|закр(?:ы(?:ть|ва|ти)|о[юе])")


@dataclass(frozen=True)
class _Counting:
    kind: str
    parts: list[JsonValue]
    measure: str
    group_by: list[str]


def count(question: Question) -> Plan:
    """The figures that a question asks for, computed by the tool."""
    lowered = question.question.lower().replace("ё", "е")
    # What is named first is counted; what comes after it says which of them.
    places = [(named.start(), name) for name, pattern in _KINDS if (named := re.search(pattern, lowered))]
    kind = min(places)[1] if places else "deal"
    parts = yield from _conditions(question, kind, lowered)
    measure = "amount" if kind == "deal" and (_SUM.search(lowered) or _AVERAGE.search(lowered)) else ""
    if kind == "company" and _AVERAGE.search(lowered):
        measure = "employees"
    groups = _groups(kind, lowered)
    asked: dict[str, JsonValue] = {"kind": kind, "filter": {"all": parts}, "group_by": list(groups)}
    if measure:
        asked["measure"] = measure
    found = yield Want("summarize_records", asked)
    if found.status != "done":
        return [say(question, "help.failed", why=found.error)]
    is_average = bool(_AVERAGE.search(lowered))
    return _told(question, _Counting(kind, parts, measure, groups), whole(found), is_average=is_average)


def _conditions(question: Question, kind: str, lowered: str) -> Generator[Want, Returned, list[JsonValue]]:
    """Which of them: whose, in which stage, with which end, from when, of which company."""
    parts: list[JsonValue] = []
    owner = "assignee_id" if kind == "task" else "member_id" if kind == "meeting" else "owner_id"
    stages = (yield from find_stages(question)) if kind in ("deal", "lead") else []
    if stages:
        parts.append({"field": "stage", "op": "any_of", "value": list(stages)})
    who: Found | None = None
    if _MINE.search(lowered):
        parts.append(_whose(owner, str(question.asked_by.member_id)))
    elif names := names_in(question, stages):
        who = yield from find_colleague(question, without=stages)
        if who is not None:
            parts.append(_whose(owner, who.id))
        elif kind != "company":
            company = yield from find_named(names[0], ("company",))
            if company is not None and kind in ("deal", "lead", "contact"):
                parts.append({"field": "company_id", "op": "is", "value": company.id})
    outcome = next((name for name, pattern in _OUTCOMES if re.search(pattern, lowered)), "")
    if kind in ("deal", "lead") and outcome and not stages:
        parts.append({"field": "outcome", "op": "is", "value": outcome})
    currency = next((name for name, pattern in _CURRENCIES if re.search(pattern, lowered)), "")
    if kind == "deal" and currency:
        parts.append({"field": "currency", "op": "is", "value": currency})
    if kind == "task":
        parts.append(
            {
                "field": "status",
                "op": "is",
                "value": "done" if re.search(r"\bdone\b|completed|выполнен", lowered) else "open",
            }
        )
    if kind == "task" and _OVERDUE.search(lowered):
        return [*parts, {"field": "due_at", "op": "lt", "value": question.now.isoformat()}]
    period = period_of(question.question, question.now)
    return [*parts, *_in_time(kind, outcome, lowered, period)]


def _whose(field: str, id: str) -> JsonValue:
    if field == "member_id":
        return {"field": field, "op": "any_of", "value": [id]}
    return {"field": field, "op": "is", "value": id}


def _in_time(kind: str, outcome: str, lowered: str, period: Period | None) -> list[JsonValue]:
    if period is None:
        return []
    if kind == "deal" and outcome in ("won", "lost"):
        field = "closed_at"
    elif kind == "deal" and _CLOSING.search(lowered):
        return [
            {"field": "close_date", "op": "ge", "value": period.since.date().isoformat()},
            {"field": "close_date", "op": "lt", "value": period.until.date().isoformat()},
        ]
    else:
        field = _TIMES.get(kind, "created_at")
    return [
        {"field": field, "op": "ge", "value": period.since.isoformat()},
        {"field": field, "op": "lt", "value": period.until.isoformat()},
    ]


def _groups(kind: str, lowered: str) -> list[str]:
    groups = [name for name, pattern in _GROUPS if re.search(pattern, lowered)]
    if "month" in groups:
        month = "closed_at" if kind == "deal" and re.search(r"\bwon\b|\blost\b|выигр|проигр", lowered) else ""
        month = month or (
            "close_date" if kind == "deal" and _CLOSING.search(lowered) else _TIMES.get(kind, "created_at")
        )
        groups[groups.index("month")] = f"month:{month}"
    if kind == "task":
        groups = ["assignee" if name == "owner" else name for name in groups]
    return groups[:2]


def _told(question: Question, asked: _Counting, found: Record, *, is_average: bool) -> list[str]:
    inside = found.get("lines")
    lines = [one for one in inside if isinstance(one, dict)] if isinstance(inside, list) else []
    total = number(found, "count")
    cited = mark(found)
    if not total:
        return [say(question, "figures.none", mark=cited)]
    how_many = counted(question, total, asked.kind)
    named = [name for name in asked.group_by if name != "currency" or not asked.measure]
    if named:
        told = [_line(question, asked, named, one, cited, is_average=is_average) for one in lines]
        return [say(question, "figures.by", count=how_many, mark=cited), *told]
    if not asked.measure:
        return [
            say(question, "figures.count_one" if total == 1 else "figures.count", count=how_many, mark=cited)
        ]
    if is_average:
        return [
            say(
                question,
                "figures.average",
                average=_value(question, asked, one, "average"),
                count=counted(question, number(one, "count"), asked.kind),
                mark=cited,
            )
            for one in lines
        ]
    return [
        say(
            question,
            "figures.sum",
            count=counted(question, number(one, "count"), asked.kind),
            total=_value(question, asked, one, "total"),
            mark=cited,
        )
        for one in lines
    ]


def _line(
    question: Question, asked: _Counting, named: list[str], one: Record, cited: str, *, is_average: bool
) -> str:
    keys = part(one, "keys")
    group = ", ".join(text(keys, name) or _nothing(question, name) for name in named)
    how_many = counted(question, number(one, "count"), asked.kind)
    if not asked.measure:
        return say(question, "figures.group", group=group, count=how_many, mark=cited)
    if is_average:
        average = _value(question, asked, one, "average")
        return say(
            question, "figures.group_average", group=group, average=average, count=how_many, mark=cited
        )
    total = _value(question, asked, one, "total")
    return say(question, "figures.group_sum", group=group, total=total, count=how_many, mark=cited)


def _nothing(question: Question, name: str) -> str:
    return say(question, "figures.nobody" if name in ("owner", "assignee") else "figures.nothing")


def _value(question: Question, asked: _Counting, one: Record, name: str) -> str:
    value = text(one, name) or "0"
    if asked.measure == "amount":
        return amount(question, round(float(value)), text(part(one, "keys"), "currency"))
    return f"{float(value):.1f}".rstrip("0").rstrip(".")
