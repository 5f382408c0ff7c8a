"""Numbers everything a reply may rest on: the messages of the thread, and what tools returned."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from agents.context import Line, Thread
from agents.inbox import relations
from agents.inbox.contract import Case, CaseContact, CaseMessage
from agents.inbox.items import Item
from core import clock
from core.money import format_amount
from core.trust import Trust
from crm.drafts.models import EvidenceKind


def thread_items(thread: Thread) -> list[Item]:
    """The messages, the burst first, numbered from 1."""
    return [
        Item(
            n,
            EvidenceKind.MESSAGE,
            line.id,
            "" if line.is_ours else thread.contact.name,
            line.text or ", ".join(line.files),
            Trust.CONFIRMED if line.is_ours else Trust.UNTRUSTED,
            line.at,
        )
        for n, line in enumerate((*thread.burst, *thread.history), start=1)
    ]


def case_of(thread: Thread, feedback: str, items: list[Item]) -> Case:
    """What a model is shown."""
    burst = len(thread.burst)
    return Case(
        now=clock.now(),
        contact=CaseContact(
            id=str(thread.contact.id),
            company_id=str(thread.contact.company_id or ""),
            name=thread.contact.name,
            language=thread.contact.language,
            title=thread.contact.title,
            company=thread.company,
        ),
        new_messages=tuple(_shown(n, line) for n, line in enumerate(thread.burst, start=1)),
        history=tuple(_shown(n, line) for n, line in enumerate(thread.history, start=burst + 1)),
        evidence=tuple(item.shown() for item in items if not item.is_message),
        feedback=feedback,
    )


def _shown(n: int, line: Line) -> CaseMessage:
    return CaseMessage(
        n=n, author="us" if line.is_ours else "contact", text=line.text, at=line.at, files=line.files
    )


class _Source(BaseModel):
    model_config = ConfigDict(extra="ignore")

    kind: EvidenceKind
    id: UUID
    trust: Trust = Trust.CONFIRMED


def tool_items(content: JsonValue, first: int) -> list[Item]:
    """Every record with a source and every relation in what a tool returned, numbered from `first`."""
    found: list[Item] = []
    for part in _parts(content):
        if "edges" in part:
            found += relations.relation_items(part, first + len(found))
        elif (source := _source(part.get("source"))) is not None:
            found.append(_item(first + len(found), part, source))
    return found


def _item(n: int, record: dict[str, JsonValue], source: _Source) -> Item:
    details = _details(record)
    label, text = _words(source.kind, details)
    at = _time(details.get("occurred_at") or details.get("updated_at") or details.get("recorded_at"))
    return Item(n, source.kind, source.id, label, text, source.trust, at, details)


def _parts(content: JsonValue) -> Iterator[dict[str, JsonValue]]:
    """The objects of a result, from the outside in; what a graph answer holds belongs to it."""
    if isinstance(content, list):
        for value in content:
            yield from _parts(value)
    elif isinstance(content, dict):
        yield content
        if "edges" not in content:
            for value in content.values():
                yield from _parts(value)


def _source(value: JsonValue | None) -> _Source | None:
    """The source of a record, or None for one that evidence cannot name."""
    try:
        return _Source.model_validate(value)
    except ValidationError:
        return None


def _details(record: dict[str, JsonValue]) -> dict[str, str]:
    return {
        key: str(value)
        for key, value in record.items()
        if isinstance(value, str | int | float | bool) and value not in ("", None)
    }


def _words(kind: EvidenceKind, details: dict[str, str]) -> tuple[str, str]:
    """How people call a record, and what it says."""
    name = details.get("name", "")
    match kind:
        case EvidenceKind.DEAL:
            amount, currency = int(details.get("amount_minor", "0")), details.get("currency", "")
            parts = [
                f"{format_amount(amount, currency)} {currency}" if amount else "",
                details.get("stage", ""),
            ]
            return name, ", ".join(part for part in parts if part)
        case EvidenceKind.FACT:
            return details.get("source_label") or details.get("predicate", ""), details.get("text", "")
        case EvidenceKind.COMPANY:
            return name, details.get("about", "")
        case EvidenceKind.CONTACT:
            return name, details.get("title", "")
        case EvidenceKind.TASK:
            return details.get("title", ""), details.get("due_at", "")
        case EvidenceKind.MESSAGE:
            return details.get("author", ""), details.get("text", "")
        case EvidenceKind.RELATIONSHIP | EvidenceKind.KNOWLEDGE | EvidenceKind.MEMORY:
            return details.get("label", ""), details.get("text", "")


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
