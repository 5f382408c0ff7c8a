"""The search of the API: marked as ranges, narrowed by kind, and only what the caller may read."""

from core.db import Database
from core.principal import Principal
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.records.models import RecordRef
from crm.search import actions as index
from crm.search.models import FoundKind
from crm.tasks.actions import create_task
from crm.tasks.models import NewTask
from events.ids import RecordKind
from tests.support.callers import Caller


async def _fill(database: Database, owner: Principal) -> None:
    async with database.transaction(owner, "test") as tx:
        anna = await create_contact(tx, NewContact("Анна Петрова", handles=(("phone", "+7 916 123-45-67"),)))
        task = await create_task(
            tx, NewTask("Call Anna about scanners", RecordRef(RecordKind.CONTACT, anna.id))
        )
        await index.index_records(tx, FoundKind.CONTACT, [anna.id])
        await index.index_records(tx, FoundKind.TASK, [task.id])


async def test_what_was_asked_for_is_marked_by_ranges(
    api: Caller, database: Database, organization: Principal
) -> None:
    await _fill(database, organization)

    first = (await api.get("/search?q=петр")).json()["items"][0]

    assert (first["kind"], first["title"]) == ("contact", {"text": "Анна Петрова", "ranges": [[5, 9]]})


async def test_a_handle_is_shown_when_it_was_found_by_its_digits(
    api: Caller, database: Database, organization: Principal
) -> None:
    await _fill(database, organization)

    first = (await api.get("/search?q=123-45")).json()["items"][0]

    assert first["snippet"] == {"text": "+79161234567", "ranges": [[5, 10]]}


async def test_kinds_narrow_the_search(api: Caller, database: Database, organization: Principal) -> None:
    await _fill(database, organization)

    both = (await api.get("/search?q=anna")).json()["items"]
    tasks = (await api.get("/search?q=anna&kinds=task")).json()["items"]

    assert [hit["kind"] for hit in both] == ["contact", "task"]
    assert [hit["kind"] for hit in tasks] == ["task"]


async def test_a_task_says_what_it_hangs_on(api: Caller, database: Database, organization: Principal) -> None:
    await _fill(database, organization)

    contact, task = (await api.get("/search?q=anna")).json()["items"]

    assert (task["record_kind"], task["record_id"]) == ("contact", contact["id"])
    assert contact["record_kind"] is None


async def test_the_wrong_layout_is_told(api: Caller, database: Database, organization: Principal) -> None:
    await _fill(database, organization)

    assert (await api.get("/search?q=fyyf")).json()["understood"] == "анна"


async def test_an_unknown_kind_is_refused(api: Caller) -> None:
    assert (await api.get("/search?q=anna&kinds=planet")).status_code == 422
