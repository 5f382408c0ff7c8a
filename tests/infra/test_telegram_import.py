import asyncio
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.blobs import Blobs
from core.db import Database
from core.errors import Conflict
from core.principal import Principal
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.contacts.queries import find_contact_by_handle, list_contacts, list_handles
from crm.conversations import actions as conversations
from crm.conversations.queries import list_attachments, list_conversations_of_contact, list_messages
from crm.facts.queries import list_facts
from crm.identity.actions import create_user
from crm.identity.models import Role
from crm.imports.models import ImportStatus
from crm.imports.queries import get_import, list_imports
from crm.records.models import RecordRef
from crm.tasks.actions import create_task
from crm.tasks.models import NewTask
from events.ids import ImportId, RecordKind
from infra.telegram_import import Desk, import_export, undo_import
from memory.ingest import remember_conversation

SALES = Path(__file__).parents[1] / "channels" / "exports" / "sales"


def ignore(done: int, total: int) -> None:
    pass


@pytest.fixture
async def desk(database: Database, organization: Principal, tmp_path: Path) -> Desk:
    async with database.transaction(organization, "test") as tx:
        email = f"pyotr-{organization.organization_id}@example.com"
        member = await create_user(
            tx, email=email, name="Pyotr", password="a long password", role=Role.OWNER, locale="ru"
        )
    return Desk(database, Blobs(tmp_path), organization, member, ZoneInfo("Europe/Moscow"), b"key")


async def counts(desk: Desk) -> dict[str, int]:
    async with desk.db.transaction(desk.principal, "test") as tx:
        return {
            "contacts": await tx.value("SELECT count(*) FROM contacts"),
            "contact_handles": await tx.value("SELECT count(*) FROM contact_handles"),
            "conversations": await tx.value("SELECT count(*) FROM conversations"),
            "messages": await tx.value("SELECT count(*) FROM messages"),
            "attachments": await tx.value("SELECT count(*) FROM attachments"),
            "facts": await tx.value("SELECT count(*) FROM facts WHERE retracted_at IS NULL"),
        }


async def test_an_export_becomes_contacts_conversations_files_and_closeness(desk: Desk) -> None:
    outcome = await import_export(desk, SALES, ignore)

    assert outcome.lines() == [
        f"import={outcome.done.id} contacts_made=4 contacts_found=0 conversations=3 messages=13 files=4",
        "1 messages of an unknown shape were passed over.",
        "Passed over, since they are no private talks: 1 bot_chat, 1 private_supergroup, 1 saved_messages.",
    ]
    async with desk.db.transaction(desk.principal, "test") as tx:
        vera = await find_contact_by_handle(tx, "telegram_id", "700000001")
        assert vera is not None
        talk = (await list_conversations_of_contact(tx, vera.id))[0]
        lines = await list_messages(tx, talk.id)
        files = await list_attachments(tx, [line.id for line in lines])
        closeness = await list_facts(tx, vera.id)
    assert (lines[0].author_kind, lines[1].author_kind, lines[1].author_id) == (
        "contact",
        "user",
        desk.member_id,
    )
    assert (talk.read_seq, talk.last_seq) == (7, 7)
    stored = next(file for file in files if file.name == "offer.txt")
    assert stored.blob_key is not None
    assert await desk.blobs.get(desk.principal.organization_id, stored.blob_key) == (
        b"40 scanners, 17 EUR a month each\n"
    )
    assert [fact.predicate for fact in closeness] == ["interacted"]


async def test_the_address_book_gives_a_chat_its_phone_when_the_name_is_theirs_alone(desk: Desk) -> None:
    await import_export(desk, SALES, ignore)

    async with desk.db.transaction(desk.principal, "test") as tx:
        oleg = await find_contact_by_handle(tx, "phone", "+79165550022")
        assert oleg is not None
        handles = {(handle.kind.value, handle.value) for handle in await list_handles(tx, oleg.id)}
    assert handles == {("telegram_id", "700200300"), ("phone", "+79165550022")}


async def test_the_same_export_is_imported_once(desk: Desk) -> None:
    await import_export(desk, SALES, ignore)
    before = await counts(desk)

    with pytest.raises(Conflict, match="was imported on"):
        await import_export(desk, SALES, ignore)

    assert await counts(desk) == before


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the product catches it."""


@pytest.mark.parametrize("step", [1, 2, 3])
async def test_a_killed_import_goes_on_where_it_was_and_ends_the_same(desk: Desk, step: int) -> None:
    def die(done: int, total: int) -> None:
        if done == step:
            raise Killed

    with pytest.raises(Killed):
        await import_export(desk, SALES, die)
    outcome = await import_export(desk, SALES, ignore)

    assert outcome.resumed_at == step
    assert outcome.done.status is ImportStatus.FINISHED
    assert await counts(desk) == {
        "contacts": 4,
        "contact_handles": 5,
        "conversations": 3,
        "messages": 13,
        "attachments": 4,
        "facts": 3,
    }


async def test_two_imports_of_one_file_at_once_end_as_one(desk: Desk) -> None:
    await asyncio.gather(
        import_export(desk, SALES, ignore), import_export(desk, SALES, ignore), return_exceptions=True
    )

    async with desk.db.transaction(desk.principal, "test") as tx:
        assert len(await list_imports(tx)) == 1
    assert (await counts(desk))["messages"] == 13


async def test_a_newer_export_brings_only_what_is_new(desk: Desk, tmp_path: Path) -> None:
    await import_export(desk, SALES, ignore)
    newer = json.loads((SALES / "result.json").read_text())
    newer["chats"]["list"][3]["messages"].append(
        {
            "id": 99,
            "type": "message",
            "date": "2026-06-01T10:00:00",
            "date_unixtime": "1780300800",
            "from_id": "user700200300",
            "text": "Готовы подписать",
        }
    )
    (tmp_path / "result.json").write_text(json.dumps(newer))

    outcome = await import_export(desk, tmp_path, ignore)

    assert (outcome.done.messages, outcome.done.conversations, outcome.done.contacts_made) == (1, 0, 0)
    async with desk.db.transaction(desk.principal, "test") as tx:
        oleg = await find_contact_by_handle(tx, "telegram_id", "700200300")
        assert oleg is not None
        talk = (await list_conversations_of_contact(tx, oleg.id))[0]
        assert (await list_messages(tx, talk.id))[-1].body == "Готовы подписать"


async def test_an_undone_import_leaves_nothing_and_may_come_again(desk: Desk) -> None:
    before = await counts(desk)
    outcome = await import_export(desk, SALES, ignore)

    kept = await undo_import(desk, outcome.done.id, ignore)

    assert (kept, await counts(desk)) == (0, before)
    again = await import_export(desk, SALES, ignore)
    assert again.done.messages == 13


async def test_what_was_remembered_of_an_import_goes_with_it(desk: Desk) -> None:
    outcome = await import_export(desk, SALES, ignore)
    async with desk.db.transaction(desk.principal, "test") as tx:
        vera = await find_contact_by_handle(tx, "telegram_id", "700000001")
        assert vera is not None
        talk = (await list_conversations_of_contact(tx, vera.id))[0]
        assert await remember_conversation(tx, talk.id) == 7

    await undo_import(desk, outcome.done.id, ignore)

    async with desk.db.transaction(desk.principal, "test") as tx:
        assert await tx.value("SELECT count(*) FROM memories") == 0
        assert await tx.value("SELECT count(*) FROM memory_terms") == 0


async def test_an_undo_leaves_what_was_there_before_and_what_came_since(desk: Desk) -> None:
    async with desk.db.transaction(desk.principal, "test") as tx:
        oleg = await create_contact(tx, NewContact("Oleg Dorn", handles=(("phone", "+79165550022"),)))
    outcome = await import_export(desk, SALES, ignore)
    async with desk.db.transaction(desk.principal, "test") as tx:
        vera = await find_contact_by_handle(tx, "telegram_id", "700000001")
        assert vera is not None
        await create_task(tx, NewTask("Call Vera", RecordRef(RecordKind.CONTACT, vera.id)))

    kept = await undo_import(desk, outcome.done.id, ignore)

    async with desk.db.transaction(desk.principal, "test") as tx:
        names = {contact.name for contact in (await list_contacts(tx)).items}
        handles = [handle.value for handle in await list_handles(tx, oleg.id)]
    assert (kept, names, handles) == (1, {"Oleg Dorn", "Vera Lind"}, ["+79165550022"])
    assert (await counts(desk))["messages"] == 0


async def test_an_interrupted_undo_goes_on(desk: Desk) -> None:
    outcome = await import_export(desk, SALES, ignore)

    def die(done: int, total: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        await undo_import(desk, outcome.done.id, die)
    await undo_import(desk, outcome.done.id, ignore)

    async with desk.db.transaction(desk.principal, "test") as tx:
        assert (await get_import(tx, ImportId(outcome.done.id))).status is ImportStatus.UNDONE
    assert (await counts(desk))["messages"] == 0


async def test_nothing_can_be_sent_over_an_imported_account(desk: Desk) -> None:
    await import_export(desk, SALES, ignore)

    async with desk.db.transaction(desk.principal, "test") as tx:
        vera = await find_contact_by_handle(tx, "telegram_id", "700000001")
        assert vera is not None
        talk = (await list_conversations_of_contact(tx, vera.id))[0]
        with pytest.raises(Conflict, match="only keeps what was said before"):
            await conversations.compose_message(tx, talk.id, body="Hello again")
