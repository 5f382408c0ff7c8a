"""A second factor: set up, asked for, good once, lost and turned off."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx2
import pyotp
import pytest

from api.cookies import SESSION_COOKIE
from core import clock
from core.db import Database
from core.envelopes import Keyring
from core.errors import Unauthorized
from core.principal import Principal
from crm.identity import second_factors
from events.ids import UserId
from tests.support.figures import FIGURE, Record
from tests.support.organizations import PASSWORD, give_password
from tests.web.conftest import Browser, signed_in

KEY = "a key for tests only, 32 bytes long"


@dataclass
class Phone:
    """The app, which reads the picture of the page."""

    totp: pyotp.TOTP
    step: int = 0

    def code(self) -> str:
        """The code of a step of time that was not used yet: two are good at any moment."""
        self.step = max(self.step + 1, int(clock.now().timestamp()) // 30)
        return self.totp.generate_otp(self.step)


async def _phone(page: Browser) -> tuple[Phone, list[str]]:
    """Set a factor up on the page; the app and the recovery codes."""
    await page.post("/profile/second-factor")
    shown = (await page.get("/profile/second-factor")).text
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", shown)
    assert secret, shown
    phone = Phone(pyotp.TOTP(secret.group(1).replace(" ", "")))
    confirmed = await page.post("/profile/second-factor/confirmation", code=phone.code())
    assert confirmed.status_code == 200, confirmed.text
    return phone, re.findall(r"<li><code>([a-z2-7-]+)</code></li>", confirmed.text)


@pytest.fixture
async def page(site: str, database: Database, organization: Principal) -> AsyncIterator[Browser]:
    await give_password(database, organization)
    async with signed_in(site, database, organization) as opened:
        yield opened


@dataclass
class Visitor:
    """Somebody at the door in a browser that nobody knows."""

    client: httpx2.AsyncClient
    email: str

    async def send(self, at: str, to: str, **fields: str) -> httpx2.Response:
        shown = await self.client.get(at)
        token = re.search(r'name="csrf_token" value="([^"]+)"', shown.text)
        assert token, shown.text
        return await self.client.post(to, data={"csrf_token": token.group(1), **fields})

    async def password(self, password: str = PASSWORD) -> httpx2.Response:
        return await self.send("/session/new", "/session", email=self.email, password=password)

    async def code(self, code: str) -> httpx2.Response:
        return await self.send("/session/code", "/session/code", code=code)


@pytest.fixture
async def visitor(site: str, organization: Principal) -> AsyncIterator[Visitor]:
    async with httpx2.AsyncClient(base_url=site, timeout=20) as client:
        yield Visitor(client, f"{organization.id}@test.example")


async def test_the_picture_says_the_secret_the_person_and_the_product(
    page: Browser, database: Database, organization: Principal
) -> None:
    await page.post("/profile/second-factor")
    shown = (await page.get("/profile/second-factor")).text
    user_id = UserId(organization.id)
    async with database.transaction(organization, "test") as tx:
        uri = await second_factors.provisioning_uri(tx, user_id, "anna@test.example", keys=Keyring(KEY))

    assert 'src="data:image/svg+xml' in shown
    assert parse_qs(urlsplit(uri).query)["issuer"] == ["GetSale"]
    assert "anna%40test.example" in uri


async def test_the_password_alone_lets_nobody_in_any_more(page: Browser, visitor: Visitor) -> None:
    phone, codes = await _phone(page)

    first = await visitor.password()

    assert first.headers["Location"].startswith("/session/code")
    assert SESSION_COOKIE not in first.cookies
    assert (await visitor.code("000000")).status_code == 401
    assert (await visitor.code("")).status_code == 401
    assert (await visitor.code(phone.code())).status_code == 303
    assert (await visitor.client.get("/inbox")).status_code == 200
    assert len(set(codes)) == second_factors.RECOVERY_CODES


async def test_a_code_without_the_password_leads_back_to_the_door(page: Browser, visitor: Visitor) -> None:
    phone, _ = await _phone(page)

    answer = await visitor.code(phone.code())

    assert answer.headers["Location"].startswith("/session/new")


async def test_a_recovery_code_lets_in_once(page: Browser, visitor: Visitor) -> None:
    _, codes = await _phone(page)
    await visitor.password()

    assert (await visitor.code(codes[0].upper().replace("-", " "))).status_code == 303
    visitor.client.cookies.clear()
    await visitor.password()
    assert (await visitor.code(codes[0])).status_code == 401


async def test_a_program_gives_the_code_with_the_password(page: Browser, visitor: Visitor) -> None:
    phone, _ = await _phone(page)
    sent = {"email": visitor.email, "password": PASSWORD}

    without = await visitor.client.post("/api/v1/auth/tokens", json=sent)
    with_code = await visitor.client.post("/api/v1/auth/tokens", json=sent | {"code": phone.code()})

    assert without.status_code == 401
    assert without.json()["type"] == "urn:getsale:problem:second_factor_required"
    assert with_code.status_code == 201


async def test_new_recovery_codes_replace_the_old_ones(page: Browser, visitor: Visitor) -> None:
    phone, old = await _phone(page)

    renewed = await page.post("/profile/second-factor/recovery-codes", code=phone.code())

    new = re.findall(r"<li><code>([a-z2-7-]+)</code></li>", renewed.text)
    assert len(new) == len(old)
    await visitor.password()
    assert (await visitor.code(old[0])).status_code == 401
    assert (await visitor.code(new[0])).status_code == 303


async def test_it_is_turned_off_only_with_a_code(page: Browser, visitor: Visitor) -> None:
    _, codes = await _phone(page)

    assert (await page.post("/profile/second-factor/removal", code="123456")).status_code == 422
    assert (await page.post("/profile/second-factor/removal", code=codes[1])).status_code == 303
    assert (await visitor.password()).headers["Location"] == "/inbox"


async def test_another_app_is_set_up_only_after_the_first_is_turned_off(page: Browser) -> None:
    await _phone(page)

    assert (await page.post("/profile/second-factor")).status_code == 409


async def test_neither_the_secret_nor_a_recovery_code_is_kept_in_the_open(
    page: Browser, database: Database, organization: Principal
) -> None:
    phone, codes = await _phone(page)
    async with database.transaction(organization, "test") as tx:
        kept = await tx.value(
            "SELECT encode(secret, 'escape') FROM second_factors WHERE user_id = %(id)s", id=organization.id
        )
        hashes = await tx.value("SELECT string_agg(encode(code_hash, 'escape'), ' ') FROM recovery_codes")

    assert phone.totp.secret not in kept
    assert not any(code in hashes or code.replace("-", "") in hashes for code in codes)


# races ------------------------------------------------------------------------------------------------------------
CODES, FULL_CODES, PARALLEL = 25, 500, 10


async def test_a_code_works_once_however_many_use_it(
    database: Database, organization: Principal, record_property: Record
) -> None:
    await _race(database, organization, CODES, record_property)


@pytest.mark.full
async def test_a_code_works_once_however_often_that_is_tried(
    database: Database, organization: Principal, record_property: Record
) -> None:
    await _race(database, organization, FULL_CODES, record_property)


async def _race(database: Database, person: Principal, codes: int, record: Record) -> None:
    user_id = UserId(person.id)
    async with database.transaction(person, "test") as tx:
        await second_factors.begin(tx, user_id, keys=Keyring(KEY))
        uri = await second_factors.provisioning_uri(tx, user_id, "anna@test.example", keys=Keyring(KEY))
    totp = pyotp.parse_uri(uri)
    assert isinstance(totp, pyotp.TOTP)
    began, successes = clock.now(), []
    for number in range(codes):
        at = began + timedelta(seconds=30 * number)
        code = totp.at(at)
        with clock.frozen(at):
            came_in = await asyncio.gather(*(_use(database, person, code) for _ in range(PARALLEL)))
        successes.append(sum(came_in))
    record(FIGURE, f"totp: {codes} codes x {PARALLEL} parallel uses, {sum(successes)} successes")
    assert successes == [1] * codes


async def _use(database: Database, person: Principal, code: str) -> bool:
    try:
        async with database.transaction(person, "test") as tx:
            await second_factors.use_code(tx, UserId(person.id), code, keys=Keyring(KEY))
    except Unauthorized:
        return False
    return True


async def test_an_earlier_code_is_no_good_after_a_later_one(
    database: Database, organization: Principal
) -> None:
    user_id = UserId(organization.id)
    async with database.transaction(organization, "test") as tx:
        await second_factors.begin(tx, user_id, keys=Keyring(KEY))
        totp = pyotp.parse_uri(
            await second_factors.provisioning_uri(tx, user_id, "a@b.example", keys=Keyring(KEY))
        )
    assert isinstance(totp, pyotp.TOTP)
    now: datetime = clock.now()

    assert await _use(database, organization, totp.at(now))
    assert not await _use(database, organization, totp.at(now - timedelta(seconds=30)))
