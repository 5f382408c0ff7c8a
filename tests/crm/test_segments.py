"""Segments: filters kept by name, counted when asked, clear about fields that are gone."""

import pytest
from pydantic import JsonValue

from core.db import Database
from core.errors import Conflict, Forbidden, NotFound, Stale, Unprocessable
from core.filters import ValueKind
from core.principal import Principal
from core.sql import ListQuery, count_rows
from crm.contacts.actions import create_contact, delete_contact
from crm.contacts.models import NewContact
from crm.contacts.queries import list_contacts
from crm.custom_fields.actions import archive_custom_field, create_custom_field, restore_custom_field
from crm.custom_fields.models import NewCustomField
from crm.identity.models import SCOPES, Role
from crm.identity.queries import find_member_id
from crm.records.lists import read_filter
from crm.segments.actions import create_segment, delete_segment, restore_segment, update_segment
from crm.segments.models import NewSegment, Segment, SegmentEdit
from crm.segments.queries import count_segment, get_segment, list_segments
from events.ids import RecordKind

_RIGA: dict[str, JsonValue] = {"field": "custom.office", "op": "is", "value": "Riga"}


async def _segment(
    db: Database, owner: Principal, name: str = "Riga", condition: dict[str, JsonValue] | None = None
) -> Segment:
    async with db.transaction(owner, "test") as tx:
        return await create_segment(tx, NewSegment(RecordKind.CONTACT, name, condition or {}))


async def test_whoever_meets_a_custom_field_is_counted_now(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "Office", ValueKind.TEXT))
        segment = await create_segment(tx, NewSegment(RecordKind.CONTACT, "Riga", _RIGA))

        counts = [await count_segment(tx, segment)]
        vera = await create_contact(tx, NewContact("Vera", custom={"office": "riga"}))
        await create_contact(tx, NewContact("Bo", custom={"office": "Oslo"}))
        counts.append(await count_segment(tx, segment))
        await delete_contact(tx, vera.id, version=vera.version)
        counts.append(await count_segment(tx, segment))

    assert counts == [0, 1, 0]


async def test_me_is_whoever_counts(
    database: Database, organization: Principal, other_organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        me = await find_member_id(tx, organization.id)
        mine: dict[str, JsonValue] = {"field": "owner_id", "op": "is", "value": "me"}
        segment = await create_segment(tx, NewSegment(RecordKind.CONTACT, "Mine", mine))
        await create_contact(tx, NewContact("Vera", owner_id=me))
        await create_contact(tx, NewContact("Bo"))

        assert await count_segment(tx, segment) == 1


async def test_an_archived_field_is_named_until_it_is_back(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        field = await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "Office", ValueKind.TEXT))
        segment = await create_segment(tx, NewSegment(RecordKind.CONTACT, "Riga", _RIGA))
        await archive_custom_field(tx, field.id)

        with pytest.raises(Unprocessable, match=r"segment Riga.*custom field Office is archived"):
            await count_segment(tx, segment)

        await restore_custom_field(tx, field.id)
        assert await count_segment(tx, segment) == 0


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"field": "shoe_size", "op": "is", "value": 1}, "no field 'shoe_size'"),
        ({"field": "name", "op": "lt", "value": "a"}, "cannot be compared"),
        ({"some": []}, "A part of a filter is"),
    ],
)
async def test_a_filter_that_means_nothing_is_refused(
    database: Database, organization: Principal, condition: dict[str, JsonValue], said: str
) -> None:
    with pytest.raises(Unprocessable, match=said):
        await _segment(database, organization, "Odd", condition)


async def test_a_name_is_taken_once_and_free_again_after_removal(
    database: Database, organization: Principal
) -> None:
    first = await _segment(database, organization)

    with pytest.raises(Conflict, match="There is a segment riga already"):
        await _segment(database, organization, "riga")
    async with database.transaction(organization, "test") as tx:
        await delete_segment(tx, first.id, version=first.version)
        second = await create_segment(tx, NewSegment(RecordKind.CONTACT, "Riga", {}))
        with pytest.raises(Conflict, match="choose another name"):
            await restore_segment(tx, first.id)
        await update_segment(tx, second.id, SegmentEdit(name="Oslo"), version=second.version)
        restored = await restore_segment(tx, first.id)
        listed = (await list_segments(tx)).items

    assert [one.name for one in listed] == ["Oslo", "Riga"]
    assert restored.deleted_at is None


async def test_a_lost_update_and_a_viewer_are_refused(database: Database, organization: Principal) -> None:
    segment = await _segment(database, organization)
    viewer = Principal(
        organization.kind, organization.id, organization.organization_id, scopes=SCOPES[Role.VIEWER]
    )

    async with database.transaction(organization, "test") as tx:
        await update_segment(tx, segment.id, SegmentEdit(name="Oslo"), version=segment.version)
        with pytest.raises(Stale):
            await update_segment(tx, segment.id, SegmentEdit(name="Riga"), version=segment.version)
    with pytest.raises(Forbidden, match="views:write"):
        await _segment(database, viewer, "Theirs")


async def test_another_organization_has_no_such_segment(
    database: Database, organization: Principal, other_organization: Principal
) -> None:
    segment = await _segment(database, organization)

    async with database.transaction(other_organization, "test") as tx:
        with pytest.raises(NotFound):
            await get_segment(tx, segment.id)
        assert (await list_segments(tx)).items == []


def _in(*segments: Segment, op: str = "any_of") -> dict[str, JsonValue]:
    return {"field": "segment", "op": op, "value": [str(segment.id) for segment in segments]}


async def test_a_segment_is_a_condition_of_a_list_and_of_another_segment(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        for name, title in (("Anna", "CEO"), ("Bo", "CTO"), ("Vera", "Buyer")):
            await create_contact(tx, NewContact(name, title=title))
        heads: dict[str, JsonValue] = {"field": "title", "op": "starts_with", "value": "C"}
        chiefs = await create_segment(tx, NewSegment(RecordKind.CONTACT, "Chiefs", heads))
        rest = await create_segment(tx, NewSegment(RecordKind.CONTACT, "Rest", _in(chiefs, op="none_of")))

        listing, kept = await read_filter(tx, RecordKind.CONTACT, _in(chiefs))
        inside = await list_contacts(tx, ListQuery(kept), listing=listing)
        assert await count_segment(tx, rest) == 1

    assert [contact.name for contact in inside.items] == ["Anna", "Bo"]


async def test_a_segment_that_leads_back_to_itself_is_refused(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        first = await create_segment(tx, NewSegment(RecordKind.CONTACT, "First", {}))
        second = await create_segment(tx, NewSegment(RecordKind.CONTACT, "Second", _in(first)))
        third = await create_segment(tx, NewSegment(RecordKind.CONTACT, "Third", _in(second)))

        with pytest.raises(Unprocessable, match="would be in itself by way of Third, Second"):
            await update_segment(tx, first.id, SegmentEdit(filter=_in(third)), version=first.version)
        with pytest.raises(Unprocessable, match="would be in itself; take"):
            await update_segment(tx, first.id, SegmentEdit(filter=_in(first)), version=first.version)


async def test_a_segment_that_is_gone_or_of_other_records_is_named(
    database: Database, organization: Principal, other_organization: Principal
) -> None:
    firms = await _segment(database, other_organization, "Theirs")
    async with database.transaction(organization, "test") as tx:
        gone = await create_segment(tx, NewSegment(RecordKind.CONTACT, "Gone", {}))
        of_gone = await create_segment(tx, NewSegment(RecordKind.CONTACT, "Of gone", _in(gone)))
        await delete_segment(tx, gone.id, version=None)
        companies = await create_segment(tx, NewSegment(RecordKind.COMPANY, "Firms", {}))

        with pytest.raises(
            Unprocessable, match=r"segment Of gone cannot be counted\. The segment Gone was removed"
        ):
            await count_segment(tx, of_gone)
        with pytest.raises(Unprocessable, match="Firms is of another kind of record"):
            await read_filter(tx, RecordKind.CONTACT, _in(companies))
        with pytest.raises(Unprocessable, match=f"There is no segment {firms.id}"):
            await read_filter(tx, RecordKind.CONTACT, _in(firms))


async def test_segments_that_would_ask_for_too_much_are_refused(
    database: Database, organization: Principal
) -> None:
    many = {"any": [{"field": "name", "op": "is", "value": str(number)} for number in range(99)]}
    async with database.transaction(organization, "test") as tx:
        wide = await create_segment(tx, NewSegment(RecordKind.CONTACT, "Wide", many))  # type: ignore[arg-type]
        wider: dict[str, JsonValue] = {"any": [_in(wide) for _ in range(5)]}
        with pytest.raises(Unprocessable, match="more than 400 conditions"):
            await create_segment(tx, NewSegment(RecordKind.CONTACT, "Wider", wider))


@pytest.mark.parametrize("kind", list(RecordKind))
async def test_every_kind_of_record_can_be_asked_for_by_segment(
    database: Database, organization: Principal, kind: RecordKind
) -> None:
    async with database.transaction(organization, "test") as tx:
        everybody = await create_segment(tx, NewSegment(kind, "Everybody", {}))
        listing, kept = await read_filter(tx, kind, _in(everybody))

        assert await count_rows(tx, listing, kept) == 0
