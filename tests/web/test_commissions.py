"""Partners on pages: asked in with a rate, named as partners, and shown what they are owed."""

import re
from urllib.parse import urlsplit

import httpx2

from core.db import Database
from core.principal import Principal
from crm.bidi import partners
from crm.commissions.actions import follow_deal
from crm.deals.actions import create_deal
from crm.deals.models import NewDeal
from crm.identity.models import Role
from crm.pipelines.actions import create_pipeline
from crm.pipelines.models import NewStage, Outcome
from crm.pipelines.queries import list_stages
from events.ids import UserId
from tests.support.organizations import add_member
from tests.web.conftest import Browser, signed_in

MEMBERS = "/settings/members"


async def test_a_partner_is_asked_in_with_a_rate_and_sits_on_a_seat_of_their_own(
    site: str, browser: Browser, database: Database, organization: Principal
) -> None:
    page = await browser.client.post(
        f"{MEMBERS}/invitations",
        data={"csrf_token": browser.token, "role": "partner", "by": "link", "commission": "12,5"},
    )
    link = re.search(r'value="(http[^"]+/join/[^"]+)"', page.text)
    assert link, page.text
    async with httpx2.AsyncClient(base_url=site, timeout=20) as client:
        path = urlsplit(link.group(1)).path
        token = re.search(r'name="csrf_token" value="([^"]+)"', (await client.get(path)).text)
        assert token
        form = {"name": "Petra Partner", "email": "petra@partner.example", "password": "correct horse"}
        joined = await client.post(f"{path}/account", data={"csrf_token": token.group(1), **form})

    async with database.transaction(organization, "test") as tx:
        (partner,) = await partners.list_partners(tx)
        role = await tx.value("SELECT role FROM members WHERE user_id = %(id)s", id=partner.user_id)
    assert "partner, 12.5 %" in page.text
    assert joined.status_code == 303
    assert (partner.name, partner.basis_points, role) == ("Petra Partner", 1250, "bidi")
    assert '<span class="chip">partner</span>' in (await browser.get(MEMBERS)).text


async def test_a_partner_without_a_rate_is_asked_for_one(browser: Browser) -> None:
    page = await browser.client.post(
        f"{MEMBERS}/invitations", data={"csrf_token": browser.token, "role": "partner", "by": "link"}
    )

    assert page.status_code == 422
    assert "Write the commission in per cent" in page.text
    assert '<option value="partner" selected>' in page.text


async def test_administrators_see_all_of_it_and_a_partner_their_own(
    site: str, browser: Browser, database: Database, organization: Principal
) -> None:
    person, other = [await _partner_with_a_deal(database, organization, name) for name in ("Petra", "Oskar")]

    shown = (await browser.get("/commissions")).text
    async with signed_in(site, database, person) as theirs:
        own = (await theirs.get("/commissions")).text
        linked = (await theirs.get("/settings")).text
    async with signed_in(site, database, await add_member(database, organization, Role.VIEWER)) as viewer:
        nothing = (await viewer.get("/commissions")).text
        unlinked = (await viewer.get("/settings")).text

    assert other != person
    assert "Deal of Petra" in shown
    assert "Deal of Oskar" in shown
    assert "Deal of Oskar" not in own
    assert "Deal of Petra" in own
    assert 'href="/commissions"' in linked
    assert "No deal of a partner has been won yet." in nothing
    assert 'href="/commissions"' not in unlinked


async def _partner_with_a_deal(database: Database, organization: Principal, name: str) -> Principal:
    person = await add_member(database, organization, Role.BIDI)
    async with database.transaction(organization, "test") as tx:
        bidi_id = await partners.seat_partner(tx, UserId(person.id), name, 1000)
        pipeline = await create_pipeline(tx, f"Of {name}", [NewStage("Open"), NewStage("Won", Outcome.WON)])
        won = (await list_stages(tx, pipeline.id))[-1]
        deal = await create_deal(tx, NewDeal(f"Deal of {name}", won.id, amount_minor=10_000, bidi_id=bidi_id))
        await follow_deal(tx, deal.id)
    return person


async def test_a_rate_is_changed_on_the_page_and_on_record(
    browser: Browser, database: Database, organization: Principal
) -> None:
    person = await add_member(database, organization, Role.BIDI)
    async with database.transaction(organization, "test") as tx:
        bidi_id = await partners.seat_partner(tx, UserId(person.id), "Petra", 1000)

    changed = await browser.post(f"/commissions/{bidi_id}/rate", commission="7.5")
    refused = await browser.post(f"/commissions/{bidi_id}/rate", commission="a lot")

    async with database.transaction(organization, "test") as tx:
        (partner,) = await partners.list_partners(tx)
        changes = await tx.value(
            """
            SELECT v.changes::text
              FROM events e
              JOIN event_changes v ON v.event_id = e.id
             WHERE e.type = 'bidi.updated'
            """
        )
    assert (changed.status_code, refused.status_code) == (303, 422)
    assert partner.basis_points == 750
    assert changes == '{"commission": ["10", "7.5"]}'
