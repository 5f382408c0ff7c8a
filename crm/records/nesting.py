"""Segments inside filters: what each of them keeps, and whether they end somewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from pydantic import JsonValue

from core.db import Tx
from core.errors import Unprocessable
from core.filters import MAX_DEPTH, Filter, ValueKind, conditions_of, parse_filter
from events.ids import RecordKind, SegmentId

# A hundred conditions in each of eight levels could name a hundred segments each; a list has to stay fast.
MOST_CONDITIONS = 400


@dataclass(frozen=True)
class _Kept:
    id: UUID
    name: str
    record_kind: RecordKind
    filter: JsonValue
    is_removed: bool


@dataclass
class Nest:
    """The segments that a filter of one kind of record leads to, each read once."""

    tx: Tx
    kind: RecordKind
    kinds: Mapping[str, ValueKind]
    me: UUID | None
    _read: dict[UUID, Filter] = field(default_factory=dict)
    _names: dict[UUID, str] = field(default_factory=dict)

    async def filters_in(self, kept: Filter, within: SegmentId | None) -> Mapping[UUID, Filter]:
        """The filter of every segment that this one names, and of those that they name, by id.

        Raises: Unprocessable, naming the segment that cannot be read, is gone, or leads back to itself.
        """
        wanted = _named(kept)
        while wanted:
            for one in await self._load(wanted):
                self._read[one.id] = self._parsed(one)
            wanted = {id for id in wanted for id in _named(self._read[id])} - self._read.keys()
        counts: dict[UUID, int] = {}
        if self._count(kept, (within,) if within else (), counts) > MOST_CONDITIONS:
            raise _refusal(
                f"With its segments the filter has more than {MOST_CONDITIONS} conditions; split it."
            )
        return self._read

    async def _load(self, wanted: set[UUID]) -> list[_Kept]:
        found = await self.tx.all(
            _Kept,
            """
            SELECT id, name, record_kind, filter, deleted_at IS NOT NULL AS is_removed
              FROM segments
             WHERE id = ANY(%(ids)s)
            """,
            ids=list(wanted),
        )
        for one in found:
            if one.is_removed:
                raise _refusal(
                    f"The segment {one.name} was removed; bring it back, or take it out of the filter."
                )
            if one.record_kind is not self.kind:
                raise _refusal(
                    f"The segment {one.name} is of another kind of record; choose one of this list."
                )
        missing = wanted - {one.id for one in found}
        if missing:
            raise _refusal(f"There is no segment {min(missing, key=str)}; choose one that is there.")
        self._names |= {one.id: one.name for one in found}
        return found

    def _parsed(self, one: _Kept) -> Filter:
        try:
            return parse_filter(one.filter, self.kinds, me=self.me)
        except Unprocessable as err:
            raise Unprocessable(f"The segment {one.name} cannot be read. {err.detail}", **err.fields) from err

    def _count(self, kept: Filter, path: Sequence[UUID], counts: dict[UUID, int]) -> int:
        """How many conditions a filter has with those of its segments, which `path` leads to."""
        if len(path) > MAX_DEPTH:
            raise _refusal(
                f"Segments lead into each other deeper than {MAX_DEPTH} levels; make them flatter."
            )
        total = 0
        for condition in conditions_of(kept):
            total += 1
            for id in _ids(condition.values) if self.kinds[condition.field] is ValueKind.SEGMENT else ():
                if id in path:
                    raise self._circle(id, path)
                if id not in counts:
                    counts[id] = self._count(self._read[id], (*path, id), counts)
                total += counts[id]
        return total

    def _circle(self, id: UUID, path: Sequence[UUID]) -> Unprocessable:
        others = [self._names.get(one, "") for one in path[path.index(id) + 1 :]]
        if not others:
            return _refusal("The segment would be in itself; take it out.")
        return _refusal(
            f"The segment would be in itself by way of {', '.join(others)}; take one of them out."
        )


def _named(kept: Filter) -> set[UUID]:
    return {
        id
        for condition in conditions_of(kept)
        if condition.field == "segment"
        for id in _ids(condition.values)
    }


def _ids(values: Sequence[object]) -> list[UUID]:
    return [value for value in values if isinstance(value, UUID)]


def _refusal(detail: str) -> Unprocessable:
    return Unprocessable(detail, field="segment")
