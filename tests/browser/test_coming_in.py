"""From nothing to a team in Chromium: sign up, a second factor, colleagues, what each sees, and the audit of it all."""

import re
from dataclasses import dataclass
from itertools import count

import pyotp
from playwright.async_api import Browser, BrowserContext, Page, expect

from core import clock
from tests.support.browser import Person
from tests.support.stage import Stage

PASSWORD = "correct horse battery"
_firms = count(1)


@dataclass
class Phone:
    """The app with the second factor: two codes are good at any moment, and each of them once."""

    totp: pyotp.TOTP
    step: int = 0

    def code(self) -> str:
        self.step = max(self.step + 1, int(clock.now().timestamp()) // 30)
        return self.totp.generate_otp(self.step)


@dataclass(frozen=True)
class Newcomer:
    """Somebody at a browser of their own, whom nobody here knows yet."""

    page: Page
    base: str
    email: str

    @classmethod
    async def arrive(cls, chromium: Browser, stage: Stage, email: str) -> "Newcomer":
        return cls(await Person(chromium, stage).door(), stage.fleet.base, email)

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    async def goto(self, path: str) -> None:
        await self.page.goto(f"{self.base}{path}")

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def follow_mail(self, subject: re.Pattern[str]) -> None:
        """Read the mail to this address on the page of mails, and follow its link."""
        mail = self.page.locator("article", has_text=self.email).filter(has_text=subject)
        await self.goto("/mails")
        while not await mail.count():
            await self.page.wait_for_timeout(200)
            await self.page.reload()
        link = mail.first.get_by_role("link").first
        await self.page.goto(str(await link.get_attribute("href")))

    async def sign_in(self, phone: Phone | None = None) -> None:
        await self.goto("/session/new")
        await self.page.fill("input[name=email]", self.email)
        await self.page.fill("input[name=password]", PASSWORD)
        await self.page.press("input[name=password]", "Enter")
        if phone is not None:
            await self.page.wait_for_url(re.compile("/session/code"))
            await self.page.fill("input[name=code]", phone.code())
            await self.press("Sign in")
        await self.page.wait_for_url("**/inbox*")


async def test_a_firm_begins_grows_and_reads_its_audit(chromium: Browser, stage: Stage) -> None:
    firm = next(_firms)
    olga = await Newcomer.arrive(chromium, stage, f"olga@firm{firm}.example")
    await _sign_up(olga, f"Quay {firm}")
    phone = await _second_factor(olga)

    colleague = await _invited(olga, chromium, stage, f"tomas@firm{firm}.example", "Tomas Ferreira")
    partner = await _invited(olga, chromium, stage, f"paulo@firm{firm}.example", "Paulo Prado", "partner")
    await _contact(olga, "Hildur Stone")
    await _contact(colleague, "Ragna Frost")
    await _contact(partner, "Sindri Vale")

    assert await _contacts(olga) == {"Hildur Stone", "Ragna Frost", "Sindri Vale"}
    assert await _contacts(colleague) == {"Ragna Frost"}
    assert await _contacts(partner) == {"Sindri Vale"}
    assert await _is_offered_exports(olga)
    assert not await _is_offered_exports(partner)

    elsewhere = await Newcomer.arrive(chromium, stage, olga.email)
    await elsewhere.sign_in(phone)
    await _end_others(olga)
    await elsewhere.page.wait_for_url(re.compile("/session/new"), timeout=5000)

    found = await _audit(olga)
    for happened in ("Second factor switched on", "Paulo Prado", "Ragna Frost", "Session ended by somebody"):
        assert happened in found


async def _sign_up(person: Newcomer, organization: str) -> None:
    await person.goto("/sign-up")
    for field, value in {
        "name": "Olga Ring", "organization": organization, "email": person.email, "password": PASSWORD,
    }.items():  # fmt: skip
        await person.page.fill(f"input[name={field}]", value)
    await person.press("Sign up")
    await person.follow_mail(re.compile("Confirm"))
    await person.press("Confirm")
    await person.sign_in()


async def _second_factor(person: Newcomer) -> Phone:
    await person.goto("/profile/second-factor")
    await person.press("Set up an app")
    await expect(person.page.get_by_role("img", name="QR code")).to_be_visible()
    secret = await person.page.locator(".factor-steps code").inner_text()
    phone = Phone(pyotp.TOTP(secret.replace(" ", "")))
    await person.page.fill("input[name=code]", phone.code())
    await person.press("Turn it on")
    await expect(person.page.locator(".recovery-codes li")).to_have_count(10)
    return phone


async def _invited(
    owner: Newcomer, chromium: Browser, stage: Stage, email: str, name: str, role: str = "bidi"
) -> Newcomer:
    """Invite somebody by mail; they follow its link and are in."""
    await owner.goto("/settings/members")
    await owner.page.fill("input[name=email]", email)
    await owner.page.select_option("select[name=role]", role)
    if role == "partner":
        await owner.page.fill("input[name=commission]", "10")
    await owner.press("Invite")
    person = await Newcomer.arrive(chromium, stage, email)
    await person.follow_mail(re.compile("invites"))
    await person.page.fill("input[name=name]", name)
    await person.page.fill("input[name=password]", PASSWORD)
    await person.press("Make an account and join")
    await person.page.wait_for_url("**/inbox*")
    return person


async def _contact(person: Newcomer, name: str) -> None:
    await person.goto("/contacts/new")
    await person.page.get_by_label("Name", exact=True).fill(name)
    await person.press("Add")
    await person.page.wait_for_url(re.compile("/contacts/[0-9a-f-]{36}"))


async def _contacts(person: Newcomer) -> set[str]:
    await person.goto("/contacts")
    return set(await person.page.locator("tbody a.row-link").all_inner_texts())


async def _is_offered_exports(person: Newcomer) -> bool:
    await person.goto("/contacts")
    return await person.page.locator('a[href^="/exports/"]').count() > 0


async def _end_others(person: Newcomer) -> None:
    await person.goto("/sessions")
    await person.press("End all others")


async def _audit(person: Newcomer) -> str:
    await person.goto("/audit")
    return await person.page.locator("ol.audit").inner_text()
