"""The import's part of the CRM bench: a table of people through the product's import, beside COPY of the same rows."""

import asyncio
import csv
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import psycopg

from core.blobs import Blobs
from core.db import Database, Tx
from core.ids import uuid7
from core.principal import Principal
from core.tables import reader
from crm.imports.tables import actions, running
from crm.imports.tables.actions import UPLOADS
from crm.imports.tables.models import NewTable
from crm.imports.tables.queries import get_table_import
from crm.imports.tables.running import Desk
from crm.search import actions as search
from crm.search.models import FoundKind
from infra.bench import Report
from infra.embedded import Urls
from infra.seed.tables import header, people

ROWS = 50_000
INDEXED = 5_000


class _Owner(Protocol):
    @property
    def principal(self) -> Principal: ...


async def measure(
    db: Database, folder: Path, urls: Urls, owner: _Owner, scale: float, report: Report
) -> None:
    """Rows a second with validation and exact matching, without the index and the graphs, which follow; then the index."""
    rows = list(people(max(2_000, round(ROWS * min(1.0, scale * 4))), "en"))
    table = folder / "people.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header("en"), *rows])
    took, made = await _import(db, folder, owner.principal, table)
    copied = _copy(urls, rows)
    report.add("import_rows_per_second", made / took, "1/s", made, aim=5000, better="higher")
    report.add("import_copy_rows_per_second", len(rows) / copied, "1/s", len(rows))
    report.add("import_of_copy_share", (made / took) / (len(rows) / copied), "share", made)
    await _index(db, owner.principal, report)


async def _import(db: Database, folder: Path, principal: Principal, table: Path) -> tuple[float, int]:
    """Seconds of the run, and how many rows came in."""
    files = Blobs(folder / "imports").apart(UPLOADS)
    content = await asyncio.to_thread(table.read_bytes)
    key = await files.put(principal.organization_id, content)
    survey = await reader.survey(files.path(principal.organization_id, key))

    def transaction(step: str) -> AbstractAsyncContextManager[Tx]:
        return db.transaction(principal, f"import.{step}")

    async def guard(tx: Tx) -> None:
        """Nobody else works on it."""

    desk = Desk(
        transaction, guard, lambda key: files.path(principal.organization_id, key), b"nobody is erased"
    )
    async with transaction("upload") as tx:
        current = await actions.create_table_import(tx, NewTable(table.name, key, len(content), survey))
        await actions.start_run(tx, current.id)
    began = time.perf_counter()
    while await running.work(desk, current.id, seconds=3600):
        pass
    took = time.perf_counter() - began
    async with transaction("done") as tx:
        return took, (await get_table_import(tx, current.id)).made


def _copy(urls: Urls, rows: Sequence[Sequence[str]]) -> float:
    """Seconds of COPY of the same people and their handles, past every rule, into an organization of their own."""
    organization_id = uuid7()
    with psycopg.connect(urls.database_url.replace("getsale_app", "postgres")) as admin:
        ids = [uuid7() for _ in rows]
        began = time.perf_counter()
        with admin.cursor() as cursor:
            with cursor.copy("COPY contacts (organization_id, id, name, title) FROM STDIN") as copy:
                for id, row in zip(ids, rows, strict=True):
                    copy.write_row((organization_id, id, row[0], row[1]))
            with cursor.copy(
                "COPY contact_handles (organization_id, id, contact_id, kind, value) FROM STDIN"
            ) as copy:
                for number, id in enumerate(ids):
                    copy.write_row((organization_id, uuid7(), id, "email", f"{number}@copied.example"))
                    copy.write_row((organization_id, uuid7(), id, "phone", f"+7{number:010}"))
        admin.commit()
        return time.perf_counter() - began


async def _index(db: Database, principal: Principal, report: Report) -> None:
    """How fast what came in is found afterwards, as the worker indexes it."""
    began, found, after = time.perf_counter(), 0, search.FIRST
    while found < INDEXED:
        async with db.transaction(principal, "bench") as tx:
            batch = await search.index_next(tx, FoundKind.CONTACT, after)
        if batch is None:
            break
        found, after = found + batch.found, batch.last
    report.add("search_indexed_rows_per_second", found / (time.perf_counter() - began), "1/s", found)
