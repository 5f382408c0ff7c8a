"""`getsale import`: what happened before."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import typer

from infra.commands.running import DEMO_SLUG, Organization, servers

app = typer.Typer(no_args_is_help=True, help="Bring in what happened before.")


@app.command("telegram-desktop")
def import_telegram_desktop(
    place: Annotated[Path, typer.Argument(help="The exported folder, with its result.json.")],
    organization: Organization = DEMO_SLUG,
    member: Annotated[str | None, typer.Option(help="Whose chats they are; default: the first.")] = None,
) -> None:
    """Import the contacts and private chats of a Telegram Desktop export; again to go on after an interruption."""
    from infra import telegram_import

    with _import_desk(organization, member) as (desk, run), _progress("Importing") as progress:
        outcome = run(telegram_import.import_export(desk, place, progress))
    print("\n".join(outcome.lines()))


@app.command("table")
def import_table(
    file: Annotated[Path, typer.Argument(help="A CSV or XLSX file.")],
    kind: Annotated[
        Literal["contacts", "companies", "leads", "deals"] | None,
        typer.Option(help="What the rows are; default: found out."),
    ] = None,
    mapped: Annotated[
        list[str] | None,
        typer.Option("--map", help="COLUMN=FIELD, by name or letter; COLUMN= leaves one out."),
    ] = None,
    duplicates: Annotated[
        Literal["skip", "fill", "overwrite"],
        typer.Option(help="What happens to a record that is there already."),
    ] = "skip",
    region: Annotated[str | None, typer.Option(help="Country of phones without a code, as in RU.")] = None,
    currency: Annotated[str | None, typer.Option(help="Currency of amounts without one, as in EUR.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen and write nothing.")
    ] = False,
    organization: Organization = DEMO_SLUG,
) -> None:
    """Import contacts, companies, leads or deals; rows that are not taken are printed with their reasons."""
    from infra import table_import

    order = table_import.order_of(
        file,
        kind,
        tuple(mapped or ()),
        duplicates=duplicates,
        region=region,
        currency=currency,
        is_trial=dry_run,
    )
    with _import_desk(organization, None) as (desk, run), _progress("Importing") as progress:
        done = run(
            table_import.import_table(
                desk.db, desk.blobs, desk.principal, order, progress, erased_key=desk.erased_key
            )
        )
        notes = run(table_import.notes_of(desk.db, desk.principal, done.id))
    print("\n".join(table_import.lines_of(done, notes)))


@app.command("undo")
def undo_import(import_id: UUID, organization: Organization = DEMO_SLUG) -> None:
    """Take a whole import back; what people have built on since stays."""
    from crm.imports.models import ImportKind
    from events.ids import ImportId
    from infra import table_import, telegram_import

    known = ImportId(import_id)
    with _import_desk(organization, None) as (desk, run), _progress("Undoing") as progress:
        if run(telegram_import.kind_of(desk, known)) is ImportKind.TABLE:
            kept = run(
                table_import.undo_table(
                    desk.db, desk.blobs, desk.principal, known, progress, erased_key=desk.erased_key
                )
            ).kept
        else:
            kept = run(telegram_import.undo_import(desk, known, progress))
    print(f"undone={import_id} kept={kept}")


@app.command("list")
def list_imports(organization: Organization = DEMO_SLUG) -> None:
    """Print the imports, the newest first."""
    from infra import telegram_import

    with _import_desk(organization, None) as (desk, run):
        found = run(telegram_import.imports_of(desk))
    for known in found:
        steps = f"{known.position}/{known.total}"
        print(f"{known.id} {known.status:<9} {steps:>11} {known.started_at:%Y-%m-%d %H:%M} {known.label}")


@contextmanager
def _import_desk(organization: str, member: str | None) -> Iterator[tuple[Any, Callable[..., Any]]]:
    """The organization to import into, and what runs a coroutine over its database."""
    from core.blobs import Blobs
    from core.db import Database
    from infra import telegram_import

    with servers(with_demo=organization == DEMO_SLUG) as settings, asyncio.Runner() as runner:
        db = runner.run(Database(settings.database_url, size=2).open())
        try:
            blobs = Blobs(settings.data)
            found = telegram_import.find_desk(
                db, blobs, organization, member, sealing_key=settings.sealing_key
            )
            yield runner.run(found), runner.run
        finally:
            runner.run(db.close())


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
