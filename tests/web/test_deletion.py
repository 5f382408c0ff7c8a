"""Deleting an organization: who may, what stops at once, and how it is taken back."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from core.db import Database
from core.principal import Principal, system
from crm.api_keys.actions import create_api_key
from crm.identity import deletion
from crm.identity.models import Role
from crm.identity.queries import find_credentials
from events import due, outbox
from events.ids import UserId
from tests.support.organizations import PASSWORD, add_member, give_password
from tests.support.working import EVERYTHING
from tests.support.world import World
from tests.web.conftest import Browser, signed_in
from worker.routes import DUE, names_by_event

HOME = "/settings/organization"
PLACE = "/settings/organization/deletion"


@pytest.fixture
async def page(site: str, database: Database, organization: Principal) -> AsyncIterator[Browser]:
    await give_password(database, organization)
    async with signed_in(site, database, organization) as opened:
        yield opened


async def _close(page: Browser) -> httpx2.Response:
    return await page.post(PLACE, name="Test", proof=PASSWORD)


async def test_it_takes_the_name_and_a_fresh_proof(page: Browser) -> None:
    wrong_name = await page.post(PLACE, name="Tset", proof=PASSWORD)
    wrong_proof = await page.post(PLACE, name="Test", proof="not this one")

    closed = await _close(page)

    assert (wrong_name.status_code, wrong_proof.status_code, closed.status_code) == (422, 422, 303)
    assert "The organization is closed." in (await page.get(HOME)).text


async def test_an_administrator_may_not(site: str, database: Database, organization: Principal) -> None:
    admin = await add_member(database, organization, Role.ADMIN)
    await give_password(database, admin)
    async with signed_in(site, database, admin) as opened:
        shown = await opened.get(HOME)
        answer = await _close(opened)

    assert answer.status_code == 403
    assert PLACE not in shown.text


async def test_everybody_but_the_owner_is_shut_out_at_once(
    site: str, page: Browser, database: Database, organization: Principal
) -> None:
    colleague = await add_member(database, organization, Role.ADMIN)
    email = await give_password(database, colleague)
    async with database.transaction(colleague, "test") as tx:
        key = (await create_api_key(tx, UserId(colleague.id), name="k", scopes=["contacts:read"])).secret
    bearer = {"Authorization": f"Bearer {key}"}
    async with signed_in(site, database, colleague) as theirs, httpx2.AsyncClient(base_url=site) as program:
        before = (
            (await theirs.get("/inbox")).status_code,
            (await program.get("/api/v1/contacts", headers=bearer)).status_code,
        )
        await _close(page)
        after = (
            (await theirs.get("/inbox")).status_code,
            (await program.get("/api/v1/contacts", headers=bearer)).status_code,
        )

    assert before == (200, 200)
    assert after == (303, 401)
    assert await find_credentials(database, email) is None
    assert (await page.get("/inbox")).status_code == 200


async def test_no_work_of_it_is_claimed_but_the_mails_that_tell_of_it(
    page: Browser, database: Database, worker_database: Database, organization: Principal, world: World
) -> None:
    await world.receive("And delivery?")
    await _close(page)

    async with worker_database.across_tenants("test") as connection:
        while await outbox.route(connection, names_by_event(), EVERYTHING):
            pass
        claimed = await outbox.claim(connection, EVERYTHING, 1)
        work = await due.claim(connection, list(DUE), EVERYTHING, 1)

    ours = {one.handler for one in claimed if one.organization_id == organization.organization_id}
    kinds = {one.kind for one in work if one.organization_id == organization.organization_id}
    assert ours == {"send_system_mail"}
    assert kinds <= {"audit.seal", "audit.anchor"}


async def test_work_under_way_loses_its_lease(
    page: Browser, database: Database, worker_database: Database, organization: Principal, world: World
) -> None:
    async with worker_database.across_tenants("test") as connection:
        while await outbox.route(connection, names_by_event(), EVERYTHING):
            pass
        claimed = await outbox.claim(connection, EVERYTHING, 600)
    (held, *_) = [one for one in claimed if one.organization_id == organization.organization_id]

    await _close(page)

    async with worker_database.transaction(system(organization.organization_id), "test") as tx:
        assert await tx.value("SELECT fence FROM event_deliveries WHERE id = %(id)s", id=held.id) > held.fence


async def test_everybody_is_told_by_mail_and_told_again(
    page: Browser, database: Database, organization: Principal
) -> None:
    await add_member(database, organization, Role.VIEWER)
    await _close(page)
    taken_back = await page.post(f"{PLACE}/end")

    async with database.transaction(organization, "test") as tx:
        told = await tx.value("SELECT array_agg(kind ORDER BY id) FROM system_mails")
        assert await deletion.find_deletion(tx) is None
        entries = await tx.value(
            """
            SELECT array_agg(type || ' ' || via || ' ' || actor_id ORDER BY id)
              FROM events
             WHERE subject_kind = 'organization'
               AND type <> 'organization.created'
            """
        )
        waiting = await tx.value("SELECT count(*) FROM due_work WHERE kind = 'organization.remove'")
    assert taken_back.status_code == 303
    assert told == ["organization_closed"] * 2 + ["organization_kept"] * 2
    assert waiting == 0
    assert entries == [f"organization.{what} page {organization.id}" for what in ("closed", "kept")]
