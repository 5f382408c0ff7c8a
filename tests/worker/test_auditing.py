"""The sealer and the anchors as the worker runs them, and what `getsale audit verify` says about it."""

import json
from collections.abc import AsyncIterator
from random import Random

import pytest

from core.principal import Principal
from core.settings import Settings
from crm.identity.queries import get_organization
from events.outbox import SEAL
from infra import auditing
from tests.support.auditing import Book, make_book, write_events
from tests.support.working import carry_out_due
from worker import services as worker_services
from worker.auditing import ANCHOR
from worker.services import Services


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    async with worker_services.build(settings) as built:
        yield built


async def _work(services: Services, book: Book) -> None:
    """What the relay and the workers do in the next minute."""
    await book.route()
    for kind in (SEAL, ANCHOR):
        async with services.db.transaction(book.owner, "test") as tx:
            await tx.execute(
                """
                UPDATE due_work
                   SET due_at = now()
                 WHERE organization_id = %(organization_id)s
                   AND kind = %(kind)s
                """,
                organization_id=tx.organization_id,
                kind=kind,
            )
        await carry_out_due(services, book.owner, kind)


async def _told(services: Services, settings: Settings, organization: Principal) -> dict[str, object]:
    async with services.db.transaction(organization, "test") as tx:
        slug = (await get_organization(tx)).slug
    (told,) = await auditing.verify(settings, slug)
    found: dict[str, object] = json.loads(json.dumps(told.to_json()))
    return found


async def test_what_happened_is_sealed_and_anchored_soon(
    services: Services, settings: Settings, organization: Principal
) -> None:
    book = make_book(services.db, services.db, organization, settings.data)
    await write_events(book, 5, Random(1))

    await _work(services, book)
    told = await _told(services, settings, organization)

    assert (told["sealed"], told["waiting"], told["anchors"], told["broken"]) == (5, 0, 1, None)


async def test_the_command_names_the_first_broken_place(
    services: Services, settings: Settings, organization: Principal
) -> None:
    book = make_book(services.db, services.db, organization, settings.data)
    await write_events(book, 5, Random(1))
    await _work(services, book)
    book.anchors.path(book.id).write_text("nothing of ours\n")

    told = await _told(services, settings, organization)

    assert told["broken"] == {
        "fault": "anchor_changed",
        "position": None,
        "event_id": None,
        "line": 1,
        "detail": "BROKEN: line 1 of the anchors is not what was written",
    }
