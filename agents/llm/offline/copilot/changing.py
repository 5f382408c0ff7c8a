"""What the asker wants changed about what is there: a task, a meeting, a tag, a figure of a deal, a contact."""

import re
from collections.abc import Generator, Sequence
from datetime import timedelta

from pydantic import JsonValue

from agents.copilot.contract import Question, Returned
from agents.llm.offline.copilot.dates import day_of
from agents.llm.offline.copilot.doing import outcome
from agents.llm.offline.copilot.finding import RECORDS, find_target
from agents.llm.offline.copilot.people import missing
from agents.llm.offline.copilot.plans import Plan, Record, Want, number, records, text, whole
from agents.llm.offline.copilot.saying import say
from core.languages import stems

Meaning = Generator[Want, Returned, Record | None]
# Meetings so long before and after today may be meant.
_AROUND = timedelta(days=45)
# Words of so few letters mean nothing of a title.
_SHORT = 2
_NAMED = re.compile(r"[«\"“][^»\"”]*[»\"”]")
_URGENT = re.compile(r"\b(?:urgent|high)\b|высок\w+|срочн\w+|горит", re.IGNORECASE)
_CANCEL = re.compile(r"\b(?:cancel|call off)\b|\bотмени", re.IGNORECASE)
_OUTCOME = re.compile(r"(?<!\d):\s+(?P<text>[^.]+)")
_AMOUNT = re.compile(r"(?P<figure>\d[\d\s.,]*\d|\d)\s*(?P<currency>[€$₽£]|eur\w*|dollars?|usd|r(?:o?u)bles?|евро|доллар\w*|руб\w*|₽)", re.IGNORECASE)  # fmt: skip
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def finish_task(question: Question) -> Plan:
    """An open task of the asker that the words mean."""
    task = yield from _own_task(question)
    if task is None:
        return [say(question, "doing.which_task")]
    asked = yield Want("complete_task", {"task_id": text(task, "id")})
    return [outcome(question, asked, say(question, "doing.finish", title=text(task, "title")))]


def change_task(question: Question) -> Plan:
    """Another day, or another weight, for an open task of the asker."""
    task = yield from _own_task(question)
    due = day_of(question.question, question.now)
    if task is None or not (due or _URGENT.search(question.question)):
        return [say(question, "doing.which_task")]
    arguments: dict[str, JsonValue] = {"task_id": text(task, "id"), "version": number(task, "version")}
    if due is not None:
        arguments["due_at"] = due.isoformat()
    if _URGENT.search(question.question):
        arguments["priority"] = "high"
    asked = yield Want("update_task", arguments)
    return [outcome(question, asked, say(question, "doing.change", record=text(task, "title")))]


def end_meeting(question: Question) -> Plan:
    """A meeting that the words mean: cancelled, or held with what came of it."""
    around = {
        "since": (question.now - _AROUND).isoformat(),
        "until": (question.now + _AROUND).isoformat(),
    }
    found = yield Want("find_meetings", {**around, "status": "planned"})
    meeting = _meant(question.question, records(found, "meetings"))
    if meeting is None:
        return [say(question, "doing.which_meeting")]
    is_cancelled = bool(_CANCEL.search(question.question))
    arguments: dict[str, JsonValue] = {
        "meeting_id": text(meeting, "id"),
        "status": "cancelled" if is_cancelled else "held",
    }
    if not is_cancelled and (told := _OUTCOME.search(question.question)):
        arguments["outcome"] = told["text"].strip()
    asked = yield Want("close_meeting", arguments)
    key = "doing.cancel" if is_cancelled else "doing.close"
    return [outcome(question, asked, say(question, key, title=text(meeting, "title")))]


def untag(question: Question) -> Plan:
    """A tag taken off a record."""
    record = yield from find_target(question, RECORDS)
    if record is None:
        return [missing(question)]
    got = yield Want("get_record", {"record_kind": record.kind, "record_id": record.id})
    fields = whole(got).get("tags")
    worn = [str(tag) for tag in fields] if isinstance(fields, list) else []
    tags: list[JsonValue] = [tag for tag in worn if plain_in(tag, question.question)]
    if not tags:
        return [say(question, "doing.no_tag", record=record.name)]
    asked = yield Want("tag_record", {"record_kind": record.kind, "record_id": record.id, "remove": tags})
    return [outcome(question, asked, say(question, "doing.untag", tag=tags[0], record=record.name))]


def plain_in(words_of: str, sentence: str) -> bool:
    return set(stems(words_of)) <= set(stems(sentence))


def set_deal(question: Question) -> Plan:
    """The amount, or the date of closing, of a deal."""
    arguments: dict[str, JsonValue] = {}
    if money := _AMOUNT.search(_NAMED.sub(" ", question.question)):
        arguments["amount_minor"] = _minor(money["figure"])
    elif (day := day_of(_NAMED.sub(" ", question.question), question.now)) is not None:
        arguments["close_date"] = day.date().isoformat()
    deal = yield from find_target(question, ("deal",))
    if deal is None or not arguments:
        return [say(question, "doing.which_deal")]
    asked = yield Want("update_deal", {"deal_id": deal.id, **arguments})
    return [outcome(question, asked, say(question, "doing.change", record=deal.name))]


def _minor(figure: str) -> int:
    """29,000 and 29 000 are whole; 17.50 is not."""
    whole_part, _, cents = re.sub(r"[\s,](?=\d{3}\b)", "", figure).replace(",", ".").partition(".")
    return int(whole_part) * 100 + int((cents + "00")[:2])


def add_address(question: Question) -> Plan:
    """An address by which a contact can be reached."""
    address = _EMAIL.search(question.question)
    rest = question.model_copy(update={"question": _EMAIL.sub(" ", question.question)})
    record = yield from find_target(rest, ("contact",))
    if address is None or record is None:
        return [missing(rest)]
    asked = yield Want("add_handle", {"contact_id": record.id, "kind": "email", "value": address[0]})
    return [outcome(question, asked, say(question, "doing.address", record=record.name, address=address[0]))]


def suppress(question: Question) -> Plan:
    """Nobody writes to a contact any more."""
    record = yield from find_target(question, ("contact",))
    if record is None:
        return [missing(question)]
    asked = yield Want("suppress_contact", {"contact_id": record.id, "reason": question.question[:200]})
    return [outcome(question, asked, say(question, "doing.suppress", record=record.name))]


def open_lead(question: Question) -> Plan:
    """A lead for a contact."""
    record = yield from find_target(question, ("contact",))
    if record is None:
        return [missing(question)]
    asked = yield Want("create_lead", {"contact_id": record.id})
    return [outcome(question, asked, say(question, "doing.lead", record=record.name))]


def _own_task(question: Question) -> Meaning:
    """The open task of the asker whose title the question shares most words with."""
    parts: list[JsonValue] = [
        {"field": "status", "op": "is", "value": "open"},
        {"field": "assignee_id", "op": "is", "value": str(question.asked_by.member_id)},
    ]
    found = yield Want("find_tasks", {"filter": {"all": parts}, "sort": "due_at"})
    return _meant(question.question, records(found, "tasks"))


def _meant(sentence: str, those: Sequence[Record]) -> Record | None:
    """The record whose title shares most words with a sentence; none when two share as many."""
    said = {one for one in stems(sentence) if len(one) > _SHORT}
    shared = sorted(
        ((len(said & set(stems(text(one, "title")))), number) for number, one in enumerate(those)),
        reverse=True,
    )
    if not shared or not shared[0][0] or (len(shared) > 1 and shared[0][0] == shared[1][0]):
        return None
    return those[shared[0][1]]
