"""What the pages of bulk edits show: fields to change, what would happen, what did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import JsonValue
from starlette.datastructures import FormData

from core.db import Tx
from crm.bulk.applying import ADDED, REMOVED, TRASHED, plain
from crm.bulk.kinds import KINDS
from crm.bulk.models import BulkEdit, BulkStatus, Changes, EditedRecord, Fate, Reason, RecordVerdict
from crm.bulk.queries import list_edited
from events.ids import RecordKind, TagId
from web import fields, links, values
from web.fields import Field, Opened
from web.i18n import Words
from web.phrases import N_
from web.refusals import in_words
from web.tables import TABLES

SHEETS = {
    RecordKind.CONTACT: fields.CONTACTS,
    RecordKind.COMPANY: fields.COMPANIES,
    RecordKind.LEAD: fields.LEADS,
    RecordKind.DEAL: fields.DEALS,
}
TITLES = {
    RecordKind.CONTACT: N_("Contacts"),
    RecordKind.COMPANY: N_("Companies"),
    RecordKind.LEAD: N_("Leads"),
    RecordKind.DEAL: N_("Deals"),
}
# Where the lists are.
PATHS = {table.kind: table.path for table in TABLES}
STATUSES = {
    BulkStatus.DRAFT: N_("Not said yet what changes"),
    BulkStatus.CHECKING: N_("Being tried"),
    BulkStatus.CHECKED: N_("Ready to run"),
    BulkStatus.RUNNING: N_("Running"),
    BulkStatus.CANCELLED: N_("Stopped"),
    BulkStatus.FAILED: N_("Failed"),
    BulkStatus.FINISHED: N_("Done"),
    BulkStatus.UNDOING: N_("Being undone"),
    BulkStatus.UNDONE: N_("Undone"),
}
REASONS = {
    Reason.GONE: N_("It is not there any more."),
    Reason.IN_TRASH: N_("It is in the trash. Restore it first."),
    Reason.CHANGED_SINCE: N_("Somebody has changed it since."),
    Reason.FORBIDDEN: N_("Whoever runs this may not change it."),
}
SHOWN = 25


@dataclass(frozen=True)
class Shown:
    """A record of an edit as its page lists it; `changes` are (field, before, after), `said` is why it was refused."""

    label: str
    href: str
    changes: list[tuple[str, str, str]]
    said: str


async def load_form(tx: Tx, kind: RecordKind, words: Words) -> tuple[Opened, list[Field]]:
    """The fields that can be changed in many records of a kind."""
    opened = await fields.open_sheet(tx, SHEETS[kind], words)
    names = [*KINDS[kind].fields, *opened.names.fields]
    return opened, [await fields.load_field(tx, opened, None, name) for name in names]


async def read_form(
    tx: Tx, opened: Opened, shown: Sequence[Field], form: FormData
) -> tuple[Changes, list[Field]]:
    """What a form says is to change, and its fields again with what was typed and what is wrong with it."""
    wanted = {str(name) for name in form.getlist("change")}
    new: dict[str, JsonValue] = {}
    again = []
    for field in shown:
        if field.name not in wanted:
            again.append(field)
            continue
        typed = await fields.read_typed(tx, opened, field, form, None)
        new[field.name] = plain(typed.value)
        again.append(fields.refused(field, typed))
    fate = Fate.TRASH if form.get("fate") == Fate.TRASH else None
    return Changes(new, _tags(form, "add_tag"), _tags(form, "remove_tag"), fate), again


def _tags(form: FormData, name: str) -> tuple[TagId, ...]:
    return tuple(TagId(UUID(one)) for one in form.getlist(name) if isinstance(one, str) and one)


async def load_records(
    tx: Tx, edit: BulkEdit, opened: Opened, verdicts: Sequence[RecordVerdict], after: int = 0
) -> tuple[list[Shown], int]:
    """Some records of an edit with what becomes of them, and behind which position there are more."""
    found = await list_edited(tx, edit.id, verdicts, after=after, limit=SHOWN + 1)
    page = found[:SHOWN]
    called = await _names_of(tx, opened, page)
    shown = [
        Shown(
            one.label or str(one.record_id),
            f"{links.PATHS[edit.record_kind]}/{one.record_id}" if one.label else "",
            _changes(opened, one.changes, called),
            _said(one, opened.words),
        )
        for one in page
    ]
    return shown, page[-1].position if len(found) > SHOWN else 0


async def _names_of(tx: Tx, opened: Opened, page: Sequence[EditedRecord]) -> Mapping[str, str]:
    """What other records are called that fields lead to, by id."""
    ids = {
        (target, str(value))
        for one in page
        for name, pair in one.changes.items()
        if name in opened.columns and (target := opened.target(name))
        for value in pair
        if value
    }
    return {id: await links.name_of(tx, target, UUID(id)) for target, id in ids}


def _changes(
    opened: Opened, changes: Mapping[str, list[JsonValue]], called: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    words = opened.words
    told = []
    for name, pair in changes.items():
        if name in (ADDED, REMOVED):
            tags = ", ".join(_tag_name(opened, tag) for tag in pair)
            label = words.gettext("Tags")
            told.append((label, "", f"+ {tags}") if name == ADDED else (label, tags, ""))
        elif name == TRASHED:
            there, trash = words.gettext("in the list"), words.gettext("in the trash")
            told.append((words.gettext("Place"), *((there, trash) if pair[1] else (trash, there))))
        elif name in opened.columns:
            before, after = (_text(opened, name, value, called) for value in pair)
            told.append((values.label(name, opened.names, words), before, after))
    return told


def _tag_name(opened: Opened, tag: JsonValue) -> str:
    known = opened.names.tags.get(str(tag))
    return known.name if known else opened.words.gettext("a tag that is gone")


def _text(opened: Opened, name: str, value: JsonValue, called: Mapping[str, str]) -> str:
    if opened.target(name):
        return called.get(str(value), "") if value else ""
    return values.text_of(value, opened.columns[name], opened.names, opened.words)


def _said(one: EditedRecord, words: Words) -> str:
    if one.reason is None:
        return ""
    return words.gettext(REASONS[one.reason]) if one.reason in REASONS else in_words(one.detail, words)
