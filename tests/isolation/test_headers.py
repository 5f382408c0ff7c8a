"""Every answer tells the browser what it may do with it: pages, the API, files, errors, and bugs."""

import httpx2
import pytest
from fastapi import APIRouter

from api.headers import HEADERS, HSTS
from api.main import create_app
from core.settings import Settings
from crm.identity.models import Role
from tests.support.figures import FIGURE, Record
from tests.support.isolation import http
from tests.support.isolation.harness import Harness
from tests.support.isolation.http import NOBODY, Ask
from tests.support.site import running_app, running_site
from web.security import POLICY

# one worker builds the theatre once
pytestmark = pytest.mark.xdist_group("isolation")

ALWAYS = {
    name.lower(): value
    for name, value in HEADERS.items()
    if name not in ("Content-Security-Policy", "Cache-Control")
}
# What may be kept: its address changes with it, or it says so itself.
KEPT = ("/static/", "/api/openapi.json")


async def test_every_answer_to_everybody_carries_the_headers(
    harness: Harness, record_property: Record
) -> None:
    people = [one for one in harness.people if one.role in (NOBODY, Role.OWNER)]
    asked, wrong, statuses = 0, [], set()
    for operation in harness.surface.operations:
        if operation.name in http.ENDLESS | http.ENDING:
            continue
        own = http.own_ids(harness.theatre, http.slots_of(harness.theatre, operation))
        for person in people:
            # what the owner changed would be missing to the tests after this one
            if person.role == Role.OWNER and operation.method != "GET":
                continue
            answer = await http.send(harness.theatre, person, Ask(operation, own))
            asked += 1
            statuses.add(answer.status)
            headers = dict(line.split(": ", 1) for line in answer.raw.split("\n") if ": " in line)
            wrong += [
                f"{operation.name} as {person.role}, {answer.status}: {one}"
                for one in _missing(operation.path, headers)
            ]

    record_property(
        FIGURE, f"headers: {asked:,} answers of {len(harness.surface.operations)} routes, {len(wrong)} wrong"
    )
    assert wrong == []
    assert statuses >= {200, 303, 401, 404, 422}


def _missing(path: str, headers: dict[str, str]) -> list[str]:
    wrong = [f"{name} is {headers.get(name)}" for name, value in ALWAYS.items() if headers.get(name) != value]
    policy = headers.get("content-security-policy", "")
    if not policy.startswith("default-src 'none'") or "unsafe" in policy or "*" in policy or "http" in policy:
        wrong.append(f"the policy is {policy!r}")
    # what has a version is asked for again with it, and kept by nobody in between
    if not path.startswith(KEPT) and headers.get("cache-control") not in ("no-store", "private, no-cache"):
        wrong.append(f"it may be kept: {headers.get('cache-control')}")
    return wrong


async def test_what_is_not_there_and_what_breaks_carry_them_too(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"public_url": "https://getsale.example"}))
    broken = APIRouter()

    @broken.get("/api/broken")
    async def breaks() -> None:
        raise RuntimeError("a bug")

    app.router.routes[:0] = broken.routes
    async with running_app(app) as site, httpx2.AsyncClient(base_url=site, timeout=20) as client:
        answers = [
            await client.request(method, path)
            for method, path in (
                ("GET", "/nowhere"), ("GET", "/api/v1/nowhere"), ("PUT", "/session"), ("GET", "/static/0/nowhere.css"),
                ("POST", "/api/v1/contacts"), ("GET", "/api/broken"), ("GET", "/inbox"), ("GET", "/healthz"),
            )
        ]  # fmt: skip

    assert [answer.status_code for answer in answers] == [404, 404, 405, 404, 401, 500, 303, 200]
    for answer in answers:
        assert (
            _missing("/static/" if "static" in answer.url.path else answer.url.path, dict(answer.headers))
            == []
        )
        assert answer.headers["Strict-Transport-Security"] == HSTS


async def test_without_https_nothing_is_said_of_it(settings: Settings) -> None:
    async with running_site(settings) as site, httpx2.AsyncClient(base_url=site, timeout=20) as client:
        assert "Strict-Transport-Security" not in (await client.get("/session/new")).headers


def test_a_page_runs_no_code_of_its_own_and_leaves_for_nowhere() -> None:
    said = dict(part.strip().split(" ", 1) for part in POLICY.split(";"))

    assert {said[name] for name in ("script-src", "style-src", "connect-src", "form-action")} == {"'self'"}
    assert {said[name] for name in ("default-src", "base-uri", "frame-ancestors")} == {"'none'"}
