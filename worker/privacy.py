"""Requests of people about their own data: what there is of them is looked for, written down, or erased."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from core.db import Tx
from core.errors import NotFound
from core.settings import Settings
from crm.privacy import actions as privacy
from crm.privacy.looking import look, write_file
from crm.privacy.models import EXPORTS, Person, Request, RequestKind, RequestStatus
from crm.privacy.people import find_person
from crm.privacy.queries import get_request
from events.ids import PrivacyRequestId
from worker.erasing import Desk, erase
from worker.jobs import Job, Postpone

_PIECE = 256 * 1024


async def work_on_privacy(job: Job) -> Postpone | None:
    """Do what a request waits for; one that was cancelled or is done waits for nothing."""
    request_id = PrivacyRequestId(job.subject_id)
    async with job.transaction("load") as tx:
        request = await get_request(tx, request_id)
        person = await find_person(tx, {request.contact_id, *request.contact_ids})
    if request.status is RequestStatus.LOOKING:
        await _look(job, request, person)
    elif request.status is RequestStatus.RUNNING:
        await _erase(job, request)
    return None


async def _look(job: Job, request: Request, person: Person) -> None:
    found = await look(job.transaction, person)
    async with job.transaction("keep") as tx:
        await privacy.keep_found(tx, request.id, list(person.contacts), found.led, found.quoted)
    if request.kind is RequestKind.EXPORT:
        await _export(job, request, person)


async def _export(job: Job, request: Request, person: Person) -> None:
    blobs = job.services.blobs
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        path = Path(folder) / "export.zip"
        await write_file(job.transaction, blobs, request, person, path)
        key, size = await blobs.apart(EXPORTS).put_stream(request.organization_id, _pieces(path))
    async with job.transaction("finish") as tx:
        await privacy.finish_export(tx, request.id, key, size)


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


async def _erase(job: Job, request: Request) -> None:
    services = job.services
    desk = Desk(services.settings, job.principal, job.transaction, services.blobs, services.graph)
    left = await erase(desk, request.id, {request.contact_id, *request.contact_ids})
    async with job.transaction("report") as tx:
        await privacy.finish_erasure(tx, request.id, left.led + left.quoted, held_by_law(services.settings))


def held_by_law(settings: Settings) -> dict[str, str]:
    return dict.fromkeys(settings.held, "GETSALE_LEGAL_HOLDS")


async def fail_privacy(tx: Tx, job: Job, reason: str) -> None:
    await privacy.fail_request(tx, PrivacyRequestId(job.subject_id))


async def forget_export(job: Job) -> Postpone | None:
    """The file of an export goes some days after it was made."""
    async with job.transaction("forget") as tx:
        try:
            key = await privacy.forget_file(tx, PrivacyRequestId(job.subject_id))
        except NotFound:
            return None
    if key is not None:
        await job.services.blobs.apart(EXPORTS).remove(job.principal.organization_id, key)
    return None
