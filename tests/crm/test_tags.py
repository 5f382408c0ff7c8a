"""Tags: words that are renamed, merged and taken away on every record at once."""

import pytest
from pydantic import JsonValue

from core.db import Database, Tx
from core.errors import Conflict, Forbidden, NotFound, Stale, Unprocessable
from core.principal import Principal
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.identity.models import SCOPES, Role
from crm.segments.actions import create_segment
from crm.segments.models import NewSegment
from crm.segments.queries import count_segment, get_segment
from crm.tags.actions import (
    create_tag,
    delete_tag,
    ensure_tag,
    merge_tags,
    put_tag,
    take_tag,
    update_tag,
)
from crm.tags.models import Tag, TagEdit
from crm.tags.queries import get_tag, list_tag_lines, list_tags_of
from events.ids import ContactId, RecordKind
from tests.support.changes import changes_of


async def _tagged(tx: Tx, *names: str) -> ContactId:
    contact = await create_contact(tx, NewContact("Vera Lind"))
    for name in names:
        await put_tag(tx, RecordKind.CONTACT, contact.id, (await ensure_tag(tx, name)).id)
    return contact.id


async def _names_on(tx: Tx, contact_id: ContactId) -> list[str]:
    return [tag.name for tag in await list_tags_of(tx, RecordKind.CONTACT, [contact_id])]


async def test_a_name_is_taken_once_in_any_case(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        made = await create_tag(tx, "  Fair   2026 ")

        with pytest.raises(Conflict, match="merge"):
            await create_tag(tx, "FAIR 2026")

        assert (made.name, (await ensure_tag(tx, "fair 2026")).id) == ("Fair 2026", made.id)


async def test_what_is_put_on_and_taken_off_is_told_of_the_record(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        vera = await _tagged(tx, "VIP")
        tag = await ensure_tag(tx, "vip")
        again = await put_tag(tx, RecordKind.CONTACT, vera, tag.id)
        gone = [await take_tag(tx, RecordKind.CONTACT, vera, tag.id) for _ in range(2)]

        told = [change.changes for change in await changes_of(tx, vera) if change.type == "contact.updated"]

    assert (again, gone) == (False, [True, False])
    assert told == [{"tag": [None, "VIP"]}, {"tag": ["VIP", None]}]


async def test_a_renamed_tag_is_renamed_everywhere(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        vera = await _tagged(tx, "Fair", "Old")
        tag = await ensure_tag(tx, "Old")

        with pytest.raises(Conflict, match="merge"):
            await update_tag(tx, tag.id, TagEdit(name="fair"), version=1)
        changed = await update_tag(tx, tag.id, TagEdit(name="New", tint=5), version=1)
        with pytest.raises(Stale):
            await update_tag(tx, tag.id, TagEdit(name="Newer"), version=1)

        assert (changed.tint, changed.version) == (5, 2)
        assert await _names_on(tx, vera) == ["Fair", "New"]


async def test_a_merged_tag_stands_where_the_other_stood_and_in_segments_too(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        vera, anna = await _tagged(tx, "fair"), await _tagged(tx, "fair", "Messe")
        fair, messe = await ensure_tag(tx, "fair"), await ensure_tag(tx, "messe")
        segment = await create_segment(tx, NewSegment(RecordKind.CONTACT, "Fair", _asking_for(fair)))

        kept = await merge_tags(tx, fair.id, messe.id)

        assert kept == messe
        assert [await _names_on(tx, one) for one in (vera, anna)] == [["Messe"], ["Messe"]]
        assert [(line.name, line.records) for line in (await list_tag_lines(tx)).items] == [("Messe", 2)]
        assert await count_segment(tx, await get_segment(tx, segment.id)) == 2


def _asking_for(tag: Tag) -> dict[str, JsonValue]:
    return {"field": "tags", "op": "any_of", "value": [str(tag.id)]}


async def test_a_tag_that_a_segment_asks_for_stays(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        vera = await _tagged(tx, "Fair", "Old")
        fair, old = await ensure_tag(tx, "Fair"), await ensure_tag(tx, "Old")
        await create_segment(tx, NewSegment(RecordKind.CONTACT, "Visitors", _asking_for(fair)))

        with pytest.raises(Conflict, match="Visitors"):
            await delete_tag(tx, fair.id)
        await delete_tag(tx, old.id)

        assert await _names_on(tx, vera) == ["Fair"]
        with pytest.raises(NotFound):
            await get_tag(tx, old.id)


@pytest.mark.parametrize(("name", "tint"), [(" ", None), ("x" * 61, None), ("Fair", 8)])
async def test_a_tag_that_cannot_be_is_refused(
    database: Database, organization: Principal, name: str, tint: int | None
) -> None:
    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Unprocessable):
            await create_tag(tx, name, tint=tint)


async def test_a_tag_is_not_merged_with_itself(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        tag = await create_tag(tx, "Fair")

        with pytest.raises(Unprocessable, match="another"):
            await merge_tags(tx, tag.id, tag.id)


async def test_a_rep_puts_tags_on_but_does_not_change_them(
    database: Database, organization: Principal
) -> None:
    rep = Principal(
        organization.kind, organization.id, organization.organization_id, scopes=SCOPES[Role.BIDI]
    )
    async with database.transaction(rep, "test") as tx:
        vera = await _tagged(tx, "Fair")
        tag = await ensure_tag(tx, "Fair")

        for change in (
            update_tag(tx, tag.id, TagEdit(name="Messe"), version=1),
            merge_tags(tx, tag.id, (await ensure_tag(tx, "Other")).id),
            delete_tag(tx, tag.id),
        ):
            with pytest.raises(Forbidden):
                await change

        assert await _names_on(tx, vera) == ["Fair"]
