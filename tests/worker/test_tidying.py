"""What is older than an organization keeps it goes, what is younger stays, and the audit stays whole."""

from collections.abc import AsyncIterator
from dataclasses import fields
from datetime import timedelta
from functools import partial
from typing import LiteralString
from uuid import UUID

import pytest

from core import clock
from core.db import Database
from core.ids import uuid7
from core.principal import Origin, Via, system
from core.settings import Settings
from crm.audit import sealing
from crm.audit.anchors import Anchors
from crm.audit.chain import key_of
from crm.audit.verifying import verify
from crm.bidi import workspace
from crm.bidi.workspace import KEPT, TIDY, Workspace, WorkspaceEdit
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from events import outbox
from tests.support.isolation.tenants import Tenant, build_tenant
from tests.support.working import carry_out_due
from web.pages.workspace import KEPT_LABELS
from worker import services as worker_services
from worker.routes import names_by_event
from worker.services import Services
from worker.tidying import FORGETTING

DAYS = 30
OLD, YOUNG = clock.now() - timedelta(days=DAYS + 1), clock.now() - timedelta(days=DAYS - 1)


def test_every_kind_is_kept_shown_and_forgotten() -> None:
    assert list(FORGETTING) == list(KEPT) == list(KEPT_LABELS)
    for holder in (Workspace, WorkspaceEdit):
        assert {one.name for one in fields(holder) if one.name.endswith("_kept_days")} == set(KEPT)


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    async with worker_services.build(settings) as built:
        yield built


# kind -> what puts a row of it there, with its id and its time, and the table to look into
ROWS: dict[str, tuple[str, LiteralString]] = {
    "messages_kept_days": (
        "conversations",
        """
        INSERT INTO conversations (organization_id, id, channel_account_id, channel, contact_id, external_id,
                                   last_message_at)
        SELECT organization_id, %(id)s, channel_account_id, channel, contact_id, %(id)s::text, %(at)s
          FROM conversations
         LIMIT 1
        """,
    ),
    "traces_kept_days": (
        "model_exchanges",
        """
        WITH made AS (
            INSERT INTO model_calls (organization_id, id, run_id, task, model, attempt, outcome, usage_from, tokens_in,
                                     tokens_out, cost_usd_micros, started_at, latency_ms)
            SELECT organization_id, %(id)s, id, 'draft', 'm', 1, 'answered', 'none', 0, 0, 0, %(at)s, 0
              FROM runs
             LIMIT 1
            RETURNING organization_id, id
        )
        INSERT INTO model_exchanges (organization_id, call_id, asked_at, messages, answer, tools)
        SELECT organization_id, id, %(at)s, '[]', '{}', '{}'
          FROM made
        """,
    ),
    "chats_kept_days": (
        "copilot_chats",
        """
        INSERT INTO copilot_chats (organization_id, id, member_id, title, created_at, asked_at)
        SELECT organization_id, %(id)s, id, 'a chat', %(at)s, %(at)s
          FROM members
         LIMIT 1
        """,
    ),
    "notifications_kept_days": (
        "notifications",
        """
        INSERT INTO notifications (organization_id, id, member_id, kind, subject_kind, subject_id, title, event_id,
                                   created_at)
        SELECT organization_id, %(id)s, member_id, kind, subject_kind, subject_id, title, gen_random_uuid(), %(at)s
          FROM notifications
         LIMIT 1
        """,
    ),
    "deliveries_kept_days": (
        "webhook_deliveries",
        """
        INSERT INTO webhook_deliveries (organization_id, id, webhook_id, event_type, payload, status, created_at)
        SELECT organization_id, %(id)s, id, 'contact.created', '{}', 'delivered', %(at)s
          FROM webhooks
         LIMIT 1
        """,
    ),
    "imports_kept_days": (
        "import_rows",
        """
        WITH made AS (
            INSERT INTO imports (organization_id, id, kind, label, fingerprint, status, member_user_id, total,
                                 started_at, finished_at)
            SELECT organization_id, %(id)s, 'table', 'people.csv', 'f', 'finished', user_id, 1, %(at)s, %(at)s
              FROM members
             LIMIT 1
            RETURNING organization_id, id
        )
        INSERT INTO import_rows (organization_id, import_id, number, verdict, label, reasons)
        SELECT organization_id, id, 1, 'made', 'Vera', '[]'
          FROM made
        """,
    ),
    "trash_kept_days": (
        "notes",
        """
        INSERT INTO notes (organization_id, id, record_kind, record_id, body, author_kind, author_id, removed_at)
        SELECT organization_id, %(id)s, 'contact', id, 'a note', 'system', gen_random_uuid(), %(at)s
          FROM contacts
         LIMIT 1
        """,
    ),
    "sign_ins_kept_days": (
        "sessions",
        """
        INSERT INTO sessions (organization_id, id, user_id, token_hash, created_at, expires_at, kind, device, address,
                              last_seen_at)
        SELECT organization_id, %(id)s, user_id, sha256(%(id)s::text::bytea), %(at)s, %(at)s, 'page', '', '', %(at)s
          FROM members
         LIMIT 1
        """,
    ),
}
_KEYS = {"model_exchanges": "call_id", "import_rows": "import_id"}


async def _put(tenant: Tenant, kind: str) -> dict[str, UUID]:
    made = {"old": uuid7(), "young": uuid7()}
    async with tenant.db.transaction(tenant.owner, "test") as tx:
        for name, at in (("old", OLD), ("young", YOUNG)):
            await tx.execute(ROWS[kind][1], id=made[name], at=at)
    return made


async def _keep(services: Services, tenant: Tenant, **days: int) -> None:
    """Set how long kinds are kept, and do what is due then."""
    async with tenant.db.transaction(tenant.owner, "test") as tx:
        current = await workspace.get_workspace(tx)
        await workspace.update_workspace(tx, WorkspaceEdit(**days), version=current.version)  # type: ignore[arg-type]
    await carry_out_due(services, tenant.owner, TIDY)


async def test_what_is_older_goes_and_what_is_younger_stays(
    database: Database, settings: Settings, services: Services
) -> None:
    tenant = await build_tenant(database, settings, "tidied", lambda text: text)
    made = {kind: await _put(tenant, kind) for kind in KEPT}

    await _keep(services, tenant, **dict.fromkeys(KEPT, DAYS))

    left: dict[str, set[str]] = {}
    async with database.transaction(tenant.owner, "test") as tx:
        for kind, ids in made.items():
            table = ROWS[kind][0]
            key = _KEYS.get(table, "id")
            found = await tx.value(
                f"SELECT array_agg({key}) FROM {table} WHERE {key} = ANY(%(ids)s)",
                ids=list(ids.values()),
            )
            left[kind] = {name for name, id in ids.items() if id in (found or [])}
        again = await tx.value(
            "SELECT due_at FROM due_work WHERE kind = %(kind)s AND status = 'open'", kind=TIDY
        )
    assert left == {kind: {"young"} for kind in KEPT}
    assert timedelta(hours=23) < again - clock.now() < timedelta(hours=25)


async def test_without_days_everything_stays(
    database: Database, settings: Settings, services: Services
) -> None:
    tenant = await build_tenant(database, settings, "kept-all", lambda text: text)
    old = (await _put(tenant, "messages_kept_days"))["old"]

    await _keep(services, tenant, chats_kept_days=DAYS)

    async with database.transaction(tenant.owner, "test") as tx:
        assert await tx.value("SELECT count(*) FROM conversations WHERE id = %(id)s", id=old) == 1


async def test_an_emptied_trash_takes_all_of_a_contact_and_the_audit_stays_whole(
    database: Database, settings: Settings, services: Services
) -> None:
    tenant = await build_tenant(database, settings, "emptied", lambda text: text)
    somewhere = tenant.owner.coming_from(Origin(Via.PAGE, uuid7(), "192.0.2.7", "a browser"))
    async with database.transaction(somewhere, "test") as tx:
        stays = await create_contact(tx, NewContact("Otto Berg"))
        vera = await tx.value("SELECT contact_id FROM contact_handles WHERE value = 'vera@lind.example'")
        await tx.execute("UPDATE contacts SET deleted_at = %(at)s WHERE id = %(id)s", at=OLD, id=vera)
    principal, key = system(tenant.id), key_of(settings.sealing_key, tenant.id)
    async with services.db.across_tenants("test") as connection:
        while await outbox.route(connection, names_by_event(), 100_000):
            pass
    async with services.db.transaction(principal, "test") as tx:
        await sealing.seal_events(tx, key, 100_000)
        await Anchors(settings.data).append(tenant.id, key, await sealing.find_head(tx))

    await _keep(services, tenant, trash_kept_days=DAYS, sign_ins_kept_days=DAYS)

    async with database.transaction(tenant.owner, "test") as tx:
        assert await tx.value("SELECT count(*) FROM contacts WHERE id = %(id)s", id=vera) == 0
        assert await tx.value("SELECT count(*) FROM messages") == 0
        assert await tx.value("SELECT count(*) FROM contacts WHERE id = %(id)s", id=stays.id) == 1
        assert await tx.value("SELECT count(*) FROM event_origins WHERE address = '192.0.2.7'") > 0
    verdict = await verify(
        partial(services.db.transaction, principal, "test"), key, tenant.id, Anchors(settings.data)
    )
    assert verdict.broken is None
