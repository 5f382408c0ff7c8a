"""Signing in by an issuer: the true flow against the peer, what is forged, and whose an identity is."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx2
import pyotp
import pytest

from api.cookies import SESSION_COOKIE
from api.issuers import COOKIE
from core import clock, crypto
from core.addresses import tenant_reach
from core.db import Database
from core.envelopes import Keyring
from core.principal import Principal
from core.settings import Settings
from crm.identity import second_factors
from crm.identity.models import Role
from crm.identity.providers import NewProvider, set_provider
from crm.identity.queries import get_organization
from events.ids import UserId
from infra.peers.oidc.state import CLIENT_SECRET, Issuer, Mode, Person
from tests.support.oidc_peer import running_issuer
from tests.support.organizations import add_member, give_password
from tests.support.site import running_site
from tests.web.conftest import Browser, signed_in

KEY = "a key for tests only, 32 bytes long"
FORGED = (
    Mode.ALG_NONE,
    Mode.SHARED_SECRET,
    Mode.FOREIGN_KEY,
    Mode.WRONG_NONCE,
    Mode.NO_NONCE,
    Mode.WRONG_AUDIENCE,
    Mode.TWO_AUDIENCES,
    Mode.WRONG_ISSUER,
    Mode.EXPIRED,
    Mode.NOT_YET,
    Mode.NO_SUBJECT,
    Mode.NO_TOKEN,
    Mode.GARBAGE_TOKEN,
    Mode.OTHER_SENDER,
    Mode.DENIED,
)
BROKEN = (Mode.ERROR, Mode.GARBAGE, Mode.HUGE, Mode.MISNAMED)


@dataclass
class Stranger:
    """Somebody at the door in a browser that follows what a page says."""

    client: httpx2.AsyncClient

    async def send(self, at: str, to: str, **fields: str) -> httpx2.Response:
        shown = await self.client.get(at)
        token = re.search(r'name="csrf_token" value="([^"]+)"', shown.text)
        assert token, shown.text
        return await self.client.post(to, data={"csrf_token": token.group(1), **fields})

    async def leave(self, slug: str = "") -> str:
        """Where the page sends the browser."""
        at = f"/session/organization/{slug}" if slug else "/session/new"
        left = await self.send(at, "/session/issuer", slug=slug)
        assert left.status_code == 200, left.text
        return left.headers["Refresh"].partition("url=")[2]

    async def choose(self, url: str, subject: str) -> str:
        """Sign in at the issuer; where it sends the browser back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        async with httpx2.AsyncClient() as outside:
            answer = await outside.post(url.partition("?")[0], data={**asked, "subject": subject})
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    async def sign_in(self, subject: str, slug: str = "") -> httpx2.Response:
        return await self.client.get(await self.choose(await self.leave(slug), subject))

    async def is_in(self) -> bool:
        return (await self.client.get("/inbox")).status_code == 200


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with running_issuer() as running:
        yield running


@pytest.fixture
async def door(settings: Settings, issuer: Issuer) -> AsyncIterator[str]:
    """A site whose operator has named the issuer, and lets tenants name hosts of this machine."""
    named = settings.model_copy(
        update={
            "oidc_issuer": issuer.url,
            "oidc_client_id": "getsale",
            "oidc_client_secret": type(settings.secret_key)(CLIENT_SECRET),
            "oidc_name": "Peer ID",
            "internal_hosts": "127.0.0.1",
            "show_mails": True,
        }
    )
    async with running_site(named) as address:
        yield address


@pytest.fixture
async def stranger(door: str) -> AsyncIterator[Stranger]:
    async with httpx2.AsyncClient(base_url=door, timeout=20) as client:
        yield Stranger(client)


@pytest.fixture
async def olga(database: Database, organization: Principal, issuer: Issuer) -> str:
    """The owner, with a password, who is known at the issuer under her address; returns that."""
    email = await give_password(database, organization)
    issuer.people.append(Person(subject="olga", email=email, name="Olga"))
    return email


async def _letter(database: Database, who: Principal, kind: str) -> str | None:
    """The path of the link in the newest mail of a kind."""
    async with database.transaction(who, "test") as tx:
        row = await tx.value(
            "SELECT ARRAY[id::text, encode(content, 'hex')] FROM system_mails WHERE kind = %(kind)s ORDER BY id DESC",
            kind=kind,
        )
    if row is None:
        return None
    text = crypto.decrypt(KEY, bytes.fromhex(row[1]), f"system_mail {who.organization_id} {row[0]}")
    link = re.search(r"https?://\S+", text)
    assert link
    parts = urlsplit(link.group())
    return f"{parts.path}?{parts.query}"


async def _linked(stranger: Stranger, database: Database, organization: Principal) -> None:
    """Olga has confirmed by mail that the identity is hers."""
    await stranger.sign_in("olga")
    link = await _letter(database, organization, "identity")
    assert link is not None
    answer = await stranger.send(link, "/session/issuer/link", token=link.partition("token=")[2])
    assert answer.status_code == 200, answer.text


async def _set_own(
    database: Database, who: Principal, settings: Settings, issuer: Issuer, domain: str | None = None
) -> str:
    """Let the organization have the peer as its own; returns its slug."""
    reach = tenant_reach(settings.model_copy(update={"internal_hosts": "127.0.0.1"}))
    wanted = NewProvider("Lind ID", issuer.url, "lind", CLIENT_SECRET, domain)
    async with database.transaction(who, "test") as tx:
        await set_provider(tx, wanted, version=0, reach=reach, keys=Keyring(KEY))
        return (await get_organization(tx)).slug


async def test_an_identity_that_nobody_has_is_not_linked_by_its_address(
    stranger: Stranger, database: Database, organization: Principal, olga: str
) -> None:
    answer = await stranger.sign_in("olga")

    assert "Look into your mailbox" in answer.text
    assert olga in answer.text
    assert not await stranger.is_in()
    assert await _letter(database, organization, "identity") is not None


async def test_a_link_of_the_mail_links_it_once_it_is_pressed(
    stranger: Stranger, database: Database, organization: Principal, olga: str
) -> None:
    await stranger.sign_in("olga")
    link = await _letter(database, organization, "identity") or ""
    shown = await stranger.client.get(link)
    before = await stranger.sign_in("olga")

    await stranger.send(link, "/session/issuer/link", token=link.partition("token=")[2])
    after = await stranger.sign_in("olga")

    assert "Peer ID" in shown.text
    assert "Look into your mailbox" in before.text
    assert after.headers["Location"] == "/inbox"
    assert await stranger.is_in()
    assert await _letter(database, organization, "identity_linked") is not None


async def test_an_address_without_an_account_is_told_to_sign_up(stranger: Stranger) -> None:
    answer = await stranger.sign_in("anna")

    assert answer.status_code == 404
    assert "anna@lind.example" in answer.text
    assert not await stranger.is_in()


async def test_an_issuer_that_has_not_confirmed_the_address_lets_nobody_in(
    stranger: Stranger, issuer: Issuer, olga: str
) -> None:
    for mode in (Mode.UNVERIFIED, Mode.NO_EMAIL):
        issuer.faults.append(mode)

        answer = await stranger.sign_in("olga")

        assert answer.status_code == 403
        assert "has not confirmed your mail address" in answer.text


@pytest.mark.parametrize("mode", FORGED)
async def test_what_is_forged_lets_nobody_in(
    stranger: Stranger, database: Database, organization: Principal, issuer: Issuer, olga: str, mode: Mode
) -> None:
    await _linked(stranger, database, organization)
    issuer.faults.append(mode)

    answer = await stranger.sign_in("olga")

    assert answer.status_code == 422
    assert "could not be confirmed" in answer.text
    assert SESSION_COOKIE not in stranger.client.cookies
    assert not issuer.faults
    assert (await stranger.sign_in("olga")).status_code == 303


@pytest.mark.parametrize("mode", BROKEN)
async def test_an_issuer_that_is_broken_is_named(stranger: Stranger, issuer: Issuer, mode: Mode) -> None:
    issuer.faults.append(mode)

    answer = await stranger.send("/session/new", "/session/issuer")

    assert answer.status_code == 503
    assert "does not answer as it should" in answer.text
    assert urlsplit(issuer.url).netloc in answer.text


async def test_an_issuer_that_is_down_is_named(settings: Settings) -> None:
    async with running_issuer() as gone:
        url = gone.url
    down = settings.model_copy(update={"oidc_issuer": url, "oidc_client_id": "getsale"})
    async with running_site(down) as door, httpx2.AsyncClient(base_url=door, timeout=20) as client:
        answer = await Stranger(client).send("/session/new", "/session/issuer")

    assert answer.status_code == 503
    assert urlsplit(url).netloc in answer.text


async def test_a_code_is_good_once(
    stranger: Stranger, database: Database, organization: Principal, olga: str
) -> None:
    await _linked(stranger, database, organization)
    url = await stranger.leave()
    begun = stranger.client.cookies.get(COOKIE)
    back = await stranger.choose(url, "olga")
    first = await stranger.client.get(back)
    stranger.client.cookies.clear()
    stranger.client.cookies.set(COOKIE, begun or "")

    again = await stranger.client.get(back)

    assert first.status_code == 303
    assert again.status_code == 422
    assert not await stranger.is_in()


async def test_a_code_of_another_browser_is_refused(
    stranger: Stranger, door: str, database: Database, organization: Principal, olga: str
) -> None:
    await _linked(stranger, database, organization)
    theirs = await stranger.choose(await stranger.leave(), "olga")
    async with httpx2.AsyncClient(base_url=door, timeout=20) as client:
        nobody = await client.get(theirs)
        other = Stranger(client)
        await other.leave()
        mixed = await client.get(theirs)

    assert nobody.status_code == 422
    assert "not begun in this browser" in nobody.text
    assert mixed.status_code == 422


async def test_a_code_with_another_state_or_another_flows_code_is_refused(
    stranger: Stranger, database: Database, organization: Principal, olga: str
) -> None:
    await _linked(stranger, database, organization)
    stolen = parse_qs(urlsplit(await stranger.choose(await stranger.leave(), "olga")).query)["code"][0]
    back = urlsplit(await stranger.choose(await stranger.leave(), "olga"))
    own = {name: values[0] for name, values in parse_qs(back.query).items()}

    # the code was asked for with another verifier, and its token carries another nonce
    answer = await stranger.client.get(back.path, params={**own, "code": stolen})

    assert answer.status_code == 422
    assert not await stranger.is_in()


async def test_the_issuer_is_shown_the_verifier_and_the_secret(
    stranger: Stranger, database: Database, organization: Principal, issuer: Issuer, olga: str
) -> None:
    await stranger.sign_in("olga")

    asked = issuer.requests[-1]

    assert len(asked["code_verifier"]) >= 43
    assert asked["authorization"].startswith("Basic ")
    assert "client_secret" not in asked


async def test_a_second_factor_is_asked_for(
    stranger: Stranger, database: Database, organization: Principal, olga: str
) -> None:
    await _linked(stranger, database, organization)
    totp = await _turn_on(database, organization)

    first = await stranger.sign_in("olga")

    assert first.headers["Location"].startswith("/session/code")
    assert not await stranger.is_in()
    wrong = await stranger.send("/session/code", "/session/code", code="000000")
    right = await stranger.send(
        "/session/code", "/session/code", code=totp.at(clock.now() + timedelta(seconds=30))
    )
    assert (wrong.status_code, right.status_code) == (401, 303)
    assert await stranger.is_in()


async def _turn_on(database: Database, who: Principal) -> pyotp.TOTP:
    user_id = UserId(who.id)
    async with database.transaction(who, "test") as tx:
        await second_factors.begin(tx, user_id, keys=Keyring(KEY))
        uri = await second_factors.provisioning_uri(tx, user_id, "olga", keys=Keyring(KEY))
        totp = pyotp.TOTP(parse_qs(urlsplit(uri).query)["secret"][0])
        await second_factors.confirm(tx, user_id, totp.at(clock.now()), keys=Keyring(KEY))
    return totp


async def test_a_new_device_is_told_of_and_the_audit_names_the_issuer(
    stranger: Stranger, database: Database, organization: Principal, issuer: Issuer, olga: str
) -> None:
    async with signed_in(str(stranger.client.base_url), database, organization):
        await _linked(stranger, database, organization)
        await stranger.sign_in("olga")

    async with database.transaction(organization, "test") as tx:
        told = await tx.value("SELECT count(*) FROM system_mails WHERE kind = 'new_device'")
        changes = await tx.value(
            """
            SELECT v.changes::text
              FROM events e
              JOIN event_changes v ON v.event_id = e.id
             WHERE e.type = 'user.logged_in'
            """
        )
    assert told == 1
    assert issuer.url in changes


async def test_an_account_that_has_to_wait_waits_here_too(
    stranger: Stranger, door: str, database: Database, organization: Principal, olga: str
) -> None:
    await _linked(stranger, database, organization)
    async with httpx2.AsyncClient(base_url=door, timeout=20) as client:
        for _ in range(11):
            await Stranger(client).send("/session/new", "/session", email=olga, password="not this one")

    answer = await stranger.sign_in("olga")

    assert answer.status_code == 429
    assert not await stranger.is_in()


async def test_a_profile_links_and_unlinks(
    door: str, database: Database, organization: Principal, issuer: Issuer, olga: str
) -> None:
    issuer.people.append(Person(subject="another", email="other@elsewhere.example"))
    async with signed_in(door, database, organization) as page:
        left = await page.post("/profile/identities")
        stranger = Stranger(page.client)
        back = await stranger.choose(left.headers["Refresh"].partition("url=")[2], "another")
        linked = await page.get(back)
        shown = (await page.get("/profile")).text
        unlink = re.search(r'action="(/profile/identities/[^"]+/removal)"', shown)
        assert unlink, shown
        unlinked = await page.post(unlink.group(1))
        after = (await page.get("/profile")).text

    assert linked.headers["Location"] == "/profile?saved=identity"
    assert "other@elsewhere.example" in shown
    assert unlinked.status_code == 303
    assert "other@elsewhere.example" not in after


async def test_a_link_that_was_begun_in_another_session_is_not_made(
    door: str, database: Database, organization: Principal, olga: str
) -> None:
    async with signed_in(door, database, organization) as page:
        left = await page.post("/profile/identities")
        back = await Stranger(page.client).choose(left.headers["Refresh"].partition("url=")[2], "olga")
        await page.post("/session/end")
        answer = await page.get(back)

    assert answer.status_code == 422


async def test_the_last_way_in_stays(
    stranger: Stranger, door: str, database: Database, organization: Principal, issuer: Issuer
) -> None:
    issuer.people.append(Person(subject="olga", email=f"{organization.id}@test.example"))
    await _linked(stranger, database, organization)
    async with signed_in(door, database, organization) as page:
        shown = (await page.get("/profile")).text
        unlink = re.search(r'action="(/profile/identities/[^"]+/removal)"', shown)
        assert unlink
        refused = await page.post(unlink.group(1))
        await give_password(database, organization)

    assert refused.status_code == 409
    async with signed_in(door, database, organization) as page:
        assert (await page.post(unlink.group(1))).status_code == 303


async def test_an_organizations_own_issuer_lets_its_people_join(
    stranger: Stranger, database: Database, organization: Principal, settings: Settings, issuer: Issuer
) -> None:
    slug = await _set_own(database, organization, settings, issuer, domain="lind.example")
    asked = await stranger.sign_in("boris", slug)
    link = await _letter(database, organization, "identity") or ""
    await stranger.send(link, "/session/issuer/link", token=link.partition("token=")[2])

    joined = await stranger.sign_in("boris", slug)

    assert "Look into your mailbox" in asked.text
    assert joined.headers["Location"] == "/inbox"
    assert await stranger.is_in()
    async with database.transaction(organization, "test") as tx:
        roles = await tx.value("SELECT array_agg(role) FROM members WHERE name = 'Борис Линд'")
    assert roles == [Role.VIEWER]


async def test_an_organizations_own_issuer_brings_no_stranger_and_nobody_who_left(
    stranger: Stranger, database: Database, organization: Principal, settings: Settings, issuer: Issuer
) -> None:
    slug = await _set_own(database, organization, settings, issuer, domain="test.example")
    left = await add_member(database, organization, Role.BIDI)
    issuer.people.append(Person(subject="left", email=f"{left.id}@test.example"))
    async with database.transaction(organization, "test") as tx:
        await tx.execute("UPDATE members SET removed_at = now() WHERE user_id = %(id)s", id=left.id)

    stranger_answer, left_answer = await stranger.sign_in("anna", slug), await stranger.sign_in("left", slug)

    assert (stranger_answer.status_code, left_answer.status_code) == (403, 403)


async def test_whom_an_organizations_own_issuer_let_in_goes_nowhere_else(
    stranger: Stranger,
    database: Database,
    organization: Principal,
    other_organization: Principal,
    settings: Settings,
    issuer: Issuer,
    olga: str,
) -> None:
    slug = await _set_own(database, organization, settings, issuer)
    async with database.transaction(other_organization, "test") as tx:
        await tx.execute(
            """
            INSERT INTO members (organization_id, id, user_id, name, role)
            VALUES (%(organization_id)s, gen_random_uuid(), %(user_id)s, 'Olga', 'admin')
            """,
            organization_id=other_organization.organization_id,
            user_id=organization.id,
        )
    await stranger.sign_in("olga", slug)
    link = await _letter(database, organization, "identity") or ""
    await stranger.send(link, "/session/issuer/link", token=link.partition("token=")[2])
    await stranger.sign_in("olga", slug)

    away = f"/organizations/{other_organization.organization_id}/entry"
    answers = {
        away: (await stranger.send("/organizations", away)).status_code,
        "/organizations": (await stranger.send("/organizations", "/organizations", name="Mine")).status_code,
        "/profile/second-factor": (
            await stranger.send("/profile/second-factor", "/profile/second-factor")
        ).status_code,
    }
    global_flow = await stranger.send("/profile", "/profile/identities")
    back = await stranger.choose(global_flow.headers["Refresh"].partition("url=")[2], "anna")

    assert await stranger.is_in()
    assert set(answers.values()) == {403}, answers
    assert (await stranger.client.get(back)).status_code == 403


async def test_one_organizations_issuer_vouches_for_nobody_of_another(
    stranger: Stranger,
    database: Database,
    organization: Principal,
    other_organization: Principal,
    settings: Settings,
    issuer: Issuer,
    olga: str,
) -> None:
    await _linked(stranger, database, organization)
    slug = await _set_own(database, other_organization, settings, issuer)

    answer = await stranger.sign_in("olga", slug)

    assert answer.status_code == 403
    assert not await stranger.is_in()


async def test_unknown_organizations_and_those_without_an_issuer_answer_alike(
    stranger: Stranger, database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        slug = (await get_organization(tx)).slug

    known = await stranger.client.get(f"/session/organization/{slug}")
    unknown = await stranger.client.get("/session/organization/nobody-has-this")

    assert known.status_code == unknown.status_code == 404
    assert _card(known.text) == _card(unknown.text)


def _card(page: str) -> str:
    """What a page says, without the token of its forms."""
    return re.sub(r"[0-9a-f]{64}", "", page)


async def test_a_tenants_issuer_inside_our_network_is_not_called(
    site: str, database: Database, organization: Principal, settings: Settings, issuer: Issuer
) -> None:
    slug = await _set_own(database, organization, settings, issuer)
    async with httpx2.AsyncClient(base_url=site, timeout=20) as client:
        answer = await Stranger(client).send(f"/session/organization/{slug}", "/session/issuer", slug=slug)

    assert answer.status_code == 503
    assert not issuer.requests


async def test_a_settings_page_keeps_the_secret_and_never_shows_it(
    site: str, database: Database, organization: Principal
) -> None:
    async with signed_in(site, database, organization) as page:
        bad = await _set_on_page(page, issuer="http://id.lind.example", client_secret="hush")
        saved = await _set_on_page(page, client_secret="hush-hush")
        shown = (await page.get("/settings/sign-in")).text
        stale = await _set_on_page(page, client_secret="x")
        kept = await _set_on_page(page, version="1", domain="@Lind.example")
        removed = await page.post("/settings/sign-in/removal")

    assert (bad.status_code, saved.status_code, stale.status_code) == (422, 303, 412)
    assert (kept.status_code, removed.status_code) == (303, 303)
    assert "hush-hush" not in shown
    assert "/session/organization/" in shown


async def _set_on_page(page: Browser, **more: str) -> httpx2.Response:
    plain = {"version": "0", "name": "Lind ID", "issuer": "https://id.lind.example", "client_id": "getsale"}
    return await page.client.post("/settings/sign-in", data={"csrf_token": page.token, **plain, **more})
