"""The card of a tool call in the reader's words: what is asked, with what, what to look at first, what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from core import clock, hidden
from crm.approvals.models import ApprovalStatus, CallStatus, ToolApproval
from events.ids import ConversationId
from web.i18n import Words
from web.inbox_view import Segment, segments
from web.phrases import N_
from web.values import LABELS

# What a tool does, as a person would say it. A tool that is not here is called by its name.
TOOLS: Mapping[str, str] = {
    "create_contact": N_("add a contact"),
    "update_contact": N_("change a contact"),
    "add_handle": N_("add an address of a contact"),
    "suppress_contact": N_("stop writing to a contact"),
    "create_company": N_("add a company"),
    "update_company": N_("change a company"),
    "tag_record": N_("change the tags of a record"),
    "propose_bulk_edit": N_("propose a change of many records"),
    "create_lead": N_("add a lead"),
    "move_lead_stage": N_("move a lead to another stage"),
    "convert_lead": N_("make a deal of a lead"),
    "create_deal": N_("add a deal"),
    "update_deal": N_("change a deal"),
    "update_deal_next_step": N_("write down the next step of a deal"),
    "move_deal_stage": N_("move a deal to another stage"),
    "add_stakeholder": N_("note who has a say in a deal"),
    "hand_off_conversation": N_("give a conversation to a person"),
    "draft_reply": N_("propose a reply"),
    "withdraw_draft": N_("take back a draft"),
    "create_task": N_("add a task"),
    "update_task": N_("change a task"),
    "complete_task": N_("mark a task as done"),
    "create_note": N_("write a note"),
    "assign_record": N_("make a colleague responsible"),
    "plan_meeting": N_("plan a meeting"),
    "close_meeting": N_("close a meeting"),
    "remember_fact": N_("remember a fact"),
    "note_promise": N_("note down a promise"),
    "keep_promise": N_("note down that a promise was kept"),
    "suggest_next_step": N_("suggest a next step"),
    "send_reply": N_("send a reply"),
    "withdraw_request": N_("take back a question"),
}
FIELDS: Mapping[str, str] = {
    **{name: LABELS[name] for name in ("name", "title", "note", "company_id", "email", "phone", "tags", "currency",
       "probability", "close_date", "next_step", "lost_reason", "language", "domain", "city", "country", "industry",
       "employees", "about", "owner_id")},
    "assignee_id": N_("For whom"),
    "member_id": N_("Colleague"),
    "contact_id": N_("Contact"),
    "deal_id": N_("Deal"),
    "lead_id": N_("Lead"),
    "task_id": N_("Task"),
    "note_id": N_("Note"),
    "meeting_id": N_("Meeting"),
    "draft_id": N_("Draft"),
    "conversation_id": N_("Conversation"),
    "pipeline_id": N_("Pipeline"),
    "record_id": N_("Record"),
    "stage": N_("Stage"),
    "amount_minor": N_("Amount"),
    "handles": N_("Addresses"),
    "kind": N_("Kind"),
    "value": N_("Value"),
    "add": N_("Add"),
    "remove": N_("Take off"),
    "description": N_("Description"),
    "due_at": N_("Due"),
    "priority": N_("Priority"),
    "body": N_("Text"),
    "text": N_("Text"),
    "reason": N_("Reason"),
    "role": N_("Role in the deal"),
    "starts_at": N_("Begins"),
    "ends_at": N_("Ends"),
    "outcome": N_("Outcome"),
    "predicate": N_("What it says"),
    "subject_id": N_("About"),
    "filter": N_("Which records"),
    "set": N_("New values"),
    "custom": N_("Other fields"),
    "label": N_("Label"),
    "add_tags": N_("Tags to add"),
    "remove_tags": N_("Tags to take off"),
    "source": N_("Source"),
    "summary": N_("Summary"),
    "evidence": N_("Rests on"),
    "flags": N_("To check"),
    "place": N_("Place"),
    "link": N_("Link"),
    "status": N_("State"),
    "message_id": N_("Message"),
    "confidence": N_("Confidence"),
    "approval_id": N_("Question"),
    "intents": N_("What they want"),
    "why": N_("Reason"),
    "calls": N_("What would be done"),
    "promise_id": N_("Promise"),
    "replaces_id": N_("Instead of"),
    "holds_until": N_("Holds until"),
    "quote": N_("Words of the message"),
}  # fmt: skip
_TITLED = frozenset({"create_task", "update_task", "plan_meeting"})
# Already told by the name of the record.
_SILENT = frozenset({"record_kind", "subject_kind", "version"})
WHY: Mapping[str, str] = {
    "autonomy": N_("%(name)s may suggest here; a person decides."),
    "tainted": N_("%(name)s had read text from outside before it asked."),
    "sensitive": N_("It changes an address, a consent, an owner or money."),
    "external": N_("It leaves the house."),
    "system": N_("It touches settings, people, other agents or many records."),
    "capped": N_("%(name)s has sent as many replies by itself today as it may."),
    "alone": N_("%(name)s has answered many times in a row here, and no person has looked."),
    "off_hours": N_("It is outside the hours in which %(name)s may send by itself."),
    "guard": N_("The text has something that nobody has checked."),
}
_SOURCES: Mapping[str, str] = {
    "message": N_("what the contact wrote"),
    "contact": N_("what the contact is called, which they chose themselves"),
    "company": N_("the company's own words"),
    "fact": N_("a fact that nobody has confirmed"),
    "memory": N_("what was said earlier"),
    "knowledge": N_("a document"),
    "note": N_("a note"),
    "task": N_("a task that an agent wrote"),
    "deal": N_("a deal's own words"),
}
_NOT_DONE: Mapping[str, str] = {
    "changed": N_("the record was changed since; the agent has to look again"),
    "paused": N_("the agent is paused"),
    "forbidden": N_("the agent or whoever approved it may not do this any more"),
    "denied": N_("the policy does not allow it any more"),
    "unknown": N_("it was cut off on the way, and nobody knows how it ended"),
    "timeout": N_("it took too long"),
    "internal": N_("it broke on our side"),
    "gave_up": N_("it did not work, however often it was tried"),
}
PLACES: Mapping[str, str] = {
    "contact": "/contacts/{id}",
    "company": "/companies/{id}",
    "deal": "/deals/{id}",
    "lead": "/leads/{id}",
    "task": "/tasks/{id}",
    "meeting": "/meetings/{id}",
    "segment": "/segments/{id}",
    "conversation": "/inbox/{id}?folder=all",
}


class Asked(Protocol):
    """A call that a person decides about: one that an agent asked about, or one that it suggests."""

    @property
    def tool(self) -> str: ...
    @property
    def arguments(self) -> dict[str, Any]: ...
    @property
    def records(self) -> list[dict[str, Any]]: ...
    @property
    def marks(self) -> list[dict[str, Any]]: ...
    @property
    def bidi_name(self) -> str: ...
    @property
    def conversation_id(self) -> ConversationId | None: ...


@dataclass(frozen=True)
class CardField:
    """One argument; `href` leads to the record that it names."""

    label: str
    pieces: list[Segment]
    href: str = ""


@dataclass(frozen=True)
class CardMark:
    """Something to look at first, in a sentence, with the words it rests on and the place where they stand."""

    text: str
    quote: str = ""
    href: str = ""
    is_weighty: bool = True


@dataclass(frozen=True)
class ToolCard:
    approval: ToolApproval
    doing: str
    about: str
    fields: list[CardField]
    marks: list[CardMark]
    why: list[str]
    state: str

    @property
    def id(self) -> str:
        return str(self.approval.id)

    @property
    def is_snoozed(self) -> bool:
        until = self.approval.snoozed_until
        return until is not None and until > clock.now()


def tool_card(approval: ToolApproval, words: Words) -> ToolCard:
    """A card as its template shows it: approvals/_tool_card.html."""
    names = {record["name"] for record in approval.records}
    return ToolCard(
        approval=approval,
        doing=doing(approval.tool, words),
        about=", ".join(sorted(names)) or (approval.contact_name or ""),
        fields=fields_of(approval, words),
        marks=marks_of(approval, words),
        why=[words.gettext(WHY.get(code, code), name=approval.bidi_name) for code in approval.why],
        state=state_of(approval, words),
    )


def doing(tool: str, words: Words) -> str:
    """What a tool does, in words that go on a sentence."""
    return words.gettext(TOOLS[tool]) if tool in TOOLS else tool.replace("_", " ")


def fields_of(approval: Asked, words: Words) -> list[CardField]:
    """The arguments of a call in the reader's words; what is marked in them is."""
    records = {record["field"]: record for record in approval.records}
    fields = []
    for name, value in approval.arguments.items():
        if (name in _SILENT and name != "currency") or value in (None, "", [], {}):
            continue
        if name == "currency" and "amount_minor" in approval.arguments:
            continue
        record = records.get(name)
        shown = hidden.shown(record["name"] if record else _value(name, value, approval.arguments, words))
        href = PLACES.get(record["kind"], "").format(id=record["id"]) if record else ""
        label = _label(approval.tool, name, words)
        fields.append(CardField(label, _pieces(name, shown, approval, is_record=bool(record)), href))
    return fields


def _label(tool: str, name: str, words: Words) -> str:
    """What an argument is called; the title of a person is another thing than that of a task."""
    if name == "title" and tool in _TITLED:
        return words.gettext("Title")
    return words.gettext(FIELDS[name]) if name in FIELDS else name.replace("_", " ")


def _pieces(name: str, shown: str, approval: Asked, *, is_record: bool) -> list[Segment]:
    """The value with what is marked in it; an amount is marked as a whole, however it is written."""
    marked = [mark for mark in approval.marks if _is_at(mark, name) and mark["kind"] != "unsourced_value"]
    if is_record or not marked:
        return [Segment(shown)]
    found = [mark["value"] for mark in marked if mark["value"] in shown]
    return segments(shown, {}, found) if found else [Segment(shown, is_flagged=True)]


def _is_at(mark: Mapping[str, Any], name: str) -> bool:
    return str(mark["path"]).partition(".")[0] == name


def _value(name: str, value: Any, arguments: Mapping[str, Any], words: Words) -> str:
    """A value as people write it: money in whole units, times in words, lists in one line."""
    match value:
        case bool():
            return words.gettext("yes") if value else words.gettext("no")
        case int() if name == "amount_minor":
            return words.money(value, str(arguments.get("currency") or "EUR"))
        case dict():
            return ", ".join(f"{key}: {_value('', item, {}, words)}" for key, item in value.items())
        case list():
            return "; ".join(_value("", item, {}, words) for item in value)
        case str() if name.endswith("_at"):
            return _time(value, words)
        case _:
            return str(value)


def _time(value: str, words: Words) -> str:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return value
    return words.when(at) if at.tzinfo else value


def marks_of(approval: Asked, words: Words) -> list[CardMark]:
    """What to look at first, in sentences."""
    return [_mark(mark, approval, words) for mark in approval.marks]


def _mark(mark: Mapping[str, Any], approval: Asked, words: Words) -> CardMark:
    value = hidden.shown(str(mark["value"]))
    match mark["kind"]:
        case "hidden_text":
            return CardMark(
                words.gettext("“%(value)s” hides characters or mixes alphabets. It may not be what it looks like.",
                              value=value)
            )  # fmt: skip
        case "untrusted_value":
            source = _SOURCES.get(mark.get("source_kind", ""), N_("text from outside"))
            text = words.gettext("“%(value)s” comes from %(source)s; nobody has checked it.", value=value,
                                 source=words.gettext(source))  # fmt: skip
            return CardMark(text, hidden.shown(str(mark.get("quote", ""))), _href(mark, approval))
        case _:
            text = words.gettext("Nothing that %(name)s has read says “%(value)s”.", name=approval.bidi_name,
                                 value=value)  # fmt: skip
            return CardMark(text, is_weighty=False)


def _href(mark: Mapping[str, Any], approval: Asked) -> str:
    kind, id = str(mark.get("source_kind", "")), str(mark.get("source_id", ""))
    if kind == "message" and approval.conversation_id is not None:
        return f"/inbox/{approval.conversation_id}?folder=all#message-{id}"
    return PLACES[kind].format(id=id) if id and kind in PLACES else ""


def state_of(approval: ToolApproval, words: Words) -> str:
    """What became of it; nothing while it waits."""
    name = approval.decider_name or words.gettext("a person")
    when = words.when(approval.decided_at) if approval.decided_at else ""
    match approval.status, approval.call_status:
        case ApprovalStatus.OPEN, _:
            return ""
        case ApprovalStatus.APPROVED, CallStatus.DONE:
            return words.gettext("Done. Approved by %(name)s, %(when)s", name=name, when=when)
        case ApprovalStatus.APPROVED, CallStatus.FAILED | CallStatus.REFUSED:
            why = words.gettext(_NOT_DONE[approval.code]) if approval.code in _NOT_DONE else approval.error
            return words.gettext("Approved by %(name)s, but not done: %(why)s", name=name, why=why)
        case ApprovalStatus.APPROVED, _:
            return words.gettext("Approved by %(name)s. It is being done.", name=name)
        case ApprovalStatus.REJECTED, _:
            return words.gettext("Rejected by %(name)s, %(when)s", name=name, when=when)
        case ApprovalStatus.WITHDRAWN, _:
            return words.gettext("%(name)s took it back", name=approval.bidi_name)
        case _:
            return words.gettext("Nobody decided in time")
