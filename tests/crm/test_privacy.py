"""What is known about a person: every place is named, and all of it comes out as one file."""

import csv
import io
import json
import zipfile

import pytest

from core import clock
from core.db import Database, Tx
from core.errors import Conflict, Forbidden, NotFound, Unprocessable
from core.principal import Principal
from core.settings import Settings
from crm.contacts.actions import create_contact, record_consent
from crm.contacts.models import ConsentChannel, NewContact
from crm.identity.models import Role
from crm.privacy import actions as privacy
from crm.privacy.models import EXPORTS, Request, RequestKind, RequestStatus
from crm.privacy.places import NOBODY, PLACES, Fate
from crm.privacy.queries import get_request
from events.ids import ContactId
from tests.support.isolation.catalogue import TEXTUAL
from tests.support.isolation.tenants import Tenant, build_tenant
from tests.support.organizations import add_member
from tests.support.working import carry_out_due
from worker import services as worker_services
from worker.services import Services

WHY = "Asked by mail on 26 November."


async def _columns(database: Database) -> dict[str, dict[str, str]]:
    """Every tenant table with its columns and their types."""
    async with database.across_tenants("test") as connection:
        cursor = await connection.execute(
            """
            SELECT c.relname::text AS "table", a.attname::text AS "column", t.typname::text AS type
              FROM pg_class c
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
              JOIN pg_type t ON t.oid = a.atttypid
             WHERE c.relnamespace = 'public'::regnamespace
               AND c.relkind = 'r'
               AND EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = c.oid AND o.attname = 'organization_id')
            """
        )
        found: dict[str, dict[str, str]] = {}
        for row in await cursor.fetchall():
            found.setdefault(row["table"], {})[row["column"]] = row["type"]
    return found


async def test_every_table_with_words_is_named_once(database: Database) -> None:
    tables = await _columns(database)

    with_words = {name for name, columns in tables.items() if TEXTUAL & set(columns.values())}
    named = {place.table for place in PLACES}

    assert with_words - named - NOBODY.keys() == set(), (
        "say in crm/privacy/places.py how it leads to a person"
    )
    assert named & NOBODY.keys() == set()
    assert named - tables.keys() == set()


async def test_every_column_of_a_place_is_there(database: Database) -> None:
    tables = await _columns(database)

    named = {
        (place.table, column)
        for place in PLACES
        for column in (*place.shows, *place.quotes, *place.empty, *filter(None, [place.blob]))
    }

    assert {(table, column) for table, column in named if column not in tables[table]} == set()


def test_what_is_emptied_or_removed_leads_somewhere() -> None:
    for place in PLACES:
        assert place.leads or place.quotes, place.table
        assert bool(place.empty) == (place.fate in (Fate.EMPTIED, Fate.UNLINKED)), place.table


@pytest.fixture
async def services(settings: Settings) -> Services:  # type: ignore[misc]
    async with worker_services.build(settings) as built:
        yield built


async def _tenant(database: Database, settings: Settings, name: str) -> tuple[Tenant, ContactId]:
    tenant = await build_tenant(database, settings, name, lambda text: text)
    async with database.transaction(tenant.owner, "test") as tx:
        vera = await tx.value("SELECT contact_id FROM contact_handles WHERE value = 'vera@lind.example'")
    return tenant, ContactId(vera)


async def _ask(db: Database, owner: Principal, kind: RequestKind, contact_id: ContactId) -> Request:
    async with db.transaction(owner, "test") as tx:
        return await privacy.make_request(tx, kind, contact_id, WHY)


async def _read(db: Database, owner: Principal, request: Request) -> Request:
    async with db.transaction(owner, "test") as tx:
        return await get_request(tx, request.id)


async def test_an_export_holds_everything_about_a_person_and_goes_after_a_while(
    database: Database, settings: Settings, services: Services
) -> None:
    tenant, vera = await _tenant(database, settings, "export")
    async with database.transaction(tenant.owner, "test") as tx:
        await record_consent(tx, vera, ConsentChannel.EMAIL, is_given=True, source="=a form")

    asked = await _ask(database, tenant.owner, RequestKind.EXPORT, vera)
    await carry_out_due(services, tenant.owner, privacy.WORK)
    made = await _read(database, tenant.owner, asked)

    assert made.status is RequestStatus.DONE
    assert made.blob_key is not None
    path = services.blobs.apart(EXPORTS).path(tenant.id, made.blob_key)
    with zipfile.ZipFile(path) as archive:
        told = json.loads(archive.read("manifest.json"))["tables"]
        named = {one["table"] for one in told}
        assert {
            "contacts", "contact_handles", "contact_consents", "companies", "conversations", "messages", "drafts",
            "attachments", "facts", "notes", "meetings", "deals", "files", "memories", "events", "tool_calls",
            "model_calls",
        } <= named  # fmt: skip
        for one in told:
            assert len(json.loads(archive.read(f"json/{one['table']}.json"))) == one["rows"]
            lines = list(csv.reader(io.StringIO(archive.read(f"csv/{one['table']}.csv").decode("utf-8-sig"))))
            assert len(lines) == one["rows"] + 1
        consents = archive.read("csv/contact_consents.csv").decode()
        assert "'=a form" in consents
        handles = {row["value"] for row in json.loads(archive.read("json/contact_handles.json"))}
        assert "vera@lind.example" in handles
        assert "Tomas Ferreira" not in {row["name"] for row in json.loads(archive.read("json/contacts.json"))}
        files = [name for name in archive.namelist() if name.startswith("files/files/")]
        assert archive.read(files[0]) == b"The offer"

    async with database.transaction(tenant.owner, "test") as tx:
        await tx.execute("UPDATE due_work SET due_at = now() WHERE kind = %(kind)s", kind=privacy.FORGET)
    await carry_out_due(services, tenant.owner, privacy.FORGET)

    assert (await _read(database, tenant.owner, asked)).status is RequestStatus.FORGOTTEN
    with pytest.raises(NotFound):
        services.blobs.apart(EXPORTS).path(tenant.id, made.blob_key)


async def _contact(tx: Tx) -> ContactId:
    return (await create_contact(tx, NewContact("Vera Lind", handles=(("email", "vera@lind.example"),)))).id


async def test_an_erasure_waits_until_somebody_has_seen_what_it_reaches(
    database: Database, organization: Principal, services: Services
) -> None:
    async with database.transaction(organization, "test") as tx:
        vera = await _contact(tx)

    asked = await _ask(database, organization, RequestKind.ERASURE, vera)
    await carry_out_due(services, organization, privacy.WORK)
    found = await _read(database, organization, asked)

    assert found.status is RequestStatus.WAITING
    assert found.found["contacts"] == 1
    assert found.due_at - found.asked_at == privacy.ANSWERED_WITHIN
    assert found.due_at > clock.now()


async def test_a_request_needs_a_reason_and_is_made_once(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        vera = await _contact(tx)
        with pytest.raises(Unprocessable):
            await privacy.make_request(tx, RequestKind.EXPORT, vera, " ")
        asked = await privacy.make_request(tx, RequestKind.EXPORT, vera, WHY)
        with pytest.raises(Conflict):
            await privacy.make_request(tx, RequestKind.EXPORT, vera, WHY)

        cancelled = await privacy.cancel_request(tx, asked.id)

        assert cancelled.status is RequestStatus.CANCELLED
        with pytest.raises(Conflict):
            await privacy.cancel_request(tx, asked.id)


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.BIDI, Role.VIEWER])
async def test_only_owners_and_admins_may_ask(
    database: Database, organization: Principal, role: Role
) -> None:
    async with database.transaction(organization, "test") as tx:
        vera = await _contact(tx)
    somebody = await add_member(database, organization, role)

    async with database.transaction(somebody, "test") as tx:
        with pytest.raises(Forbidden):
            await privacy.make_request(tx, RequestKind.EXPORT, vera, WHY)


@pytest.mark.parametrize("holds", ["", "deals"])
async def test_what_the_law_holds_keeps_its_words_and_leads_to_nobody(
    database: Database, settings: Settings, holds: str
) -> None:
    held = settings.model_copy(update={"legal_holds": holds})
    tenant, vera = await _tenant(database, settings, f"held-{holds}")
    async with database.transaction(tenant.owner, "test") as tx:
        await tx.execute(
            "UPDATE deals SET name = 'Contract 17 of Vera Lind', contact_id = %(vera)s", vera=vera
        )
    asked = await _ask(database, tenant.owner, RequestKind.ERASURE, vera)
    async with worker_services.build(held) as services:
        await carry_out_due(services, tenant.owner, privacy.WORK)
        async with database.transaction(tenant.owner, "test") as tx:
            await privacy.confirm_erasure(tx, asked.id)
        await carry_out_due(services, tenant.owner, privacy.WORK)

    done = await _read(database, tenant.owner, asked)
    async with database.transaction(tenant.owner, "test") as tx:
        names = await tx.value("SELECT array_agg(DISTINCT name) FROM deals")
        linked = await tx.value("SELECT count(*) FROM deals WHERE contact_id IS NOT NULL")

    assert (done.status, linked) == (RequestStatus.DONE, 0)
    assert done.held == ({"deals": "GETSALE_LEGAL_HOLDS"} if holds else {})
    assert any("Vera Lind" in name for name in names) is bool(holds)


def test_nothing_else_can_be_held(settings: Settings) -> None:
    with pytest.raises(Unprocessable, match="GETSALE_LEGAL_HOLDS may name deals only"):
        _ = settings.model_copy(update={"legal_holds": "deals messages"}).held
