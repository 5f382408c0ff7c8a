"""What a table import is told, what its rows become, and what is said about those that do not come in."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Self
from uuid import UUID

from core.tables.models import Layout, Row, Survey
from crm.imports.models import ImportStatus
from events.ids import ImportId, RecordKind, UserId

IMPORTABLE = (RecordKind.CONTACT, RecordKind.COMPANY, RecordKind.LEAD, RecordKind.DEAL)

# Records that stand in a stage of a pipeline.
STAGED = (RecordKind.LEAD, RecordKind.DEAL)


class Source(StrEnum):
    """Where a table was exported; told by its headers."""

    GENERIC = "generic"
    GETSALE = "getsale"
    HUBSPOT = "hubspot"
    PIPEDRIVE = "pipedrive"
    AMOCRM = "amocrm"
    BITRIX24 = "bitrix24"


class Duplicates(StrEnum):
    """What happens to a row whose record is there already."""

    SKIP = "skip"
    FILL = "fill"  # only fields that are empty
    OVERWRITE = "overwrite"


class Verdict(StrEnum):
    """What became of a row, or would become of it."""

    MADE = "made"
    UPDATED = "updated"
    SKIPPED = "skipped"  # its record is there already
    REFUSED = "refused"


class Why(StrEnum):
    """Why a cell or a row is not taken as it is; pages say each in the reader's language."""

    NO_NAME = "no_name"
    BAD_EMAIL = "bad_email"
    BAD_PHONE = "bad_phone"
    BAD_TELEGRAM = "bad_telegram"
    BAD_DOMAIN = "bad_domain"
    BAD_NUMBER = "bad_number"
    BAD_MONEY = "bad_money"
    BAD_CURRENCY = "bad_currency"
    BAD_DATE = "bad_date"
    BAD_BOOLEAN = "bad_boolean"
    TOO_LONG = "too_long"
    TOO_MANY_CELLS = "too_many_cells"
    UNKNOWN_OWNER = "unknown_owner"
    UNKNOWN_STAGE = "unknown_stage"
    UNKNOWN_CHOICE = "unknown_choice"
    UNKNOWN_CONTACT = "unknown_contact"
    SEVERAL_PEOPLE = "several_people"
    UNKNOWN_RECORD = "unknown_record"
    SEVERAL_RECORDS = "several_records"
    SAME_EMAIL = "same_email"
    SAME_PHONE = "same_phone"
    SAME_TELEGRAM = "same_telegram"
    SAME_DOMAIN = "same_domain"
    SAME_NAME = "same_name"
    SAME_LEAD = "same_lead"
    SAME_EXTERNAL_ID = "same_external_id"
    HANDLE_TAKEN = "handle_taken"
    IN_TRASH = "in_trash"
    ERASED = "erased"


# What people are told although the row comes in.
HARMLESS = frozenset({Why.HANDLE_TAKEN, Why.UNKNOWN_OWNER, Why.UNKNOWN_CONTACT})
SAME = frozenset(why for why in Why if why.value.startswith("same_"))


@dataclass(frozen=True)
class Reason:
    """One thing to say about a row: which column, what stood there, and why that matters."""

    why: Why
    column: str = ""
    value: str = ""


@dataclass(frozen=True)
class Options:
    """How values are read and what happens to duplicates.

    `region` is the country of phone numbers without a code; `is_lenient` leaves a wrong cell empty instead of
    refusing its row; `dates` is the order in dates of figures only.
    """

    duplicates: Duplicates = Duplicates.SKIP
    region: str = "US"
    currency: str = "EUR"
    dates: Literal["dmy", "mdy"] = "dmy"
    is_lenient: bool = False
    pipeline_id: UUID | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        pipeline_id = stored.get("pipeline_id")
        return cls(
            **stored
            | {
                "duplicates": Duplicates(stored["duplicates"]),
                "pipeline_id": UUID(pipeline_id) if pipeline_id else None,
            }
        )


@dataclass(frozen=True)
class Mapping:
    """What each column becomes: a target's key, `custom:KEY`, `new:KIND` for a field to be made, or nothing."""

    source: Source
    targets: tuple[str, ...]

    def column_of(self, target: str) -> int | None:
        return self.targets.index(target) if target in self.targets else None


@dataclass(frozen=True)
class Link:
    """What a cell says of the record that a custom field leads to; `column` is the header that it stands under."""

    key: str
    target: RecordKind
    column: str
    text: str


@dataclass
class Prepared:
    """A row as it goes into the database, its cells read and checked; nothing of it was looked up yet."""

    number: int
    values: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    handles: list[tuple[str, str]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    consents: dict[str, bool] = field(default_factory=dict)
    company_name: str = ""
    company_domain: str = ""
    person: list[tuple[str, str]] = field(default_factory=list)  # handles of a deal's or a lead's contact
    external_id: str = ""
    reasons: list[Reason] = field(default_factory=list)
    is_refused: bool = False


@dataclass(frozen=True)
class NewTable:
    """An uploaded file that was read once to its end; `blob_key` is the SHA-256 of its content."""

    name: str
    blob_key: str
    size_bytes: int
    survey: Survey


@dataclass(frozen=True)
class TableImport:
    """The import of a table: its file, how it is read and mapped, how far it is, and what came of it.

    `position` of `total` rows are dealt with, by the check or by the run; the counts are of the same.
    """

    id: ImportId
    label: str
    status: ImportStatus
    member_user_id: UserId
    fingerprint: str
    total: int
    position: int
    started_at: datetime
    finished_at: datetime | None
    undone_at: datetime | None
    record_kind: RecordKind
    blob_key: str | None
    size_bytes: int
    layout_json: dict[str, Any]
    sample_json: list[Any]
    repeated: list[str]
    mapping_json: dict[str, Any]
    options_json: dict[str, Any]
    made: int
    updated: int
    skipped: int
    refused: int
    companies_made: int
    taken_back: int
    kept: int
    fault: dict[str, Any] | None

    @property
    def layout(self) -> Layout:
        return Layout.of(self.layout_json)

    @property
    def sample(self) -> list[Row]:
        return [(number, cells) for number, cells in self.sample_json]

    @property
    def mapping(self) -> Mapping:
        return Mapping(Source(self.mapping_json["source"]), tuple(self.mapping_json["targets"]))

    @property
    def options(self) -> Options:
        return Options.of(self.options_json)


@dataclass(frozen=True)
class RowNote:
    """What is said about one row of a table."""

    number: int
    verdict: Verdict
    label: str
    reasons_json: list[list[str]]
    record_id: UUID | None

    @property
    def reasons(self) -> list[Reason]:
        return [Reason(Why(why), column, value) for why, column, value in self.reasons_json]


@dataclass(frozen=True)
class ChunkRecord:
    """A record that a chunk of an import made, changed or took back."""

    kind: RecordKind
    record_id: UUID
