"""What there is of a person: rows by table, and all of it as one file."""

import asyncio
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import clock, jsons
from core.blobs import Blobs
from core.db import Tx
from core.errors import NotFound
from core.tables import writing
from crm.privacy import rows
from crm.privacy.models import Person, Request
from crm.privacy.places import PLACES, Fate, Place

Transactions = Callable[[str], AbstractAsyncContextManager[Tx]]


@dataclass(frozen=True)
class Found:
    """Rows by table: those that lead to the person, and those about others that quote them."""

    led: Counter[str]
    quoted: Counter[str]

    @property
    def total(self) -> int:
        return self.led.total() + self.quoted.total()


async def look(transaction: Transactions, person: Person) -> Found:
    """Count what an erasure would reach, table by table, in short transactions."""
    led: Counter[str] = Counter()
    quoted: Counter[str] = Counter()
    for place in PLACES:
        async with transaction("look") as tx:
            if place.fate is Fate.MARKED:
                led[place.table] += len(await rows.list_marked(tx, place, person))
                continue
            if place.leads and place.fate is not Fate.KEPT:
                led[place.table] += await rows.count(tx, place, person)
            if place.quotes:
                quoted[place.table] += await rows.count_quotes(tx, place, person)
    return Found(+led, +quoted)


# The file ---------------------------------------------------------------------------------------------------------
async def write_file(
    transaction: Transactions, blobs: Blobs, request: Request, person: Person, path: Path
) -> None:
    """One archive: every table as JSON and as CSV, the files themselves, and a manifest that names them all."""
    told: list[dict[str, object]] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, places in _sheets().items():
            found: list[dict[str, Any]] = []
            async with transaction("read") as tx:
                for place in places:
                    found += await rows.read(tx, place, person)
            columns = list(dict.fromkeys(column for place in places for column in place.shows))
            if not found:
                continue
            await _write(archive, f"json/{name}.json", writing.as_json(_each(found)))
            await _write(archive, f"csv/{name}.csv", writing.as_csv(columns, _each(found), has_mark=True))
            told.append({"table": name, "store": places[0].store, "rows": len(found), "columns": columns})
            for place in places:
                await _write_blobs(archive, blobs, request, place, found)
        manifest = {
            "request": request.id,
            "contact": request.contact_id,
            "contacts": list(person.contacts),
            "made_at": clock.now().isoformat(),
            "tables": told,
        }
        archive.writestr("manifest.json", jsons.dump_bytes(manifest))


def _sheets() -> dict[str, list[Place]]:
    sheets: dict[str, list[Place]] = {}
    for place in PLACES:
        if place.shows:
            sheets.setdefault(place.table, []).append(place)
    return sheets


async def _each(found: list[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
    for row in found:
        yield row


async def _write(archive: zipfile.ZipFile, name: str, pieces: AsyncIterator[bytes]) -> None:
    content = b"".join([piece async for piece in pieces])
    await asyncio.to_thread(archive.writestr, name, content)


async def _write_blobs(
    archive: zipfile.ZipFile, blobs: Blobs, request: Request, place: Place, found: list[dict[str, Any]]
) -> None:
    """The content of files that the rows name, under the id of the row: names of files may be anything."""
    for row in found:
        key = row.get(place.blob) if place.blob else None
        if key is None:
            continue
        try:
            path = blobs.apart(place.folder).path(request.organization_id, key)
        except NotFound:
            continue
        await asyncio.to_thread(archive.write, path, f"files/{place.table}/{row['id']}")
