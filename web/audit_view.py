"""What the page of the audit shows: entries in words, what each changed, and whether the record of it is whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from core.db import Tx
from core.principal import SYSTEM_ID, Via
from crm.audit.models import Entry, EntryFilter, Verification
from crm.audit.verifying import Fault
from crm.runs.traces import find_names
from web.happenings import door, happening
from web.i18n import Words
from web.phrases import N_
from web.run_details import Difference, difference, ids_in, place_of

BY_ITSELF = "itself"
_FAULTS: Mapping[Fault, str] = {
    Fault.EVENT_DELETED: N_("the entry was deleted"),
    Fault.EVENT_CHANGED: N_("the entry, its link or its place is not what was sealed"),
    Fault.EVENT_INSERTED: N_("an entry was put in past the product"),
    Fault.LINK_DELETED: N_("the link is missing"),
    Fault.VALUES_CHANGED: N_("the values are not those that were sealed"),
    Fault.VALUES_DELETED: N_("values were taken away, and by no erasure"),
    Fault.VALUES_INSERTED: N_("values were put in that were not there"),
    Fault.CHAIN_CUT: N_("the chain ends too early: the files outside the database know of more"),
    Fault.CHAIN_REWRITTEN: N_("the chain is not the one that the files outside the database know"),
    Fault.ANCHOR_CHANGED: N_("a file outside the database is not what was written"),
    Fault.ANCHORS_DELETED: N_("the files outside the database are missing from here on"),
    Fault.OTHER_KEY: N_("the chain was sealed with another key"),
    Fault.NOT_DONE: N_("the check did not come to an end"),
}


@dataclass(frozen=True)
class Asked:
    """What the reader filters by, as the address of the page has it; times are days in the reader's zone."""

    who: UUID | None = None
    type: str = ""
    subject_kind: str = ""
    subject_id: UUID | None = None
    run_id: UUID | None = None
    via: str = ""
    since: date | None = None
    until: date | None = None

    def wanted(self, words: Words) -> EntryFilter:
        """`until` is a day that still belongs to it."""
        last = self.until + timedelta(days=1) if self.until else None
        return EntryFilter(
            self.who,
            self.type or None,
            self.subject_kind or None,
            self.subject_id,
            self.run_id,
            Via(self.via) if self.via in list(Via) else None,
            True if self.via == BY_ITSELF else None,
            _morning(self.since, words),
            _morning(last, words),
        )

    @property
    def query(self) -> str:
        return urlencode({name: str(value) for name, value in vars(self).items() if value})


def _morning(day: date | None, words: Words) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=words.zone) if day else None


@dataclass(frozen=True)
class Line:
    """One entry as the page shows it; `href` leads to what it is about."""

    entry: Entry
    what: str
    who: str
    href: str
    where: str
    differences: Sequence[Difference]


async def lines_of(tx: Tx, entries: Sequence[Entry], words: Words) -> list[Line]:
    """The entries of one page, with the names of what their values name."""
    named = await find_names(
        tx, ids_in(value for entry in entries for pair in entry.changes.values() for value in pair)
    )
    return [_line(entry, named, words) for entry in entries]


def _line(entry: Entry, names: Mapping[str, str], words: Words) -> Line:
    return Line(
        entry,
        happening(entry.type, words),
        who(entry, words),
        f"/runs/{entry.subject_id}"
        if entry.subject_kind == "run"
        else place_of(entry.subject_kind, entry.subject_id),
        ", ".join(part for part in (door(entry.via, words), entry.credential_name, entry.address) if part),
        [difference(name, pair, names, words) for name, pair in entry.changes.items()],
    )


def who(entry: Entry, words: Words) -> str:
    """Who did it, and who answers for them."""
    if entry.actor_id == SYSTEM_ID:
        return words.gettext("The system")
    name = entry.actor_name or words.gettext("Somebody who is gone")
    if entry.responsible_name:
        return words.gettext("%(agent)s for %(person)s", agent=name, person=entry.responsible_name)
    return name


def verdict_text(verification: Verification, words: Words) -> str:
    """What a walk over the chain found, in a sentence."""
    if verification.ended_at is None:
        return words.gettext("The record is being checked.")
    if verification.fault is None:
        return words.ngettext(
            "Whole: %(count)s entry is as it was sealed.",
            "Whole: all %(count)s entries are as they were sealed.",
            verification.sealed,
            count=words.number(verification.sealed),
        )
    fault = words.gettext(_FAULTS[verification.fault])
    if verification.position is not None:
        return words.gettext(
            "Broken at place %(place)s: %(fault)s.", place=words.number(verification.position), fault=fault
        )
    return words.gettext("Broken: %(fault)s.", fault=fault)
