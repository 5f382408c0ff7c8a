"""An erasure reaches every store, leaves others whole, survives a restore, and the audit stays whole."""

from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID

import pytest
from redis.asyncio import Redis

from core.db import Database
from core.principal import system
from core.settings import Settings
from crm.audit import sealing
from crm.audit.anchors import Anchors
from crm.audit.chain import key_of
from crm.audit.verifying import Verdict, verify
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.imports.tables.models import Options
from crm.privacy import actions as privacy
from crm.privacy import erasing, looking
from crm.privacy.journal import Journal
from crm.privacy.models import Request, RequestKind, RequestStatus
from crm.privacy.places import PLACES
from crm.privacy.queries import get_request
from events import outbox
from events.ids import RecordKind
from infra.privacy import reapply
from tests.support.erasing import Stage, build_stage, connect, dump, restore
from tests.support.figures import FIGURE, Record
from tests.support.importing import Importing
from tests.support.isolation.catalogue import Admin
from tests.support.working import carry_out_due
from worker import erasing as worker_erasing
from worker import services as worker_services
from worker.routes import names_by_event
from worker.services import Services


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    async with worker_services.build(settings) as built:
        yield built


@pytest.fixture
async def admin(settings: Settings) -> AsyncIterator[Admin]:
    connection = await connect(settings)
    yield connection
    await connection.close()


async def _seal(services: Services, stage: Stage) -> Verdict:
    """Seal what happened, write an anchor, and walk over the chain."""
    settings, principal = services.settings, system(stage.id)
    key, anchors = key_of(settings.sealing_key, stage.id), Anchors(settings.data)
    async with services.db.across_tenants("test") as connection:
        while await outbox.route(connection, names_by_event(), 100_000):
            pass
    async with services.db.transaction(principal, "test") as tx:
        await sealing.seal_events(tx, key, 100_000)
        head = await sealing.find_head(tx)
    await anchors.append(stage.id, key, head)
    return await verify(partial(services.db.transaction, principal, "test"), key, stage.id, anchors)


async def _erase(services: Services, stage: Stage) -> Request:
    """Asked for, looked at, confirmed, done."""
    owner = stage.tenant.owner
    async with services.db.transaction(owner, "test") as tx:
        asked = await privacy.make_request(tx, RequestKind.ERASURE, stage.vera, "Asked by mail.")
    await carry_out_due(services, owner, privacy.WORK)
    async with services.db.transaction(owner, "test") as tx:
        await privacy.confirm_erasure(tx, asked.id)
    await carry_out_due(services, owner, privacy.WORK)
    async with services.db.transaction(owner, "test") as tx:
        return await get_request(tx, asked.id)


async def test_nothing_of_a_person_is_left_anywhere_even_after_a_restore(
    database: Database,
    settings: Settings,
    services: Services,
    admin: Admin,
    redis: Redis,
    record_property: Record,
) -> None:
    stage = await build_stage(database, settings, admin, "erased")
    planted = await stage.leaks(redis)
    assert (await _seal(services, stage)).broken is None
    backup, before = await dump(stage), await stage.rows()

    done = await _erase(services, stage)

    assert done.status is RequestStatus.DONE
    assert await stage.leaks(redis) == []
    assert done.left_over == {}
    assert done.contact_name is None
    after = await stage.rows()
    assert _of(stage.ines, after["contacts"]) == _of(stage.ines, before["contacts"]) != []
    assert "Friend of [erased], " in after["notes"]
    for kept in ("notes", "tool_calls", "copilot_questions", "search_words", "graph_nodes"):
        assert stage.ines_in(after[kept]), kept
    assert stage.ines_in((settings.data / "postgres.log").read_text())
    sealed = await _seal(services, stage)
    assert sealed.broken is None
    assert sealed.erased > 0

    await restore(stage, backup)
    back = await stage.leaks(redis)
    (repeated,) = await reapply(settings, await _slug(admin, stage))

    assert len(back) > 100
    assert (repeated.erasures, repeated.left_over) == (1, 0)
    assert await stage.leaks(redis) == []
    assert "canary" not in Journal(settings.data).path(stage.id).read_text()
    tables = {place.split(":")[0] for place in planted}
    record_property(
        FIGURE,
        f"erasure: {stage.planted} canaries planted in {len(tables)} tables and files, 0 left after the erasure,"
        f" {len(back)} back after a restore, 0 left after `privacy reapply`, {sealed.erased} marks, audit whole",
    )


def _of(id: UUID, rows: str) -> list[str]:
    return [row for row in rows.split("\n") if f'"id": "{id}"' in row]


async def _slug(admin: Admin, stage: Stage) -> str:
    found = await admin.execute("SELECT slug FROM organizations WHERE organization_id = %s", (stage.id,))
    row = await found.fetchone()
    assert row is not None
    return str(row["slug"])


@pytest.mark.parametrize(
    "forgotten",
    ["checkpoints", "event_changes", "notifications", "import_rows", "search_postings", "files", "a log"],
)
async def test_an_erasure_that_forgets_one_store_is_caught(
    database: Database,
    settings: Settings,
    services: Services,
    admin: Admin,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    forgotten: str,
) -> None:
    stage = await build_stage(database, settings, admin, f"forgets-{forgotten}".replace(" ", "-"))
    left = tuple(place for place in PLACES if place.table != forgotten)
    monkeypatch.setattr(erasing, "PLACES", left)
    monkeypatch.setattr(looking, "PLACES", left)
    if forgotten == "a log":
        monkeypatch.setattr(worker_erasing, "blot_logs", lambda data, words: 0)
    if forgotten == "files":
        monkeypatch.setattr(erasing, "PLACES", PLACES)
        monkeypatch.setattr(erasing, "_with_files", lambda: iter(()))

    await _erase(services, stage)

    assert await stage.leaks(redis) != []


async def test_a_killed_erasure_is_taken_up_by_the_next(
    database: Database,
    settings: Settings,
    services: Services,
    admin: Admin,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = await build_stage(database, settings, admin, "killed")
    real, kills = erasing.remove_rows, iter([True, False])

    class Killed(BaseException):
        """As by SIGKILL: nobody catches it."""

    async def dies(*args: object, **named: object) -> erasing.Removed:
        if next(kills):
            raise Killed
        return await real(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(erasing, "remove_rows", dies)
    with pytest.raises(Killed):
        await _erase(services, stage)
    assert await stage.leaks(redis) != []

    await admin.execute("UPDATE due_work SET lease_until = NULL WHERE organization_id = %s", (stage.id,))
    await carry_out_due(services, stage.tenant.owner, privacy.WORK)

    assert await stage.leaks(redis) == []


async def test_an_import_does_not_bring_an_erased_person_back_unless_somebody_decides_so(
    database: Database, settings: Settings, services: Services, admin: Admin
) -> None:
    stage = await build_stage(database, settings, admin, "comes-back")
    owner = stage.tenant.owner
    async with database.transaction(owner, "test") as tx:
        noor = await create_contact(tx, NewContact("Noor Aziz", handles=(("email", "noor@aziz.example"),)))
    stage.vera = noor.id
    done = await _erase(services, stage)
    importing = Importing(database, owner, settings.data)
    rows = [["Name", "Email"], ["Noor Aziz", "Noor@Aziz.example"], ["Else Berg", "else@berg.example"]]

    first = await importing.run(
        await importing.map(await importing.upload(rows, RecordKind.CONTACT), Options())
    )
    async with database.transaction(owner, "test") as tx:
        kept = await tx.value("SELECT hash FROM erased_handles WHERE request_id = %(id)s", id=done.id)
        await privacy.allow_again(tx, done.id)
    second = await importing.run(
        await importing.map(await importing.upload(rows, RecordKind.CONTACT), Options())
    )

    assert (first.made, first.refused) == (1, 1)
    assert b"noor" not in bytes(kept)
    assert (second.made, second.refused) == (1, 0)
