"""The events of a run folded into what it changed: one part for each thing, with the value of before and after."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from core.db import Tx
from crm.contacts.models import HandleKind
from events.ids import RunId

# What hangs on something else is taken back before it: a deal before the lead that it was made of, both before people.
_ORDER = (
    "draft", "message", "note", "task", "meeting", "fact", "deal", "lead", "contact", "company",
)  # fmt: skip
# Events that say what happened besides the change that another event, or a question, tells of.
_SILENT = frozenset({"run", "tool", "approval", "notification", "copilot"})
_FOLLOWING = frozenset({"conversation.assigned", "task.assigned", "deal.closed"})
_HANDLES = frozenset(HandleKind)
Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Happened:
    """One event of a run."""

    type: str
    seq: int
    subject_kind: str
    subject_id: UUID
    name: str | None
    data: dict[str, Any]
    changes: dict[str, list[Any]]

    @property
    def noun(self) -> str:
        return self.type.removeprefix("ai.").partition(".")[0]

    @property
    def about(self) -> tuple[str, UUID]:
        """What it is about: a draft and a message have their place in the order of a conversation."""
        if self.noun in ("draft", "message") and f"{self.noun}_id" in self.data:
            return self.noun, UUID(self.data[f"{self.noun}_id"])
        return self.subject_kind, self.subject_id


@dataclass
class Part:
    """One thing that a run changed; `fields` holds what each held before the run and what the run left in it.

    Presence is a field too: `tag:VIP`, `handle:email:a@b.example`, `stakeholder:ID:buyer`, each from False to True.
    """

    kind: str
    id: UUID
    name: str
    is_new: bool
    first_seq: int
    types: list[str] = field(default_factory=list)
    fields: dict[str, Pair] = field(default_factory=dict)
    is_newer: bool = False

    def note(self, happened: Happened) -> None:
        """Add an event. What somebody else wrote between two writes of the run is what was there before the last."""
        self.types.append(happened.type)
        for name, before, after in _fields_of(happened):
            known = self.fields.get(name)
            self.fields[name] = (known[0] if known and known[1] == before else before, after)


def _fields_of(happened: Happened) -> Iterator[tuple[str, Any, Any]]:
    for name, pair in happened.changes.items():
        before, after = pair
        if name == "tag":
            yield f"tag:{before or after}", before is not None, after is not None
        elif happened.subject_kind == "contact" and name in _HANDLES:
            yield f"handle:{name}:{before or after}", before is not None, after is not None
        elif name.startswith("stakeholder "):
            role = before or after
            yield f"stakeholder:{name.partition(' ')[2]}:{role}", before is not None, after is not None
        elif name == "custom" and isinstance(before, Mapping) and isinstance(after, Mapping):
            for key in before.keys() | after.keys():
                if before.get(key) != after.get(key):
                    yield f"custom.{key}", before.get(key), after.get(key)
        else:
            yield name, before, after


async def read_parts(tx: Tx, run_id: RunId) -> list[Part]:
    """What a run changed, in the order in which it can be taken back."""
    parts: dict[tuple[str, UUID], Part] = {}
    for happened in await _list_happened(tx, run_id):
        if happened.noun in _SILENT or happened.type in _FOLLOWING:
            continue
        kind, id = happened.about
        if (kind, id) not in parts:
            is_new = happened.type.endswith((".created", ".generated")) or (
                kind == "fact" and happened.seq == 1
            )
            parts[kind, id] = Part(kind, id, happened.name or "", is_new, happened.seq)
        parts[kind, id].note(happened)
    for part in parts.values():
        part.is_newer = part.is_new and await _is_newer(tx, run_id, part)
    return sorted(parts.values(), key=lambda part: _ORDER.index(part.kind) if part.kind in _ORDER else -1)


async def _list_happened(tx: Tx, run_id: RunId) -> list[Happened]:
    return await tx.all(
        Happened,
        """
        SELECT e.type, e.seq, e.subject_kind, e.subject_id, e.data, coalesce(v.changes, '{}') AS changes,
               coalesce(c.name, o.name, d.name, lc.name, t.title, m.title, left(n.body, 120), left(f.text, 120),
                        left(g.body, 120)) AS name
          FROM events e
          LEFT JOIN event_changes v ON (v.organization_id, v.event_id) = (e.organization_id, e.id)
          LEFT JOIN contacts c ON e.subject_kind = 'contact' AND c.id = e.subject_id
          LEFT JOIN companies o ON e.subject_kind = 'company' AND o.id = e.subject_id
          LEFT JOIN deals d ON e.subject_kind = 'deal' AND d.id = e.subject_id
          LEFT JOIN leads l ON e.subject_kind = 'lead' AND l.id = e.subject_id
          LEFT JOIN contacts lc ON lc.id = l.contact_id
          LEFT JOIN tasks t ON e.subject_kind = 'task' AND t.id = e.subject_id
          LEFT JOIN meetings m ON e.subject_kind = 'meeting' AND m.id = e.subject_id
          LEFT JOIN notes n ON e.subject_kind = 'note' AND n.id = e.subject_id
          LEFT JOIN facts f ON e.subject_kind = 'fact' AND f.id = e.subject_id
          LEFT JOIN drafts g ON g.id = (e.data ->> 'draft_id')::uuid
         WHERE e.run_id = %(run_id)s
         ORDER BY e.id
        """,
        run_id=run_id,
    )


async def _is_newer(tx: Tx, run_id: RunId, part: Part) -> bool:
    """Whether anybody else has worked on what the run made; what the product notes by itself is no work."""
    found = await tx.value(
        """
        SELECT true
          FROM events e
         WHERE (e.subject_kind, e.subject_id) = (%(kind)s, %(id)s)
           AND e.seq > %(seq)s
           AND e.run_id IS DISTINCT FROM %(run_id)s
           AND (e.actor_kind <> 'system'
                OR EXISTS (SELECT FROM event_changes v
                            WHERE (v.organization_id, v.event_id) = (e.organization_id, e.id)))
         LIMIT 1
        """,
        kind=part.kind,
        id=part.id,
        seq=part.first_seq,
        run_id=run_id,
    )
    return found is not None
