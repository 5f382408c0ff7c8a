"""The events of a run folded into what it changed: one part for each thing, with the value of before and after."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from core.db import Tx
from crm.contacts.models import HandleKind
from crm.runs.traces import RunChange, list_run_changes
from events.ids import RunId

# What hangs on something else is taken back before it: a deal before the lead that it was made of, both before people.
_ORDER = (
    "draft", "message", "note", "task", "meeting", "fact", "deal", "lead", "contact", "company",
)  # fmt: skip
# Events that say what happened besides the change that another event, or a question, tells of.
_SILENT = frozenset({"run", "tool", "approval", "notification", "copilot", "suggestion", "promise"})
_FOLLOWING = frozenset({"conversation.assigned", "task.assigned", "deal.closed"})
_HANDLES = frozenset(HandleKind)
Pair = tuple[Any, Any]


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

    def note(self, happened: RunChange) -> None:
        """Add an event. What somebody else wrote between two writes of the run is what was there before the last."""
        self.types.append(happened.type)
        for name, before, after in _fields_of(happened):
            known = self.fields.get(name)
            self.fields[name] = (known[0] if known and known[1] == before else before, after)


def _fields_of(happened: RunChange) -> Iterator[tuple[str, Any, Any]]:
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
    for happened in await list_run_changes(tx, run_id):
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
