"""What the asker wants done: the tool is called, and waits for their approval."""

import re

from pydantic import JsonValue

from agents.copilot.contract import Question, Returned
from agents.llm.offline.copilot.dates import day_of, has_clock
from agents.llm.offline.copilot.finding import RECORDS, find_colleague, find_stages, find_target, looked_at
from agents.llm.offline.copilot.naming import names_in
from agents.llm.offline.copilot.people import missing
from agents.llm.offline.copilot.plans import Plan, Want, part, text, whole
from agents.llm.offline.copilot.saying import say, time_of

_AFTER_COLON = re.compile(r"(?<!\d):\s+(?P<text>.+)$", re.DOTALL)
_QUOTED = re.compile(r"[«\"“„](?P<text>[^»\"”“]+)[»\"”“]")
_TASK = re.compile(
    r"(?:\btasks?\b(?:\s+for\s+(?:me|myself))?(?:\s+to)?|\bremind\s+me\s+to|\bпоставь(?:те)?\s+задачу|\bзадач[ау]\b|"
    r"\bнапомни(?:те)?\s+мне)\s*(?:to\s+|:\s*|-\s*)?(?P<text>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_WHEN = re.compile(
    r"\s*(?:,|\bby\b|\bon\b|\bdue\b|\bfor\b|\bat\b|\bбоже\b|\bна\b|\bдо\b|\bк\b|\bв\b|\bво\b)?\s*\b(?:(?:next|this|следующ\w+)\s+)?"
    r"(?:today|tomorrow|day after tomorrow|(?:mon|tues|wednes|thurs|fri|satur|sun)day|сегодня|послезавтра|завтра|понедельник|"
    r"вторник|сред[ау]|четверг|пятниц[ау]|суббот[ау]|воскресенье|in\s+\w+\s+(?:days?|weeks?)|через\s+(?:\w+\s+)?(?:день|дня|дней|"
    r"недел\w+)|\d{1,2}\s+(?:january|february|march|april|may|june|july|august|september|october|november|december|января|февраля|"
    r"марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря)|20\d\d-\d\d-\d\d)\b"
    r"(?:\s*(?:,|at|в)?\s*\d{1,2}(?::\d\d)?\s*(?:am|pm)?)?",
    re.IGNORECASE,
)
_NEXT_STEP = (
    re.compile(r"(?:next step|следующ\w+ шаг\w*)[^:]*(?<!\d):\s+(?P<text>.+)$", re.IGNORECASE | re.DOTALL),
    re.compile(
        r"(?:next step|следующ\w+ шаг\w*)(?:\s+\w+){0,6}?\s*(?:to\b|-|—|–|=)\s*(?P<text>.+)$",
        re.IGNORECASE | re.DOTALL,
    ),
)
_LOST = re.compile(
    r"\b(?:lost|проигра\w+)[,:]?\s+(?:because\s+|потому что\s+)?(?P<why>[^.,]+)", re.IGNORECASE
)
_FOR_WHOM = re.compile(r"^(?:for|для)\s+[^:]{2,60}:\s*", re.IGNORECASE)
_TAGS = (
    re.compile(r"\b(?:as|with(?:\s+the\s+tag)?)\s+(?P<text>[\w-]+)\s*[.!]?$", re.IGNORECASE),
    re.compile(r"\b(?:tag|метку|метка|тег)\s+(?P<text>[\w-]+)\s+(?:on|to|на|к|для)\b", re.IGNORECASE),
    re.compile(r"(?:меткой|метку|тегом|тег|как)\s+(?P<text>[\w-]+)\s*[.!]?$", re.IGNORECASE),
)


def move_deal(question: Question) -> Plan:
    """A deal to the stage that is named."""
    stages = yield from find_stages(question)
    deal = yield from find_target(question, ("deal",), without=stages)
    if deal is None:
        return [say(question, "doing.which_deal")]
    if not stages:
        known = yield Want("list_pipelines")
        return [say(question, "doing.move_what", stages=", ".join(_stages(known)))]
    if why := _LOST.search(question.question):
        yield Want("update_deal", {"deal_id": deal.id, "lost_reason": why["why"].strip()})
    asked = yield Want("move_deal_stage", {"deal_id": deal.id, "stage": stages[-1]})
    return [outcome(question, asked, say(question, "doing.move", deal=deal.name, stage=stages[-1]))]


def _stages(known: Returned) -> list[str]:
    pipelines = whole(known).get("pipelines")
    first = pipelines[0] if isinstance(pipelines, list) and pipelines else None
    stages = first.get("stages") if isinstance(first, dict) else None
    return [text(one, "name") for one in stages if isinstance(one, dict)] if isinstance(stages, list) else []


def create_task(question: Question) -> Plan:
    """A task for the asker, or for the colleague who is named, about the record that is meant."""
    title = _title(question)
    if not title:
        return [say(question, "doing.what")]
    due = day_of(question.question, question.now)
    assignee: JsonValue = str(question.asked_by.member_id)
    if re.search(r"\b(?:for|assign)\s+[A-Z]|\bдля\s+[А-Я]", question.question):
        colleague = yield from find_colleague(question)
        assignee = colleague.id if colleague else assignee
    # Whom to call may be named in a task about the deal that is looked at.
    record = looked_at(question, ("deal", "contact"))
    record = record or (yield from find_target(question, ("deal", "contact")))
    arguments: dict[str, JsonValue] = {"title": title, "assignee_id": assignee}
    if due is not None:
        arguments["due_at"] = due.isoformat()
    if record is not None:
        arguments[f"{record.kind}_id"] = record.id
    asked = yield Want("create_task", arguments)
    when = say(question, "doing.due", when=time_of(question, due.isoformat())) if due else ""
    return [outcome(question, asked, say(question, "doing.task", title=title, due=when))]


def _title(question: Question) -> str:
    """What the task says: quoted, after a colon, or what follows the word."""
    written = question.question.strip().rstrip(".!")
    if quoted := _QUOTED.search(written):
        return quoted["text"].strip()
    found = _TASK.search(written)
    words = _FOR_WHOM.sub("", found["text"]) if found else ""
    if not words and (rest := re.search(r"\bremind me\b(.+)|напомни\w*(.+)", written, re.IGNORECASE)):
        words = rest[1] or rest[2]
    words = _WHEN.sub("", words)
    words = re.sub(r"^\s*(?:to|:|-|that|чтобы)\s+", "", words.strip(" ,:-"), flags=re.IGNORECASE)
    words = re.sub(r"^(?:for|on)\s+(?:this|the)\s+\w+\s*[:,]?\s*", "", words, flags=re.IGNORECASE)
    return words[:1].upper() + words[1:].strip(" ,:-") if words else ""


def note(question: Question) -> Plan:
    """Something written down about a record."""
    words = _said(question)
    if not words:
        return [say(question, "doing.what")]
    about = question.model_copy(update={"question": question.question.replace(words, "")})
    # What is written down may be all that names the record.
    record = (yield from find_target(about, RECORDS)) or (yield from find_target(question, RECORDS))
    if record is None:
        return [missing(about)]
    arguments: dict[str, JsonValue] = {"record_kind": record.kind, "record_id": record.id, "body": words}
    asked = yield Want("create_note", arguments)
    return [outcome(question, asked, say(question, "doing.note", record=record.name, text=_ended(words)))]


def next_step(question: Question) -> Plan:
    """What happens next in a deal."""
    found = next((one for form in _NEXT_STEP if (one := form.search(question.question.strip()))), None)
    words = (found["text"] if found else _said(question)).strip(' «»"“”')
    if not words:
        return [say(question, "doing.what")]
    about = question.model_copy(update={"question": question.question.replace(words, "")})
    deal = yield from find_target(about, ("deal",))
    if deal is None:
        return [say(question, "doing.which_deal")]
    asked = yield Want("update_deal_next_step", {"deal_id": deal.id, "next_step": words[:500]})
    return [
        outcome(question, asked, say(question, "doing.next_step", deal=deal.name, text=words.rstrip(".")))
    ]


def tag(question: Question) -> Plan:
    """A tag on a record."""
    quoted = _QUOTED.search(question.question)
    found = next((one for pattern in _TAGS if (one := pattern.search(question.question))), None)
    name = found["text"] if found else quoted["text"] if quoted else ""
    if not name:
        return [say(question, "doing.what")]
    about = question.model_copy(update={"question": question.question.replace(name, "")})
    record = yield from find_target(about, RECORDS)
    if record is None:
        return [missing(about)]
    arguments: dict[str, JsonValue] = {"record_kind": record.kind, "record_id": record.id, "add": [name]}
    asked = yield Want("tag_record", arguments)
    return [outcome(question, asked, say(question, "doing.tag", tag=name, record=record.name))]


def plan_meeting(question: Question) -> Plan:
    """A meeting of an hour with somebody, at the time that is named."""
    starts_at = day_of(question.question, question.now)
    if starts_at is None or not has_clock(question.question):
        return [say(question, "doing.meeting_when")]
    record = yield from find_target(question, ("contact", "deal"))
    if record is None:
        return [missing(question)]
    arguments: dict[str, JsonValue] = {}
    contact_id, name = record.id, record.name
    if record.kind == "deal":
        got = yield Want("get_record", {"record_kind": "deal", "record_id": record.id})
        fields = part(whole(got), "fields")
        contact_id, name = text(fields, "contact_id"), text(fields, "contact_name") or record.name
        arguments["deal_id"] = record.id
        if not contact_id:
            return [missing(question)]
    quoted = _QUOTED.search(question.question)
    title = quoted["text"] if quoted else say(question, "doing.meeting_title", name=name)
    ends_at = (
        starts_at.replace(hour=starts_at.hour + 1) if starts_at.hour < 23 else starts_at.replace(minute=59)
    )
    arguments |= {
        "title": title,
        "starts_at": starts_at.isoformat(),
        "ends_at": ends_at.isoformat(),
        "contact_id": contact_id,
    }
    asked = yield Want("plan_meeting", arguments)
    when = time_of(question, starts_at.isoformat())
    return [outcome(question, asked, say(question, "doing.meeting", title=title, when=when))]


def assign(question: Question) -> Plan:
    """A record to a colleague, or to the asker."""
    if re.search(r"\bto me\b|\bmake me\b|\bmyself\b|\bна меня\b|\bмне\b", question.question, re.IGNORECASE):
        owner_id, owner = str(question.asked_by.member_id), question.asked_by.name
    else:
        colleague = yield from find_colleague(question)
        if colleague is None:
            return [say(question, "doing.assign_whom")]
        owner_id, owner = colleague.id, colleague.name
    mine = [name for name in names_in(question) if name in owner or any(w in owner for w in name.split())]
    record = yield from find_target(question, RECORDS, without=(*mine, owner))
    if record is None:
        return [missing(question)]
    arguments: dict[str, JsonValue] = {
        "record_kind": record.kind,
        "record_id": record.id,
        "owner_id": owner_id,
    }
    asked = yield Want("assign_record", arguments)
    return [outcome(question, asked, say(question, "doing.assign", person=owner, record=record.name))]


def _said(question: Question) -> str:
    """The words that are to be written down: quoted, or after a colon."""
    after = _AFTER_COLON.search(question.question)
    if after:
        return after["text"].strip(' «»"“”')
    if quoted := _QUOTED.search(question.question):
        return quoted["text"].strip()
    that = re.search(
        r"\bthat\s+(?P<text>.+)$|,?\s+что\s+(?P<other>.+)$", question.question, re.IGNORECASE | re.DOTALL
    )
    return (that["text"] or that["other"] or "").strip() if that else ""


def _ended(words: str) -> str:
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


def outcome(question: Question, asked: Returned, proposal: str) -> str:
    """What to say of a call: it waits, it was done at once, it may not be, or it went wrong."""
    match asked.status:
        case "asked":
            return proposal
        case "done":
            return say(question, "doing.done", what=proposal.partition(";")[0].partition(", ждёт")[0])
        case "refused":
            return say(question, "doing.refused", why=asked.error)
        case _:
            return say(question, "help.failed", why=asked.error)
