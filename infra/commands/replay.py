"""`getsale replay`: recorded traffic through the live code."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from core.settings import Settings
from infra.commands.running import DEMO_SLUG, database, fail, servers

app = typer.Typer(no_args_is_help=True, help="Push recorded traffic through the live code.")


@app.command("telegram")
def replay_telegram(
    file: Path,
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = DEMO_SLUG,
    account: Annotated[str | None, typer.Option(help="The account's name or id; default: the first.")] = None,
) -> None:
    """Push recorded Bot API updates, one a line, through the live inbound code."""
    from core.errors import NotFound

    try:
        with file.open("rb") as lines, servers(with_demo=organization == DEMO_SLUG) as settings:
            tally = asyncio.run(_replay(settings, lines, organization, account))
    except NotFound as err:
        fail(err.detail, 2)
    except OSError as err:
        fail(f"{file} cannot be read: {err.strerror}.", 2)
    print(tally)


async def _replay(
    settings: Settings, lines: Iterable[bytes], organization: str, account: str | None
) -> object:
    from core.db import Database
    from infra import replay as replaying

    db = await Database(settings.database_url, size=2).open()
    try:
        target = await replaying.find_target(db, organization, account)
        return await replaying.replay_telegram(
            db, target, lines, file_limit_bytes=settings.telegram_file_limit_bytes
        )
    finally:
        await db.close()


@app.command("mbox")
def replay_mbox(
    file: Path,
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = DEMO_SLUG,
    account: Annotated[str | None, typer.Option(help="Its address, name or id; default: the first.")] = None,
) -> None:
    """Push the mails of an mbox file through the live inbound code; mails of the account's own are never sent."""
    from core.errors import NotFound
    from infra import replay as replaying

    async def run(settings: Settings) -> replaying.Tally:
        async with database(settings) as db:
            target = await replaying.find_target(db, organization, account, "email")
            return await replaying.replay_mbox(db, target, file, settings)

    try:
        with file.open("rb"), servers(with_demo=organization == DEMO_SLUG) as settings:
            tally = asyncio.run(run(settings))
    except NotFound as err:
        fail(err.detail, 2)
    except OSError as err:
        fail(f"{file} cannot be read: {err.strerror}.", 2)
    print(tally)
