"""Imports of tables without a worker process: upload, and work as a worker does."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from core.blobs import Blobs
from core.db import Database, Tx
from core.principal import Principal
from core.tables import reader
from crm.contacts.erased import key_of
from crm.imports.tables import actions, running
from crm.imports.tables.actions import UPLOADS
from crm.imports.tables.models import NewTable, Options, TableImport
from crm.imports.tables.queries import get_table_import
from crm.imports.tables.running import Desk
from events.ids import ImportId, RecordKind
from tests.support.tables import csv_bytes


class Importing:
    """One organization's imports."""

    def __init__(self, db: Database, principal: Principal, folder: Path) -> None:
        self.db = db
        self.principal = principal
        self.files = Blobs(folder).apart(UPLOADS)

    async def upload(
        self,
        rows: Sequence[Sequence[object]] | bytes,
        kind: RecordKind | None = None,
        name: str = "people.csv",
    ) -> TableImport:
        content = rows if isinstance(rows, bytes) else csv_bytes(rows)
        key = await self.files.put(self.principal.organization_id, content)
        survey = await reader.survey(self.files.path(self.principal.organization_id, key))
        async with self.db.transaction(self.principal, "test") as tx:
            return await actions.create_table_import(tx, NewTable(name, key, len(content), survey), kind)

    async def map(
        self, current: TableImport, options: Options, *, fields: Sequence[str] = (), **targets: str
    ) -> TableImport:
        """Map columns by name with underscores for spaces; the others stay as they were guessed.

        `fields` are the keys of the custom fields that there are.
        """
        chosen = list(current.mapping.targets)
        for column, target in targets.items():
            chosen[current.layout.columns.index(column.replace("_", " "))] = target
        async with self.db.transaction(self.principal, "test") as tx:
            return await actions.map_columns(tx, current.id, chosen, options, fields)

    async def check(self, current: TableImport) -> TableImport:
        async with self.db.transaction(self.principal, "test") as tx:
            await actions.start_check(tx, current.id)
        return await self.work(current.id)

    async def run(self, current: TableImport) -> TableImport:
        async with self.db.transaction(self.principal, "test") as tx:
            await actions.start_run(tx, current.id)
        return await self.work(current.id)

    async def undo(self, current: TableImport) -> TableImport:
        async with self.db.transaction(self.principal, "test") as tx:
            await actions.start_undo(tx, current.id)
        return await self.work(current.id)

    async def work(self, import_id: ImportId) -> TableImport:
        await running.work(self.desk(), import_id, seconds=600)
        return await self.get(import_id)

    async def get(self, import_id: ImportId) -> TableImport:
        async with self.db.transaction(self.principal, "test") as tx:
            return await get_table_import(tx, import_id)

    def desk(self) -> Desk:
        def transaction(step: str) -> AbstractAsyncContextManager[Tx]:
            return self.db.transaction(self.principal, f"import.{step}")

        async def guard(tx: Tx) -> None:
            """Nobody else works on it."""

        return Desk(
            transaction,
            guard,
            lambda key: self.files.path(self.principal.organization_id, key),
            key_of("a key for tests only, 32 bytes long", self.principal.organization_id),
        )
