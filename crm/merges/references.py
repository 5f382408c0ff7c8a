"""Every place that names a contact or a company: what a merge moves, on one page.

A test compares this page with every column of the database that holds ids, so that a new one cannot be forgotten.
The order matters: what is written first is put back last.
"""

from dataclasses import dataclass

from crm.merges.models import Values
from events.ids import RecordKind


@dataclass(frozen=True)
class Clash:
    """Two rows that would be one after the move: equal in the columns of `same`, both of them `open`.

    The row of the record that is put away is removed, or changed as `settle` says.
    """

    same: tuple[str, ...] = ()
    open: str = "true"
    settle: Values | None = None


@dataclass(frozen=True)
class Reference:
    """A column that names the record; `kind_column` stands beside it where it may name one of another kind."""

    table: str
    column: str
    kind_column: str = ""
    key: tuple[str, ...] = ("id",)
    clash: Clash | None = None


@dataclass(frozen=True)
class Mention:
    """A JSON column in which an id may stand; `custom_of` says that it holds the custom fields of such records."""

    table: str
    column: str
    custom_of: RecordKind | None = None


@dataclass(frozen=True)
class Subject:
    """A kind of record that can be merged; `fields` are those that somebody chooses between."""

    kind: RecordKind
    table: str
    fields: tuple[str, ...]
    references: tuple[Reference, ...]


_OPEN_FACT = "valid_to IS NULL AND retracted_at IS NULL AND object_id IS NOT NULL"
# A relation that both have is stated once; the other statement is taken back at the time of the merge.
_SUBJECT = Clash(("predicate", "object_id"), _OPEN_FACT, {"retracted_at": "now"})
_OBJECT = Clash(("predicate", "subject_id"), _OPEN_FACT, {"retracted_at": "now"})

_EVERYWHERE = (
    Reference("facts", "subject_id", "subject_kind", clash=_SUBJECT),
    Reference("facts", "object_id", "object_kind", clash=_OBJECT),
    Reference(
        "record_tags",
        "record_id",
        "record_kind",
        ("record_kind", "record_id", "tag_id"),
        Clash(("tag_id",)),
    ),
    Reference("external_ids", "record_id", "record_kind", ("record_kind", "source", "external_id")),
    Reference("notes", "record_id", "record_kind"),
    Reference("tasks", "record_id", "record_kind"),
    Reference("meetings", "record_id", "record_kind"),
    Reference("files", "record_id", "record_kind"),
    Reference("draft_evidence", "source_id", "kind", ("draft_id", "position")),
    Reference(
        "suggestions",
        "record_id",
        "record_kind",
        clash=Clash(
            ("kind",), "decided_at IS NULL AND promise_id IS NULL", {"status": "expired", "decided_at": "now"}
        ),
    ),
)

MENTIONS = (
    Mention("segments", "filter"),
    Mention("views", "filter"),
    Mention("contacts", "custom", RecordKind.CONTACT),
    Mention("companies", "custom", RecordKind.COMPANY),
    Mention("deals", "custom", RecordKind.DEAL),
)

# Whoever has read such a row has not seen the move, so their edit is refused. A draft is not among them: its version
# says which text was approved, and a merge changes no text.
VERSIONED = frozenset(
    {"contacts", "companies", "deals", "leads", "notes", "tasks", "meetings", "segments", "views"}
)

CONTACT = Subject(
    RecordKind.CONTACT,
    "contacts",
    ("name", "title", "company_id", "language", "time_zone", "note", "owner_id", "bidi_id"),
    (
        Reference(
            "contact_handles", "contact_id", clash=Clash(("kind",), "is_primary", {"is_primary": False})
        ),
        Reference("contact_consents", "contact_id"),
        Reference("conversations", "contact_id"),
        Reference("drafts", "contact_id"),
        Reference("deals", "contact_id"),
        Reference(
            "deal_stakeholders",
            "contact_id",
            key=("deal_id", "contact_id", "role"),
            clash=Clash(("deal_id", "role")),
        ),
        # A person is in a pipeline once: the second lead goes to the trash.
        Reference(
            "leads",
            "contact_id",
            clash=Clash(("pipeline_id",), "deleted_at IS NULL", {"deleted_at": "now"}),
        ),
        Reference(
            "meeting_contacts", "contact_id", key=("meeting_id", "contact_id"), clash=Clash(("meeting_id",))
        ),
        Reference("memories", "contact_id"),
        *_EVERYWHERE,
    ),
)
COMPANY = Subject(
    RecordKind.COMPANY,
    "companies",
    ("name", "domain", "city", "country", "industry", "phone", "employees", "about", "owner_id"),
    (
        Reference("contacts", "company_id"),
        Reference("deals", "company_id"),
        *_EVERYWHERE,
    ),
)
SUBJECTS = {subject.kind: subject for subject in (CONTACT, COMPANY)}

# Columns that name a record and stay with it, each with the reason.
NOT_MOVED = {
    ("contacts", "merged_into_id"): "says where a record went; a chain of merges is followed, not shortened",
    ("companies", "merged_into_id"): "says where a record went; a chain of merges is followed, not shortened",
    ("contact_matches", "contact_id"): "pairs of the record that is put away are set aside by the merge",
    (
        "contact_matches",
        "other_contact_id",
    ): "pairs of the record that is put away are set aside by the merge",
    ("contact_match_keys", "contact_id"): "made anew from the record",
    ("company_matches", "company_id"): "pairs of the record that is put away are set aside by the merge",
    (
        "company_matches",
        "other_company_id",
    ): "pairs of the record that is put away are set aside by the merge",
    ("company_match_keys", "company_id"): "made anew from the record",
    ("match_sweeps", "after_id"): "how far a look at all records has come",
    ("merges", "kept_id"): "the journal",
    ("merges", "merged_id"): "the journal",
    ("copilot_questions", "about_id"): "beside which record a question was asked; its page leads on",
    ("privacy_requests", "contact_id"): "about whom somebody asked; a merged contact leads on",
    ("privacy_requests", "contact_ids"): "who belonged to the person when it was looked for",
    ("messages", "author_id"): "who wrote it then; the conversation says who that is now",
    ("events", "subject_id"): "what happened is never rewritten; it happened to that record",
    ("event_subjects", "id"): "the order of a record's own events",
    ("event_deliveries", "subject_id"): "work in flight about that record",
    ("import_records", "record_id"): "which records an import made; they are still there",
    ("bulk_edit_records", "record_id"): "which records a bulk edit changed; they are still there",
    ("import_rows", "record_id"): "what became of a row of a file",
    ("search_entries", "record_id"): "made anew from the record",
    ("search_postings", "record_id"): "made anew from the record",
    ("graph_nodes", "id"): "made anew from the record",
    ("graph_edges", "src"): "made anew from facts",
    ("graph_edges", "dst"): "made anew from facts",
}
