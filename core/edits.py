"""Changing some fields of a record: which ones are given, what differs, and the UPDATE that writes them."""

from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from typing import TYPE_CHECKING, Final

from psycopg import sql
from psycopg.types.json import Jsonb

from core.db import Literal

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class Keep(Enum):
    """The value of a field that an edit leaves as it is; None empties one."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP


def given(edit: "DataclassInstance") -> dict[str, object]:
    """The fields of an edit that have a new value."""
    values = ((field.name, getattr(edit, field.name)) for field in fields(edit))
    return {name: value for name, value in values if value is not KEEP}


def differences(record: object, new: Mapping[str, object]) -> dict[str, tuple[object, object]]:
    """Before and after of every field that really changes, as events keep them."""
    before = {name: getattr(record, name) for name in new}
    return {name: (before[name], value) for name, value in new.items() if before[name] != value}


def assignments(values: Mapping[str, object]) -> sql.Composable:
    """`name = value, ...` of an UPDATE; the names are fields of our own dataclasses, never a caller's."""
    return sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), Literal(Jsonb(value) if _is_json(value) else value))
        for name, value in values.items()
    )


def _is_json(value: object) -> bool:
    """Whether a value belongs into a jsonb column: an object, or a list of objects."""
    return isinstance(value, Mapping) or (
        isinstance(value, list) and any(isinstance(one, Mapping) for one in value)
    )
