"""What commands work over: the settings and servers of the environment, or of the data folder."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from core.settings import Settings, load
from infra.servers.processes import ServerFailed

if TYPE_CHECKING:
    from core.db import Database

DEMO_SLUG = "norrwick"
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Organization = Annotated[str, typer.Option(help="The organization's slug.")]


def fail(reason: str, code: int = 1) -> NoReturn:
    print(reason, file=sys.stderr)
    sys.exit(code)


def connected(login: str) -> Settings:
    """The settings of one process: from the environment, else of a `getsale up` over the same data folder."""
    from infra import embedded, installation

    settings = load()
    data = installation.data_folder(settings)
    urls = embedded.find_running(data) or embedded.Urls()
    settings = installation.completed(settings, data, urls)
    missing = [name.upper() for name in (login, "redis_url") if not getattr(settings, name)]
    if missing:
        raise ServerFailed(f"Set {' and '.join(missing)}, or start `getsale up` over {data}.")
    return settings


@contextmanager
def servers(*, with_demo: bool) -> Iterator[Settings]:
    """Settings over the servers of the environment or the data folder, started and migrated if nobody runs them."""
    from core import telemetry
    from infra import embedded, installation
    from infra.migrate import migrate

    settings = load()
    telemetry.set_up(settings, "getsale")
    data = installation.data_folder(settings)
    with embedded.servers_of(data, installation.wanted(settings)) as (urls, is_ours):
        settings = installation.completed(settings, data, urls)
        if is_ours:
            migrate(settings.database_url_migrator)
            if with_demo:
                seed(settings)
        yield settings


def seed(settings: Settings) -> None:
    from infra import installation
    from infra.up import seed_demo

    asyncio.run(seed_demo(settings, installation.demo_access(settings.data)))


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator["Database"]:
    from core.db import Database

    db = await Database(settings.database_url, size=2).open()
    try:
        yield db
    finally:
        await db.close()
