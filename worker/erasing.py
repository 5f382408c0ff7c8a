"""An erasure from its first line in the journal to its report: rows, files, logs, graphs.

Whoever is killed on the way leaves everything to the next one, who begins anew: what is done already does nothing.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from uuid import UUID

from core import crashpoint
from core.blobs import Blobs
from core.db import Tx
from core.errors import NotFound
from core.principal import Principal
from core.settings import Settings
from crm.audit.chain import key_of as audit_key_of
from crm.contacts import erased
from crm.privacy import actions as privacy
from crm.privacy import erasing, rows
from crm.privacy.journal import Erasure, Journal
from crm.privacy.looking import Found, look
from crm.privacy.models import EXPORTS, Person
from crm.privacy.people import find_person
from crm.privacy.quoting import needles
from events.ids import ContactId, PrivacyRequestId
from events.types import ContactDeleted, FactRetracted
from graph.active import ActiveGraph

_PIECE = 1024 * 1024


@dataclass(frozen=True)
class Desk:
    """What an erasure of one organization works with."""

    settings: Settings
    principal: Principal
    transaction: Callable[[str], AbstractAsyncContextManager[Tx]]
    blobs: Blobs
    graph: ActiveGraph

    @property
    def organization_id(self) -> UUID:
        return self.principal.organization_id

    @property
    def key(self) -> bytes:
        """Of the journal and of the addresses in it."""
        return erased.key_of(self.settings.sealing_key, self.organization_id)


async def erase(desk: Desk, request_id: PrivacyRequestId, contact_ids: set[UUID]) -> Found:
    """Erase a person everywhere; returns what is left, which should be nothing."""
    async with desk.transaction("person") as tx:
        person = await find_person(tx, contact_ids)
        addresses = await erasing.list_addresses(tx, person)
    hashes = tuple(sorted(erased.hash_address(desk.key, address) for address in addresses))
    if hashes or person.conversations:
        await Journal(desk.settings.data).append(
            desk.organization_id, desk.key, Erasure(request_id, person.contacts, hashes)
        )
    return await _carry_out(desk, request_id, person, hashes)


async def repeat(desk: Desk, erasure: Erasure) -> Found:
    """Erase once more what a backup brought back; the request is noted again where the backup does not know it."""
    async with desk.transaction("person") as tx:
        await privacy.note_repeated(tx, erasure.request_id, list(erasure.contact_ids))
        person = await find_person(tx, erasure.contact_ids)
    return await _carry_out(desk, erasure.request_id, person, erasure.hashes)


async def _carry_out(
    desk: Desk, request_id: PrivacyRequestId, person: Person, hashes: tuple[bytes, ...]
) -> Found:
    async with desk.transaction("keep_away") as tx:
        await erased.keep_away(tx, hashes, request_id)
    await _remove_files(desk, person)
    await asyncio.to_thread(blot_logs, desk.settings.data, needles(person))
    crashpoint.reach("privacy.files_gone")
    await erasing.cut_quotes(desk.transaction, person, held=desk.settings.held)
    async with desk.transaction("remove") as tx:
        removed = await erasing.remove_rows(
            tx,
            audit_key_of(desk.settings.sealing_key, desk.organization_id),
            person,
            held=desk.settings.held,
        )
    for fact_id in removed.fact_ids:
        await desk.graph.project(desk.principal, FactRetracted(fact_id))
    for contact_id in removed.contact_ids:
        await desk.graph.project(desk.principal, ContactDeleted(ContactId(contact_id)))
    return await look(desk.transaction, person)


# Files ----------------------------------------------------------------------------------------------------------------
async def _remove_files(desk: Desk, person: Person) -> None:
    """Files go before the rows that name them: a kill in between forgets none."""
    async with desk.transaction("files") as tx:
        files = await erasing.list_files(tx, person)
        exports = await erasing.list_old_exports(tx, person.contacts)
    for folder, key in files:
        await desk.blobs.apart(folder).remove(desk.organization_id, key)
    for request_id, key in exports:
        await desk.blobs.apart(EXPORTS).remove(desk.organization_id, key)
        async with desk.transaction("forget_export") as tx:
            await privacy.forget_file(tx, request_id)
    await _remove_refused_mails(desk, needles(person))


async def _remove_refused_mails(desk: Desk, words: list[str]) -> None:
    """Mails that nobody could read are kept as bytes: those in which the person stands go."""
    async with desk.transaction("refused") as tx:
        refused = await rows.list_refused_mails(tx)
    for id, key in refused:
        try:
            content = await desk.blobs.get(desk.organization_id, key)
        except NotFound:
            continue
        if any(word.encode() in content.lower() for word in words):
            await desk.blobs.remove(desk.organization_id, key)
            async with desk.transaction("forget_mail") as tx:
                await rows.forget_refused_mail(tx, id)


def blot_logs(data: Path, words: list[str]) -> int:
    """Write over a person's words in log files below the data folder, in place: others append to them meanwhile.

    We log no such words; servers may, as PostgreSQL does when it tells which key was there already.
    """
    blotted = 0
    for path in sorted(data.rglob("*.log*")):
        if path.is_file():
            blotted += _blot(path, [word.encode() for word in words])
    return blotted


def _blot(path: Path, words: list[bytes]) -> int:
    """Pieces overlap by the longest word, so that none is missed where one ends."""
    overlap, blotted = max((len(word) for word in words), default=0), 0
    with path.open("r+b", buffering=0) as file:
        start = 0
        while piece := _read(file, start):
            for word in words:
                for at in _all(piece.lower(), word):
                    file.seek(start + at)
                    file.write(b"*" * len(word))
                    blotted += 1
            if len(piece) < _PIECE:
                break
            start += _PIECE - overlap
    return blotted


def _read(file: FileIO, start: int) -> bytes:
    file.seek(start)
    return file.read(_PIECE)


def _all(text: bytes, word: bytes) -> list[int]:
    found, at = [], text.find(word)
    while at >= 0:
        found.append(at)
        at = text.find(word, at + len(word))
    return found
