"""Tasks, meetings and deals that nothing happens to."""

import re
from datetime import timedelta

from pydantic import JsonValue

from agents.copilot.contract import Question
from agents.llm.offline.copilot.dates import Period, period_of
from agents.llm.offline.copilot.finding import find_colleague
from agents.llm.offline.copilot.naming import names_in
from agents.llm.offline.copilot.people import priced
from agents.llm.offline.copilot.plans import Plan, Record, Want, mark, records, text
from agents.llm.offline.copilot.saying import counted, date_of, local, say, time_of

STALLED = timedelta(days=14)
_OVERDUE = re.compile(r"overdue|late\b|past due|просроч", re.IGNORECASE)


def tasks(question: Question) -> Plan:
    """What the asker, or the colleague whom they name, has still to do."""
    who = (yield from find_colleague(question)) if names_in(question) else None
    is_overdue = bool(_OVERDUE.search(question.question))
    period = None if is_overdue else period_of(question.question, question.now)
    assignee: JsonValue = who.id if who else str(question.asked_by.member_id)
    parts: list[JsonValue] = [
        {"field": "status", "op": "is", "value": "open"},
        {"field": "assignee_id", "op": "is", "value": assignee},
    ]
    if is_overdue:
        parts.append({"field": "due_at", "op": "lt", "value": question.now.isoformat()})
    if period is not None:
        parts.append({"field": "due_at", "op": "lt", "value": period.until.isoformat()})
        # what is late has to be done today as well
        if period.since > question.now:
            parts.append({"field": "due_at", "op": "ge", "value": period.since.isoformat()})
    kept: JsonValue = {"all": parts}
    figure = yield Want("summarize_records", {"kind": "task", "filter": kept})
    found = yield Want("find_tasks", {"filter": kept, "sort": "due_at"})
    items = records(found, "tasks")
    count = figure.result.get("count") if isinstance(figure.result, dict) else len(items)
    total = int(count) if isinstance(count, int) else len(items)
    if not items:
        if who is not None:
            return [say(question, "tasks.none_of", name=who.name)]
        return [say(question, "tasks.none_overdue" if is_overdue else "tasks.none")]
    opening = "tasks.of" if who else "tasks.mine"
    if is_overdue and who is None:
        opening = "tasks.overdue_one" if total == 1 else "tasks.overdue"
    lines = [say(question, opening, name=who.name if who else "", count=counted(question, total, "task"))]
    lines += [_task(question, one) for one in items]
    if total > len(items):
        lines.append(say(question, "tasks.more", count=len(items)) + mark(_figure(figure.result)))
    return lines


def _figure(result: JsonValue) -> Record:
    return result if isinstance(result, dict) else {}


def _task(question: Question, task: Record) -> str:
    due = text(task, "due_at")
    at = local(question, due)
    key = "tasks.item_free" if at is None else "tasks.item_late" if at < question.now else "tasks.item"
    return say(question, key, title=text(task, "title"), day=time_of(question, due), mark=mark(task))


def meetings(question: Question) -> Plan:
    """The meetings of a time, without one of the next seven days."""
    who = (yield from find_colleague(question)) if names_in(question) else None
    week = Period(question.now, question.now + timedelta(days=7))
    period = period_of(question.question, question.now) or week
    wanted: dict[str, JsonValue] = {"since": period.since.isoformat(), "until": period.until.isoformat()}
    if who is not None:
        wanted["member_id"] = who.id
    elif re.search(r"\b(?:my|i|me)\b|\bмо[ияейх]+\b|\bу меня\b", question.question, re.IGNORECASE):
        wanted["member_id"] = str(question.asked_by.member_id)
    found = yield Want("find_meetings", wanted)
    items = [one for one in records(found, "meetings") if text(one, "status") != "cancelled"]
    if not items:
        return [say(question, "meetings.none")]
    lines = [say(question, "meetings.some", count=counted(question, len(items), "meeting"))]
    return lines + [
        say(
            question,
            "meetings.item",
            when=time_of(question, text(one, "starts_at")),
            title=text(one, "title"),
            mark=mark(one),
        )
        for one in items
    ]


def stalled(question: Question) -> Plan:
    """Open deals that nobody touched for two weeks, the longest first."""
    before = (question.now - STALLED).isoformat()
    parts: list[JsonValue] = [
        {"field": "outcome", "op": "is", "value": "open"},
        {"field": "updated_at", "op": "lt", "value": before},
    ]
    if re.search(r"\bmy\b|\bмо[ияейх]+\b", question.question, re.IGNORECASE):
        parts.append({"field": "owner_id", "op": "is", "value": str(question.asked_by.member_id)})
    kept: JsonValue = {"all": parts}
    figure = yield Want("summarize_records", {"kind": "deal", "filter": kept})
    found = yield Want("find_deals", {"filter": kept, "sort": "updated_at"})
    deals = records(found, "deals")
    count = figure.result.get("count") if isinstance(figure.result, dict) else len(deals)
    total = int(count) if isinstance(count, int) else len(deals)
    if not deals:
        return [say(question, "stalled.none")]
    key = "stalled.some_one" if total == 1 and question.language == "en" else "stalled.some"
    return [
        f"{say(question, key, count=counted(question, total, 'deal'))}{mark(_figure(figure.result))}",
        *(
            say(
                question,
                "stalled.item",
                name=text(one, "name"),
                stage=text(one, "stage"),
                amount=priced(question, one),
                day=date_of(question, text(one, "updated_at")),
                mark=mark(one),
            )
            for one in deals
        ),
    ]
