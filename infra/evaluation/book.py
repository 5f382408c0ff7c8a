"""The book: the organization that asked for an evaluation keeps its rows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from core.db import Database
from core.errors import Unprocessable
from core.ids import uuid7
from core.principal import Principal, system
from core.settings import Settings
from crm.identity.actions import create_organization
from crm.identity.queries import find_organization_id
from events.ids import OrganizationId

# On a data folder without the organization that was named, evaluations have one of their own.
OWN_SLUG = "evaluations"


@dataclass(frozen=True)
class Book:
    """A database and who writes in it."""

    db: Database
    asker: Principal


@asynccontextmanager
async def open_book(settings: Settings, slug: str) -> AsyncIterator[Book]:
    """The book of an organization; the evaluations' own is made where it is not there yet.

    Raises: Unprocessable when another organization is not there.
    """
    db = await Database(settings.database_url, size=8).open()
    try:
        yield Book(db, system(await _organization(db, slug)))
    finally:
        await db.close()


async def _organization(db: Database, slug: str) -> OrganizationId:
    known = await find_organization_id(db, slug)
    if known is not None:
        return known
    if slug != OWN_SLUG:
        raise Unprocessable(f"There is no organization {slug!r}; name another with --organization.")
    principal = system(OrganizationId(uuid7()))
    async with db.transaction(principal, "eval.organization") as tx:
        return await create_organization(tx, slug=slug, name="Evaluations", locale="en", time_zone="UTC")
