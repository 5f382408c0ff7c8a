"""Codes of the domain in the reader's words, and the small conversions that templates use as filters."""

import re
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

from core import clock
from crm.bidi.models import WEEKDAYS
from crm.conversations.inbox import EvidenceLine, Handle
from crm.pipelines.moves import ActionRefused, Missing
from crm.pipelines.rules import Rule
from crm.timeline.models import Item, ItemKind
from events.ids import RecordKind
from web.i18n import Words


def N_(message: str) -> str:
    """Mark a message for the catalogue."""
    return message


HANDOFF = {
    "customer_request": N_("asks for a person"),
    "missing_knowledge": N_("the answer is not in what we know"),
    "unsupported_request": N_("asks for something I cannot do"),
    "policy_restriction": N_("the rules leave this to a person"),
    "tool_failure": N_("something did not work on our side"),
    "pending_clarification": N_("it is not clear what is meant"),
    "usage_limit": N_("the agent's budget is used up"),
}

FLAGS = {
    "unsourced_value": N_("“%(value)s” has no source. Check it before it goes out."),
    "untrusted_value": N_("“%(value)s” comes from outside and nobody has checked it."),
    "new_address": N_("The address “%(value)s” is new here and nobody has checked it."),
    "new_link": N_("The link “%(value)s” was not in this conversation before."),
    "language": N_("The draft is not in the language of the conversation."),
    "moved_on": N_("The contact wrote again while this was written. Read the last lines first."),
    "mixed_script": N_("“%(value)s” mixes letters of two alphabets. It may not be what it looks like."),
    "hidden_text": N_("“%(value)s” hides characters. It may not be what it looks like."),
    "wrong_name": N_("It calls the contact “%(value)s”, which is not their name."),
    "unsourced_claim": N_("“%(value)s” is said without a source."),
    "promise": N_("“%(value)s” is a promise that nothing we know bears out."),
    "sources_differ": N_("“%(value)s” is told differently elsewhere. %(text)s"),
}

WHY_SHORT = {
    "autonomy": N_("a person sends here"),
    "unsourced_value": N_("a value without a source"),
    "untrusted_value": N_("an unchecked value"),
    "new_address": N_("a new address"),
    "new_link": N_("a new link"),
    "language": N_("another language"),
    "moved_on": N_("a newer message"),
    "mixed_script": N_("mixed alphabets"),
    "hidden_text": N_("hidden characters"),
    "wrong_name": N_("another name"),
    "promise": N_("a promise without a source"),
    "unsourced_claim": N_("a statement without a source"),
    "intent": N_("a person answers this"),
    "capped": N_("the day's limit"),
    "alone": N_("many replies in a row"),
    "off_hours": N_("outside the hours"),
    "guard": N_("something unchecked"),
    "external": N_("a person sends here"),
    "tainted": N_("text from outside"),
    "sources_differ": N_("sources that differ"),
}

WHY_LONG = {
    "autonomy": N_("%(name)s may suggest here; a person sends."),
    "unsourced_value": N_("One value in the text has no source."),
    "untrusted_value": N_("One value came from outside and is not checked."),
    "new_address": N_("The text names an address that is new in this conversation."),
    "new_link": N_("The text has a link that is new in this conversation."),
    "language": N_("The text is not in the language of the conversation."),
    "moved_on": N_("The contact wrote again while the draft was written."),
    "mixed_script": N_("A word mixes letters of two alphabets."),
    "hidden_text": N_("The text has characters that are not seen."),
    "wrong_name": N_("The text calls the contact by another name."),
    "promise": N_("The text promises something that nothing we know bears out."),
    "unsourced_claim": N_("The text states something that nothing the agent read says."),
    "intent": N_("What the contact wants is not among what %(name)s may answer by itself."),
    "capped": N_("%(name)s has sent as many replies by itself today as it may."),
    "alone": N_("%(name)s has answered many times in a row here, and no person has looked."),
    "off_hours": N_("It is outside the hours in which %(name)s may send by itself."),
    "guard": N_("The text has something that nobody has checked."),
    "external": N_("%(name)s may suggest here; a person sends."),
    "tainted": N_("%(name)s knows more than the contact may hear."),
    "sources_differ": N_("Two sources say different things about one value."),
}

KINDS = {
    RecordKind.CONTACT: N_("Contact"),
    RecordKind.COMPANY: N_("Company"),
    RecordKind.LEAD: N_("Lead"),
    RecordKind.DEAL: N_("Deal"),
}
NEW = {
    RecordKind.CONTACT: N_("New contact"),
    RecordKind.COMPANY: N_("New company"),
    RecordKind.LEAD: N_("New lead"),
    RecordKind.DEAL: N_("New deal"),
}

STAGES = {
    "Cold": N_("Cold"),
    "Replied": N_("Replied"),
    "Qualified": N_("Qualified"),
    "Meeting": N_("Meeting"),
    "Proposal": N_("Proposal"),
    "Negotiation": N_("Negotiation"),
    "Won": N_("Won"),
    "Lost": N_("Lost"),
}

HANDLE_KINDS = {
    "email": N_("Email"),
    "phone": N_("Phone"),
    "telegram_username": N_("Telegram"),
    "telegram_id": N_("Telegram number"),
    "link": N_("Link"),
}

CONSENT_CHANNELS = {
    "email": N_("Email"),
    "sms": N_("Text messages"),
    "telegram": N_("Telegram"),
    "marketing": N_("News and offers"),
}

# What a deal needs for a stage, as the end of a sentence.
REQUIRED = {
    "company": N_("a company"),
    "contact": N_("a contact"),
    "amount": N_("an amount"),
    "close_date": N_("a close date"),
    "probability": N_("a probability of its own"),
    "owner": N_("an owner"),
    "next_step": N_("a next step"),
    "lost_reason": N_("the reason why it is lost"),
    "source": N_("a source"),
}

ROLES = {
    "decision_maker": N_("decision maker"),
    "champion": N_("champion"),
    "influencer": N_("influencer"),
    "buyer": N_("buyer"),
    "legal": N_("lawyer"),
    "user": N_("user"),
    "blocker": N_("opponent"),
}

ACTIONS = {
    "advance": N_("move on"),
    "skip": N_("skip stages"),
    "return": N_("move back"),
    "win": N_("win"),
    "lose": N_("lose"),
    "reopen": N_("reopen"),
    "convert": N_("make a deal of a lead"),
    "edit": N_("change the amount and the date"),
    "delete": N_("delete"),
}

EVENTS = {
    "message.received": N_("the person writes"),
    "message.sent": N_("we write"),
    "task.completed": N_("a task is done"),
    "deal.created": N_("a deal is made"),
    "deal.closed": N_("a deal is closed"),
}

SOURCES = {
    "user": N_("written by a colleague"),
    "message": N_("from a message"),
    "import": N_("imported"),
    "agent": N_("noted by an agent"),
    "seed": N_("from the first import"),
    "system": N_("computed"),
}


MAIL_KINDS = {
    "bulk": N_("newsletter"),
    "auto_reply": N_("automatic reply"),
    "dsn": N_("report about a mail that was not delivered"),
    "arf": N_("complaint about a mail"),
}

# What the channel says of itself; anything else is shown as it came.
FAILURES = (
    N_("The message is larger than Telegram allows"),
    N_("The connection to Telegram broke before it answered"),
    N_("Telegram answered with an error of its own"),
    N_("Telegram's answer could not be read"),
    N_("The connection to the mail server broke before it answered"),
    N_("The connection to the mail server broke"),
    N_("The mail server asks for a pause"),
    N_("The mail server cannot check the password now"),
    N_("The mail server does not accept the user or the password; connect it again"),
    N_("There is no such mail address"),
    N_("The contact asked not to be written to"),
    N_("It is not the text that was approved"),
    N_("The file is gone"),
    N_("The file is larger than the limit"),
)
_REFUSED = "Refused by Telegram: "
_MAIL_REFUSED = "Refused by the mail server: "


# Why a document cannot be read, and what to do about it.
DOCUMENT_REFUSALS = {
    "unknown_type": N_("Files of this kind are not read."),
    "old_word": N_("This is the old Word format (DOC)."),
    "encrypted": N_("It is protected by a password."),
    "no_text": N_("It has no text layer: its pages are pictures."),
    "empty": N_("There is no text in it."),
    "broken": N_("The file is damaged."),
    "too_many_pages": N_("It has more than 500 pages."),
    "too_much_text": N_("It has more text than a document may have."),
    "too_large_inside": N_("It unpacks to more than a document may have."),
    "too_slow": N_("Reading it took too long."),
    "lost": N_("It could not be read because of a fault on our side."),
}

DOCUMENT_WAYS_OUT = {
    "unknown_type": N_("Save it as PDF, DOCX, Markdown, text or HTML and replace it."),
    "old_word": N_("Save it as DOCX or PDF and replace it."),
    "encrypted": N_("Save it without the password and replace it."),
    "no_text": N_("Run text recognition over it, or replace it with the original."),
    "empty": N_("Replace it with a file that has some."),
    "broken": N_("Open it, save it again and replace it."),
    "too_many_pages": N_("Split it into parts and add those."),
    "too_much_text": N_("Split it into parts and add those."),
    "too_large_inside": N_("Take the pictures out or split it, and replace it."),
    "too_slow": N_("Split it into parts, or replace it with the same file to try once more."),
    "lost": N_("Replace it with the same file to try once more."),
}
_PLACE = re.compile(r"^(?P<name>.*), (?:page (?P<page>\d+)|line (?P<line>\d+))$", re.DOTALL)


def document_refusal(code: str, words: Words) -> str:
    return words.gettext(DOCUMENT_REFUSALS.get(code, code))


def document_way_out(code: str, words: Words) -> str:
    return words.gettext(DOCUMENT_WAYS_OUT[code]) if code in DOCUMENT_WAYS_OUT else ""


def citation(label: str, words: Words) -> str:
    """A place in a document as the reader calls it: stored as `Prices.pdf, page 2`."""
    found = _PLACE.match(label)
    if found is None:
        return label
    if found["page"]:
        return words.gettext("%(name)s, page %(number)s", name=found["name"], number=found["page"])
    return words.gettext("%(name)s, line %(number)s", name=found["name"], number=found["line"])


def handoff(reason: str, words: Words) -> str:
    return words.gettext(HANDOFF.get(reason, reason))


def flag_text(flag: dict[str, str], words: Words) -> str:
    """What to check; an agent's own sentence about a flag wins over the general one."""
    text = flag.get("text") or ""
    pattern = FLAGS.get(flag.get("kind", ""))
    if pattern is None:
        return text or flag.get("value", "")
    return words.gettext(pattern, value=flag.get("value", ""), text=text)


def why_short(codes: list[str], words: Words) -> str:
    """The reasons in one line; the general one is left out when there is a particular one."""
    particular = [code for code in codes if code != "autonomy"] or codes
    return ", ".join(words.gettext(WHY_SHORT.get(code, code)) for code in particular)


def why_long(code: str, words: Words, agent: str) -> str:
    return words.gettext(WHY_LONG[code], name=agent) if code in WHY_LONG else code


def stage_text(name: str, words: Words) -> str:
    return words.gettext(STAGES.get(name, name))


def rule_text(rule: Rule, words: Words) -> str:
    """What a rule of a stage asks for."""
    match rule.rule:
        case "field" if rule.field in REQUIRED:
            return words.gettext(REQUIRED[rule.field])
        case "field":
            return words.gettext("a value in %(name)s", name=rule.field.removeprefix("custom."))
        case "stakeholder":
            return words.gettext("a person as %(role)s", role=role_text(rule.role, words))
        case "minimum_amount":
            return words.gettext(
                "an amount of at least %(amount)s", amount=words.money(rule.amount_minor, rule.currency)
            )
        case "no_open_tasks":
            return words.gettext("all tasks done")


def missing_text(missing: Sequence[Missing], words: Words) -> str:
    """Everything that a record lacked for a move, in one line."""
    return "; ".join(dict.fromkeys(rule_text(one.rule, words) for one in missing))


def refused_action_text(err: ActionRefused, words: Words) -> str:
    """Why a stage does not let something happen, and who can change that."""
    what, stage = action_text(err.action.value, words), stage_text(err.stage.name, words)
    return words.gettext(
        "“%(stage)s” does not allow: %(what)s. The pipeline's settings can change that.",
        stage=stage,
        what=what,
    )


# What a contact may want, as the triage of the inbox agent names it; another model may name more.
INTENTS = {
    "price": N_("Questions about the price"),
    "discount": N_("Wishes for a discount"),
    "availability": N_("Questions about what is there"),
    "question": N_("Other questions about the product"),
    "meeting": N_("Wishes to meet or call"),
    "objection": N_("Doubts and objections"),
    "greeting": N_("Greetings"),
    "thanks": N_("Thanks"),
    "wrong_person": N_("“I am the wrong person”"),
    "introduction": N_("Introductions"),
    "out_of_office": N_("Out of office"),
    "other": N_("Everything else"),
}

# What keeps a seat from answering by itself, and the way out.
HINDRANCES = {
    "archived": N_("The seat is archived."),
    "paused": N_("It is paused. Let it work again."),
    "autonomy": N_("Its autonomy is “%(autonomy)s”, so a person sends. Set it to “Autopilot” below."),
    "policy": N_("The organization's policy wants a person to send every reply."),
    "intents": N_("No kind of message is given to it yet. Give it one that it has earned."),
    "spent": N_("What it, or the organization, may use in a day is used up."),
    "capped": N_("It has sent all of the %(cap)s replies that it may send by itself in a day."),
    "off_hours": N_("It is outside its working hours. They begin again %(when)s."),
    "off_hours_for_good": N_("It is outside its working hours, and none are set for the week to come."),
}

INCIDENTS = {
    "recalled": N_("It was wrong, we take it back"),
    "complained": N_("The contact complained about it"),
}


# What the copilot names as its sources.
SOURCES = {
    "contact": N_("contact"), "company": N_("company"), "lead": N_("lead"), "deal": N_("deal"), "task": N_("task"),
    "meeting": N_("meeting"), "note": N_("note"), "file": N_("file"), "message": N_("message"), "memory": N_("message"),
    "knowledge": N_("document"), "fact": N_("fact"), "conversation": N_("conversation"), "figure": N_("computed"),
    "colleague": N_("colleague"), "pipeline": N_("pipeline"),
}  # fmt: skip


def kind_text(kind: RecordKind | str, words: Words) -> str:
    return words.gettext(KINDS[RecordKind(kind)])


def source_kind(kind: str, words: Words) -> str:
    """What an answer rests on, in a word."""
    return words.gettext(SOURCES.get(kind, SOURCES["fact"]))


def new_text(kind: RecordKind | str, words: Words) -> str:
    return words.gettext(NEW[RecordKind(kind)])


def field_text(field: str, words: Words) -> str:
    return words.gettext(REQUIRED.get(field, field))


def action_text(action: str, words: Words) -> str:
    return words.gettext(ACTIONS.get(action, action))


def event_text(event_type: str, words: Words) -> str:
    return words.gettext(EVENTS.get(event_type, event_type))


def role_text(role: str, words: Words) -> str:
    return words.gettext(ROLES.get(role, role))


def source_text(kind: str, words: Words) -> str:
    return words.gettext(SOURCES.get(kind, kind))


def failure(reason: str, words: Words) -> str:
    """Why a message did not go out, as part of a sentence that says that it did not."""
    plain = reason.removeprefix("Not delivered: ")
    if not plain:
        return words.gettext("no reason given")
    if plain.startswith(_REFUSED):
        return words.gettext("Telegram refused it: %(reason)s", reason=plain.removeprefix(_REFUSED))
    if plain.startswith(_MAIL_REFUSED):
        return words.gettext(
            "The mail server refused it: %(reason)s", reason=plain.removeprefix(_MAIL_REFUSED)
        )
    return words.gettext(plain)


def mail_kind(kind: str, words: Words) -> str:
    return words.gettext(MAIL_KINDS.get(kind, kind))


def refusal(reason: str, words: Words) -> str:
    return words.gettext(reason) if reason else words.gettext("it could not be fetched")


def tint(id: UUID | str) -> int:
    """One of eight colours. The last byte: the first ones of our ids are the time, the same for a whole list."""
    return UUID(str(id)).bytes[-1] % 8


def initials(name: str) -> str:
    """Two letters for an avatar: of the first two words, or the first two of one."""
    words = [word for word in name.split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + words[1][0] if len(words) > 1 else words[0][:2]).upper()


def script_lang(text: str) -> str:
    """The language of a short text without one of its own, by its alphabet."""
    return "ru" if any("а" <= letter.lower() <= "я" or letter in "ёЁ" for letter in text) else "en"


_DEAL_AMOUNT = re.compile(r"(\d+)(?:\.(\d+))? ([A-Z]{3})\b")


def evidence_quote(line: EvidenceLine, say: Words) -> str:
    """The words of a source as the reader writes amounts and stages: a deal is recorded as `8160.00 EUR, Proposal`."""
    if line.kind != "deal":
        return line.quote
    amount, _, stage = line.quote.partition(", ")
    said = _DEAL_AMOUNT.sub(lambda found: say.money(int(found[1] + (found[2] or "")), found[3]), amount)
    return f"{said}, {stage_text(stage, say)}" if stage else said


def evidence_href(line: EvidenceLine, conversation_id: UUID, folder: str) -> str:
    """Where a source can be read: in the thread, or in the panel, which has its own address on a phone."""
    here = f"/inbox/{conversation_id}?folder={'all' if folder == 'queue' else folder}"
    match line.kind:
        case "message" | "memory":
            return f"{here}#message-{line.source_id}"
        case "relationship":
            return f"{here}&pane=about#relationships"
        case "knowledge":
            return f"/knowledge/{line.source_id}?quote={quote(line.quote)}#quote"
        case kind:
            return f"{here}&pane=about#{kind}-{line.source_id}"


def handle_href(handle: Handle) -> str:
    schemes = {"email": "mailto:", "phone": "tel:", "telegram_username": "https://t.me/"}
    return schemes.get(handle.kind, "") + quote(handle.value, safe="@+.")


def handle_text(handle: Handle) -> str:
    return f"@{handle.value}" if handle.kind == "telegram_username" else handle.value


_TOLD: dict[str, dict[str, str]] = {
    "message": {"in": N_("%(who)s wrote"), "out": N_("%(who)s answered")},
    "note": {"": N_("%(who)s wrote a note")},
    "task": {"open": N_("%(who)s noted down a task"), "done": N_("%(who)s noted down a task, done by now")},
    "meeting": {
        "planned": N_("Meeting, planned"),
        "held": N_("Meeting, held"),
        "cancelled": N_("Meeting, cancelled"),
        "no_show": N_("Meeting, nobody came"),
    },
    "file": {"": N_("%(who)s added a file")},
    "suggestion": {
        "open": N_("%(who)s suggests a next step"),
        "accepted": N_("%(who)s suggested a next step, accepted by now"),
        "dismissed": N_("%(who)s suggested a next step, dismissed by now"),
        "expired": N_("%(who)s suggested a next step that is no longer needed"),
    },
}
_CHANGED = {
    "created": N_("%(who)s added this"),
    "updated": N_("%(who)s changed some fields"),
    "deleted": N_("%(who)s moved this to the trash"),
    "restored": N_("%(who)s restored this"),
    "merged": N_("%(who)s merged two records"),
    "closed": N_("%(who)s closed the deal"),
    "converted": N_("%(who)s made a deal of the lead"),
}


def timeline_text(item: Item, words: Words) -> str:
    """What happened, in a sentence."""
    who = item.actor_name or words.gettext("The system")
    if item.kind is ItemKind.STAGE:
        before, after = (stage_text(name or "", words) for name in [*item.stages, "", ""][:2])
        return words.gettext(
            "%(who)s moved it from %(before)s to %(after)s", who=who, before=before, after=after
        )
    if item.kind is ItemKind.CHANGE:
        pattern = _CHANGED.get(item.title.rpartition(".")[2], N_("%(who)s changed something"))
        return words.gettext(pattern, who=who)
    return words.gettext(_TOLD[item.kind.value][item.status], who=who)


AUTONOMY = {
    "observe": N_("Observe"),
    "suggest": N_("Suggest"),
    "assist": N_("Assist"),
    "autopilot": N_("Autopilot"),
}
AUTONOMY_LONG = {
    "observe": N_("It reads and reports; nothing is written or sent."),
    "suggest": N_("It drafts; a person decides about everything."),
    "assist": N_("It also keeps notes, tasks and stages by itself; a person sends."),
    "autopilot": N_("It also answers by itself what it has earned, within its limits."),
}
AGENTS = {
    "inbox": N_("Answers what comes in"),
    "copilot": N_("Helps colleagues"),
    "api": N_("Acts for programs with a key"),
    "follow_up": N_("Suggests next steps"),
    "memory_writer": N_("Remembers what was said"),
}


def autonomy_text(autonomy: str, words: Words) -> str:
    return words.gettext(AUTONOMY[autonomy])


def autonomy_long(autonomy: str, words: Words) -> str:
    return words.gettext(AUTONOMY_LONG[autonomy])


def agent_text(agent: str, words: Words) -> str:
    return words.gettext(AGENTS.get(agent, agent))


def intent_text(intent: str, words: Words) -> str:
    """A kind of message, as a lead calls it."""
    return words.gettext(INTENTS.get(intent, intent))


def incident_text(kind: str, words: Words) -> str:
    return words.gettext(INCIDENTS[kind])


def weekday_text(day: str, words: Words) -> str:
    """The short name of a weekday by its code, `mon` to `sun`."""
    return words.weekday_name(WEEKDAYS.index(day))


def seconds_text(seconds: float, words: Words) -> str:
    """A length of time in its largest unit."""
    if seconds < 60:
        return words.ngettext("%(num)s second", "%(num)s seconds", round(seconds))
    now = clock.now()
    return words.span(now - timedelta(seconds=seconds), now)


FILTERS = {
    "autonomy_text": autonomy_text,
    "autonomy_long": autonomy_long,
    "agent_text": agent_text,
    "intent_text": intent_text,
    "incident_text": incident_text,
    "weekday_text": weekday_text,
    "seconds_text": seconds_text,
    "timeline_text": timeline_text,
    "handoff": handoff,
    "flag_text": flag_text,
    "why_short": why_short,
    "why_long": why_long,
    "stage_text": stage_text,
    "source_text": source_text,
    "rule_text": rule_text,
    "role_text": role_text,
    "field_text": field_text,
    "kind_text": kind_text,
    "source_kind": source_kind,
    "new_text": new_text,
    "action_text": action_text,
    "event_text": event_text,
    "failure": failure,
    "refusal": refusal,
    "mail_kind": mail_kind,
    "document_refusal": document_refusal,
    "document_way_out": document_way_out,
    "citation": citation,
    "tint": tint,
    "initials": initials,
    "script_lang": script_lang,
    "evidence_href": evidence_href,
    "evidence_quote": evidence_quote,
    "handle_href": handle_href,
    "handle_text": handle_text,
}


ERROR_TITLES = {
    403: N_("This is not allowed"),
    404: N_("This page is not here"),
    409: N_("This is not possible now"),
    412: N_("This changed meanwhile"),
    413: N_("This is too large"),
    422: N_("Something in the form is missing or wrong"),
    429: N_("Too many requests"),
    503: N_("A server does not answer"),
}

ERROR_TEXTS = {
    403: N_("Reload the page and try again, or ask an administrator for the permission."),
    404: N_("It may have moved, or it belongs to another workspace."),
    409: N_("Reload the page to see how it stands now."),
    412: N_("Reload the page to see the newest version."),
    413: N_("Go back and send less at once."),
    422: N_("Go back, look at the fields and send it again."),
    429: N_("Wait a minute and try again."),
    503: N_("Nothing was lost. Try again in a moment."),
}


def error_title(status: int, words: Words) -> str:
    return words.gettext(ERROR_TITLES.get(status, N_("Something went wrong here")))


def error_text(status: int, words: Words) -> str:
    return words.gettext(ERROR_TEXTS.get(status, N_("It has been logged. Try again in a moment.")))
