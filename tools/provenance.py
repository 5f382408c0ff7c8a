"""Where the values of a call come from: what the run has read, word by word, and how far each text may be believed."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from core import hidden
from core.db import Tx
from core.trust import Trust
from crm.contacts.queries import get_contact
from crm.conversations.models import Direction
from crm.conversations.queries import get_conversation, list_attachments, list_messages
from crm.runs.tool_calls import list_tool_calls
from tools.base import RunContext

UNTRUSTED, UNSOURCED, HIDDEN = "untrusted_value", "unsourced_value", "hidden_text"
THREAD = 60
_WORDS = re.compile(r"\S+")
_PHRASE = 3
_QUOTE = 160


@dataclass(frozen=True)
class Heard:
    """A text that the run has read, without what hides in it; `text` is how it is compared."""

    kind: str
    id: UUID | None
    trust: Trust
    plain: str

    @property
    def text(self) -> str:
        return self.plain.replace("\n", " ").casefold()

    @property
    def is_trusted(self) -> bool:
        return self.trust is Trust.CONFIRMED


@dataclass(frozen=True)
class ValueMark:
    """A value of the arguments at `path` that a person should look at, the text that says it, and around it `quote`."""

    kind: str
    path: str
    value: str
    source_kind: str = ""
    source_id: str = ""
    quote: str = ""


async def heard_by(tx: Tx, ctx: RunContext, untrusted_tools: Sequence[str]) -> list[Heard]:
    """Everything that the run has read until now: its thread, what its tools returned, what a colleague asked for."""
    heard = await _thread(tx, ctx)
    for call in await list_tool_calls(tx, ctx.run_id):
        if call.status == "done":
            trust = Trust.UNTRUSTED if call.tool in untrusted_tools else Trust.CONFIRMED
            heard += _returned(call.result, Heard(call.tool, call.id, trust, ""))
        elif call.error:
            heard.append(Heard(call.tool, call.id, Trust.UNTRUSTED, _plain(call.error)))
    words = (ctx.run.feedback, ctx.asked)
    heard += [Heard("colleague", None, Trust.CONFIRMED, _plain(text)) for text in words if text]
    return heard


async def _thread(tx: Tx, ctx: RunContext) -> list[Heard]:
    if ctx.conversation_id is None:
        return []
    conversation = await get_conversation(tx, ctx.conversation_id)
    contact = await get_contact(tx, conversation.contact_id)
    heard = [Heard("contact", contact.id, Trust.UNTRUSTED, _plain(contact.name))]
    messages = await list_messages(tx, conversation.id, last=THREAD)
    for message in messages:
        trust = Trust.UNTRUSTED if message.direction is Direction.IN else Trust.CONFIRMED
        heard.append(Heard("message", message.id, trust, _plain(message.body)))
    attachments = await list_attachments(tx, [UUID(str(message.id)) for message in messages])
    heard += [Heard("message", file.message_id, Trust.UNTRUSTED, _plain(file.name)) for file in attachments]
    return heard


def _returned(value: JsonValue, inside: Heard) -> Iterator[Heard]:
    """The texts of a result; a part that names its source is as trustworthy as that says."""
    match value:
        case dict():
            inside = _sourced(value, inside)
            for name, item in value.items():
                if name != "source":
                    yield from _returned(item, inside)
        case list():
            for item in value:
                yield from _returned(item, inside)
        case str() | int() | float() if not isinstance(value, bool):
            yield Heard(inside.kind, inside.id, inside.trust, _plain(str(value)))
        case _:
            return


def _sourced(value: dict[str, Any], inside: Heard) -> Heard:
    match value.get("source"):
        case {"kind": str(kind), "id": str(id), "trust": str(trust)}:
            return Heard(kind, UUID(id), Trust(trust), "")
        case _:
            return inside


def marks_of(arguments: dict[str, JsonValue], heard: Sequence[Heard], *, is_tainted: bool) -> list[ValueMark]:
    """Every value that a person should look at before this call is made, each once.

    What somebody trusted says needs no mark. A run that has read nothing from outside made the rest up itself, or was
    told it; nothing from outside can have put it there.
    """
    marks: list[ValueMark] = []
    for path, value in _leaves(arguments):
        marks += [ValueMark(HIDDEN, path, hidden.shown(text)) for text in hidden.findings(str(value))]
        if is_tainted:
            marks += _traced(path, value, heard)
    return list(dict.fromkeys(marks))


def as_rows(marks: Iterable[ValueMark]) -> tuple[dict[str, object], ...]:
    return tuple(asdict(mark) for mark in marks)


def _leaves(value: JsonValue, path: str = "") -> Iterator[tuple[str, str | int | float]]:
    match value:
        case dict():
            for name, item in value.items():
                yield from _leaves(item, f"{path}.{name}" if path else name)
        case list():
            for number, item in enumerate(value):
                yield from _leaves(item, f"{path}.{number}")
        case bool() | None:
            return
        case _:
            if str(value).strip():
                yield path, value


def _traced(path: str, value: str | int | float, heard: Sequence[Heard]) -> list[ValueMark]:
    """One value: whole, as an amount, or by the phrases in it, in what was read."""
    spellings = _spellings(path, value)
    holders = [one for one in heard if any(_says(one.text, spelling) for spelling in spellings)]
    if any(one.is_trusted for one in holders):
        return []
    if holders:
        return [_mark(path, str(value), holders[0], spellings)]
    if _is_id(value):
        return [ValueMark(UNSOURCED, path, str(value))]
    phrases = _phrases(path, str(value), heard)
    return phrases or [ValueMark(UNSOURCED, path, str(value)[:_QUOTE])]


def _spellings(path: str, value: str | int | float) -> tuple[str, ...]:
    """How a text may write the value: an amount in cents is named in whole units."""
    if not isinstance(value, str):
        whole = [str(value)]
        if path.endswith("_minor") and isinstance(value, int):
            whole.append(str(value // 100) if value % 100 == 0 else f"{value / 100:.2f}")
        return tuple(whole)
    return (_fold(value),)


def _says(text: str, spelling: str) -> bool:
    """Whether the text has exactly this, not as a part of a longer word or number."""
    if spelling.replace(".", "").isdigit():
        text = re.sub(r"(?<=\d)[ ,.'](?=\d{3}\b)", "", text)
    return bool(spelling) and bool(re.search(rf"(?<!\w){re.escape(spelling)}(?!\w)", text))


def _phrases(path: str, value: str, heard: Sequence[Heard]) -> list[ValueMark]:
    """The longest runs of words that only text from outside says: three words, or one that tells by itself."""
    words = [match.group() for match in _WORDS.finditer(value)]
    trusted = [one.text for one in heard if one.is_trusted]
    outside = [one for one in heard if not one.is_trusted]
    marks: list[ValueMark] = []
    start = 0
    while start < len(words):
        end, holder = _longest(words, start, outside)
        phrase = " ".join(words[start:end])
        tells = end - start >= _PHRASE or (end > start and _is_telling(phrase))
        if holder and tells and not any(_says(text, _trimmed(phrase)) for text in trusted):
            marks.append(_mark(path, phrase, holder, (_trimmed(phrase),)))
        start = max(end, start + 1)
    return marks


def _longest(words: list[str], start: int, outside: Sequence[Heard]) -> tuple[int, Heard | None]:
    end, holder = start, None
    while end < len(words):
        phrase = _trimmed(" ".join(words[start : end + 1]))
        found = next((one for one in outside if _says(one.text, phrase)), None)
        if found is None:
            break
        end, holder = end + 1, found
    return end, holder


def _trimmed(phrase: str) -> str:
    return _fold(phrase).strip(".,;:!?()[]\"'«»“”")


def _is_telling(phrase: str) -> bool:
    """An address, a link or a number says something by itself, an ordinary word does not."""
    return any(sign in phrase for sign in ("@", "://", "www.")) or sum(map(str.isdigit, phrase)) >= 2


def _is_id(value: object) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True


def _mark(path: str, value: str, holder: Heard, spellings: Sequence[str]) -> ValueMark:
    at = max((holder.text.find(spelling) for spelling in spellings), default=0)
    start = max(0, at - _QUOTE // 3)
    quote = holder.plain[start : start + _QUOTE].replace("\n", " ").strip()
    return ValueMark(UNTRUSTED, path, value[:500], holder.kind, str(holder.id or ""), quote)


def _plain(text: str) -> str:
    """One spelling of each letter, no hidden characters, single spaces.

    Lines stay lines: a price at the end of one and the number that begins the next are two figures.
    """
    lines = hidden.without(unicodedata.normalize("NFKC", text)).splitlines()
    return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)


def _fold(text: str) -> str:
    return " ".join(_plain(text).split()).casefold()
