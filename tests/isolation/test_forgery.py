"""The promise: every unsafe page x 6 forged origins, 0 accepted; each with the owner's cookie and a good token."""

import pytest

from crm.identity.models import Role
from tests.support.figures import FIGURE, Record
from tests.support.isolation import http
from tests.support.isolation.harness import Harness
from tests.support.isolation.recording import start_recording

# one worker builds the theatre once
pytestmark = pytest.mark.xdist_group("isolation")

FORGED = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://127.0.0.1.evil.example", "Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:1"},
    # what no browser of ours sends: the page's own origin, and another session's token
    {"X-CSRF-Token": "0" * 64, "Sec-Fetch-Site": "same-origin"},
)


async def test_forged_forms_of_some_pages_are_refused(harness: Harness, record_property: Record) -> None:
    await _forge(harness, record_property, every=8)


@pytest.mark.full
async def test_forged_forms_of_every_page_are_refused(harness: Harness, record_property: Record) -> None:
    await _forge(harness, record_property, every=1)


async def _forge(harness: Harness, record_property: Record, every: int) -> None:
    recording = await start_recording(harness)
    await recording.begin()
    owner = next(person for person in harness.people if person.role == Role.OWNER)
    pages = [
        operation
        for operation in harness.surface.operations
        if operation.method not in ("GET", "HEAD")
        and not operation.path.startswith(("/api/", "/webhooks/", "/mcp"))
    ][::every]
    last, accepted = await recording.last_event(), []
    for operation in pages:
        own = http.own_ids(harness.theatre, http.slots_of(harness.theatre, operation))
        path = operation.path.format(**{name: own.get(name) or "x" for name in _names(operation.path)})
        for forged in FORGED:
            headers = {"X-CSRF-Token": owner.csrf, **forged}
            answer = await owner.client.request(operation.method, path, headers=headers, data={"name": "x"})
            if answer.status_code != 403:
                accepted.append(f"{operation.name} with {forged}: {answer.status_code}")

    entries = await recording.entries_since(last)
    await recording.kept.end()
    record_property(
        FIGURE, f"forgery: {len(pages)} pages x {len(FORGED)} forged origins, {len(accepted)} accepted"
    )
    assert accepted == []
    assert entries == []


def _names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]
