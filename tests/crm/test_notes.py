"""Notes: written about a record, changed by version, and taken away with a way back."""

from dataclasses import replace

import pytest

from core.db import Database, Tx
from core.errors import Conflict, Forbidden, Stale, Unprocessable
from core.ids import uuid7
from core.principal import Principal
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.notes.actions import MAX_BODY, create_note, remove_note, restore_note, update_note
from crm.notes.queries import list_notes
from crm.records.models import RecordRef
from events.ids import RecordKind
from tests.support.changes import changes_of


async def anna(tx: Tx) -> RecordRef:
    return RecordRef(RecordKind.CONTACT, (await create_contact(tx, NewContact("Anna"))).id)


async def test_a_note_names_its_author_and_stands_with_its_record(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        about = await anna(tx)
        first = await create_note(tx, about, " Likes tea\r\nwith milk ")
        second = await create_note(tx, about, "Call before ten")
        await create_note(tx, await anna(tx), "Somebody else")

        listed = (await list_notes(tx, about)).items

        assert first.body == "Likes tea\nwith milk"
        assert [(note.id, note.author_name) for note in listed] == [
            (second.id, "Olga Owner"),
            (first.id, "Olga Owner"),
        ]


@pytest.mark.parametrize("body", ["", " \n ", "x" * (MAX_BODY + 1)])
async def test_a_note_without_words_or_with_too_many_is_refused(
    database: Database, organization: Principal, body: str
) -> None:
    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Unprocessable):
            await create_note(tx, await anna(tx), body)


@pytest.mark.parametrize("kind", list(RecordKind))
async def test_a_note_about_nobody_is_refused(
    database: Database, organization: Principal, kind: RecordKind
) -> None:
    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Unprocessable, match=kind.value):
            await create_note(tx, RecordRef(kind, uuid7()), "Hello")


async def test_an_edit_keeps_what_was_there_before(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        note = await create_note(tx, await anna(tx), "Likes tea")

        updated = await update_note(tx, note.id, "Likes coffee", version=1)

        assert (updated.version, updated.edited_at is not None) == (2, True)
        assert (await changes_of(tx, note.id))[-1].changes == {"body": ["Likes tea", "Likes coffee"]}
        with pytest.raises(Stale):
            await update_note(tx, note.id, "Likes water", version=1)


async def test_a_removed_note_comes_back(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        about = await anna(tx)
        note = await create_note(tx, about, "Likes tea")

        removed = await remove_note(tx, note.id)
        assert (await list_notes(tx, about)).items == []
        with pytest.raises(Conflict, match="restore"):
            await update_note(tx, note.id, "Likes coffee", version=removed.version)

        await restore_note(tx, note.id)
        assert [one.body for one in (await list_notes(tx, about)).items] == ["Likes tea"]


async def test_who_only_reads_writes_nothing(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        about = await anna(tx)
    reader = replace(organization, scopes=frozenset({"notes:read", "contacts:read"}))

    async with database.transaction(reader, "test") as tx:
        with pytest.raises(Forbidden):
            await create_note(tx, about, "Likes tea")
