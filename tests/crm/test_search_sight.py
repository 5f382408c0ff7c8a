"""Somebody who sees only their own finds all of that, and nothing of what is others'."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest

from core import clock
from core.db import Database, Tx
from core.principal import Principal
from crm.bidi.actions import create_bidi
from crm.bidi.models import BidiEdit, BidiKind, NewBidi
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.files.actions import add_file
from crm.files.models import NewFile
from crm.identity.models import Role
from crm.identity.queries import find_member_id
from crm.knowledge.actions import add_document
from crm.knowledge.models import File
from crm.meetings.actions import create_meeting
from crm.meetings.models import NewMeeting
from crm.notes.actions import create_note
from crm.records.models import RecordRef
from crm.search.actions import index_records
from crm.search.models import FoundKind
from crm.search.queries import search
from crm.tasks.actions import create_task
from crm.tasks.models import NewTask
from events.ids import MemberId, RecordKind, UserId
from tests.support.organizations import add_member


async def _contact_with_everything(tx: Tx, name: str, address: str, owner_id: MemberId | None) -> UUID:
    """A contact with a note, a file, a task and a meeting about scanners."""
    contact = await create_contact(
        tx, NewContact(name, note="Scanners", handles=(("email", address),), owner_id=owner_id)
    )
    record = RecordRef(RecordKind.CONTACT, contact.id)
    begins = clock.now() + timedelta(days=1)
    hanging = {
        FoundKind.CONTACT: contact.id,
        FoundKind.NOTE: (await create_note(tx, record, "Wants scanners")).id,
        FoundKind.FILE: (await add_file(tx, record, NewFile("scanners.pdf", "application/pdf", 9, "k"))).id,
        FoundKind.TASK: (await create_task(tx, NewTask("Send scanners", record))).id,
        FoundKind.MEETING: (
            await create_meeting(
                tx, NewMeeting("Show scanners", begins, begins + timedelta(hours=1), record=record)
            )
        ).id,
    }
    for kind, id in hanging.items():
        await index_records(tx, kind, [id])
    return contact.id


async def _find(database: Database, person: Principal, text: str) -> Counter[FoundKind]:
    async with database.transaction(person, "test") as tx:
        return Counter(hit.kind for hit in (await search(tx, text)).hits)


async def test_a_rep_finds_what_hangs_on_their_own_and_every_document(
    database: Database, organization: Principal
) -> None:
    rep, other = [await add_member(database, organization, Role.BIDI) for _ in range(2)]
    async with database.transaction(organization, "test") as tx:
        await _contact_with_everything(tx, "Anna Lind", "anna@acme.example", await find_member_id(tx, rep.id))
        await _contact_with_everything(tx, "Boris Lind", "boris@acme.example", None)
        document, _ = await add_document(tx, File("scanners.md", "key", 9))
        await index_records(tx, FoundKind.DOCUMENT, [document])

    everything = await _find(database, organization, "scanners")
    own = await _find(database, rep, "scanners")
    others = await _find(database, other, "scanners")

    hanging = (FoundKind.CONTACT, FoundKind.NOTE, FoundKind.FILE, FoundKind.TASK, FoundKind.MEETING)
    assert everything == {**dict.fromkeys(hanging, 2), FoundKind.DOCUMENT: 1}
    assert own == {**dict.fromkeys(hanging, 1), FoundKind.DOCUMENT: 1}
    assert others == {FoundKind.DOCUMENT: 1}


@pytest.mark.parametrize("typed", ["anna.lind@acme.example", "acme.example", "anna.lind"])
async def test_nobody_is_found_by_an_address_that_is_masked(
    database: Database, organization: Principal, typed: str
) -> None:
    partner = await add_member(database, organization, Role.BIDI)
    async with database.transaction(organization, "test") as tx:
        await create_bidi(tx, NewBidi(BidiKind.EXTERNAL, "Petra", user_id=UserId(partner.id)), BidiEdit())
        own = await find_member_id(tx, partner.id)
        await _contact_with_everything(tx, "Zoe", "anna.lind@acme.example", own)

    assert (await _find(database, organization, typed))[FoundKind.CONTACT] == 1
    assert await _find(database, partner, typed) == {}
    assert (await _find(database, partner, "zoe"))[FoundKind.CONTACT] == 1
