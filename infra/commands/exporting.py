"""`getsale export`: everything of one kind as a file."""

import asyncio
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, Literal

import typer

from infra.commands.running import DEMO_SLUG, Organization, servers


def export_records(
    kind: Annotated[
        Literal["contacts", "companies", "leads", "deals", "notes", "tasks", "meetings"],
        typer.Argument(help="What to write."),
    ],
    file: Annotated[Path | None, typer.Argument(help="Where to; default: stdout.", dir_okay=False)] = None,
    form: Annotated[Literal["csv", "json"], typer.Option("--format", help="csv or json.")] = "csv",
    mark: Annotated[bool, typer.Option(help="Begin with the mark by which Excel knows UTF-8.")] = False,
    organization: Organization = DEMO_SLUG,
) -> None:
    """Write everything of one kind; `getsale import table` reads records back."""
    with servers(with_demo=organization == DEMO_SLUG) as settings:
        asyncio.run(_write(settings.database_url, organization, kind, file, form, mark))


async def _write(
    url: str, slug: str, kind: str, file: Path | None, form: Literal["csv", "json"], mark: bool
) -> None:
    from core.db import Database, Tx
    from core.errors import NotFound
    from core.principal import system
    from core.tables import writing
    from crm.identity.queries import find_organization_id
    from crm.imports.models import Exported
    from crm.imports.tables import export
    from crm.imports.tables.export import Wanted

    db = await Database(url, size=2).open()
    try:
        organization_id = await find_organization_id(db, slug)
        if organization_id is None:
            raise NotFound(f"There is no organization {slug}; give its slug with --organization.")

        def transaction() -> AbstractAsyncContextManager[Tx]:
            return db.transaction(system(organization_id), "export.page")

        async with transaction() as tx:
            sheet = await export.sheet_of(tx, next(one for one in Exported if one.plural == kind))
        rows = export.rows(transaction, sheet, Wanted(sheet.kind))
        pieces = (
            writing.as_csv(sheet.columns, rows, has_mark=mark) if form == "csv" else writing.as_json(rows)
        )
        with file.open("wb") if file else sys.stdout.buffer as out:
            async for piece in pieces:
                out.write(piece)
    finally:
        await db.close()
