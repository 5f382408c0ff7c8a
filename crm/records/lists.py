"""The list of every kind of record, and the filters over it that are kept as data."""

from dataclasses import replace
from typing import assert_never

from pydantic import JsonValue

from core.db import Tx
from core.errors import Unprocessable
from core.filters import Filter, containing, parse_filter
from core.sql import SEGMENT, Listing
from crm.bidi.queries import find_own_member
from crm.companies import fields as company_fields
from crm.companies.fields import company_listing
from crm.contacts import fields as contact_fields
from crm.contacts.fields import contact_listing
from crm.custom_fields.queries import list_custom_fields
from crm.deals import fields as deal_fields
from crm.deals.fields import deal_listing
from crm.leads import fields as lead_fields
from crm.leads.fields import LEADS
from crm.records.nesting import Nest
from events.ids import RecordKind, SegmentId

# What one needs to read the records of a kind, and so whatever is kept about its list.
READING = {
    RecordKind.CONTACT: "contacts:read",
    RecordKind.COMPANY: "companies:read",
    RecordKind.LEAD: "leads:read",
    RecordKind.DEAL: "deals:read",
}


async def listing_of(tx: Tx, kind: RecordKind) -> Listing:
    """Everything that records of this kind can be filtered and sorted by. Raises: Forbidden."""
    tx.principal.require(READING[kind])
    match kind:
        case RecordKind.CONTACT:
            return await contact_listing(tx)
        case RecordKind.COMPANY:
            return await company_listing(tx)
        case RecordKind.LEAD:
            return LEADS
        case RecordKind.DEAL:
            return await deal_listing(tx)
        case _:
            assert_never(kind)


async def read_filter(
    tx: Tx, kind: RecordKind, data: JsonValue, *, within: SegmentId | None = None
) -> tuple[Listing, Filter]:
    """A list and a filter over it out of JSON; "me" in it is whoever asks, and segments are what they hold now.

    `within` is the segment that the filter is to be kept in.

    Raises: Unprocessable, naming what cannot be understood: a custom field that was archived, or a segment that is
    gone or leads back to itself, among it.
    """
    listing = await listing_of(tx, kind)
    me = await find_own_member(tx)
    try:
        kept = parse_filter(data, listing.kinds, me=me)
        segments = await Nest(tx, kind, listing.kinds, me).filters_in(kept, within)
    except Unprocessable as err:
        raise await _explained(tx, kind, err) from err
    return (listing.with_columns([replace(SEGMENT, segments=segments)]) if segments else listing), kept


async def _explained(tx: Tx, kind: RecordKind, err: Unprocessable) -> Unprocessable:
    """The error in words that say which field is not in use any more, where that is why."""
    for field in await list_custom_fields(tx, kind, with_archived=True):
        if field.archived_at is not None and field.column_name == err.fields.get("field"):
            return Unprocessable(
                f"The custom field {field.label} is archived; restore it, or take it out of the filter.",
                field=field.column_name,
            )
    return err


def searching(kind: RecordKind, text: str) -> Filter:
    """What words typed over a list keep of it."""
    return containing(text.strip().removeprefix("@"), _SEARCHED[kind])


_SEARCHED = {
    RecordKind.CONTACT: contact_fields.SEARCHED,
    RecordKind.COMPANY: company_fields.SEARCHED,
    RecordKind.LEAD: lead_fields.SEARCHED,
    RecordKind.DEAL: deal_fields.SEARCHED,
}


def readable_kinds(tx: Tx) -> list[RecordKind]:
    """The kinds of records that the principal may read."""
    return [kind for kind, scope in READING.items() if tx.principal.may(scope)]
