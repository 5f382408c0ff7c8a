"""Bringing the database up, and what the demo needs into it."""

from typing import Annotated

import typer

from core.settings import load
from infra.commands.running import seed, servers


def migrate(
    admin_url: Annotated[
        str, typer.Option(help="A superuser's URL: makes roles, database and extension.")
    ] = "",
) -> None:
    """Bring the database to the newest schema."""
    from infra import migrate as schema

    settings = load()
    if not settings.database_url_migrator and not admin_url:
        with servers(with_demo=False) as running:
            schema.migrate(running.database_url_migrator)
    else:
        from infra.installation import wanted

        wanted(settings)
        if admin_url:
            urls = [settings.database_url, settings.database_url_worker, settings.database_url_migrator]
            schema.prepare(admin_url, urls)
        schema.migrate(settings.database_url_migrator)
    print(f"The schema is at version {schema.head()}.")


def demo() -> None:
    """Seed the demo organization and print its login."""
    from infra import installation

    with servers(with_demo=False) as settings:
        seed(settings)
        access = installation.demo_access(settings.data)
    print(f"Login {access.email} {access.password}")
