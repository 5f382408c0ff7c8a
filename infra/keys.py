"""API keys from the command line: made, listed and revoked for a person."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from core import clock
from core.db import Database, Tx
from core.errors import NotFound, Unprocessable
from core.settings import Settings
from crm.api_keys import actions as api_keys
from crm.api_keys.models import ApiKey
from crm.api_keys.queries import find_organization_of_key, list_api_keys
from crm.identity.models import member_principal
from crm.identity.queries import Member, find_credentials, find_member, find_organization_id
from events.ids import ApiKeyId, OrganizationId
from infra.operators import operator


@dataclass(frozen=True)
class Wanted:
    """A key to be made; without scopes it may do whatever the person may, without days it does not run out."""

    name: str = ""
    scopes: Sequence[str] = ()
    days: int = 0


async def add(settings: Settings, email: str, organization: str, wanted: Wanted) -> str:
    """Make a key and return its secret.

    Raises: NotFound when the person is no member; Forbidden for a scope that the person does not hold; Unprocessable.
    """
    async with _member_tx(settings, email, organization) as (tx, member):
        holder = replace(member_principal(member.user_id, _id(tx), member.role), origin=tx.principal.origin)
        person = replace(tx, principal=holder)
        made = await api_keys.create_api_key(
            person,
            member.user_id,
            name=wanted.name,
            scopes=wanted.scopes or None,
            expires_at=clock.now() + timedelta(days=wanted.days) if wanted.days else None,
        )
    return made.secret


def _id(tx: Tx) -> OrganizationId:
    return OrganizationId(tx.organization_id)


async def list_lines(settings: Settings, email: str, organization: str) -> list[str]:
    """One line a key: id, first letters, when it was made and used, what it is for."""
    async with _member_tx(settings, email, organization) as (tx, member):
        return [_line(key) for key in await list_api_keys(tx, member.user_id)]


def _line(key: ApiKey) -> str:
    state = f"revoked {_day(key.revoked_at)}" if key.revoked_at else f"used {_day(key.last_used_at)}"
    until = f"  until {_day(key.expires_at)}" if key.expires_at else ""
    scopes = "  " + " ".join(key.scopes) if key.scopes else ""
    return (
        f"{key.id}  {key.prefix}…  made {_day(key.created_at)}{until}  {state}{scopes}  {key.name}".rstrip()
    )


def _day(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M") if moment else "never"


async def revoke(settings: Settings, key_id: str) -> None:
    """Raises: NotFound; Unprocessable for what is not an id."""
    try:
        wanted = ApiKeyId(UUID(key_id))
    except ValueError as err:
        raise Unprocessable(
            f"{key_id} is not the id of a key; `getsale user keys EMAIL` shows them."
        ) from err
    async with _database(settings) as db:
        organization_id = await find_organization_of_key(db, wanted)
        if organization_id is None:
            raise NotFound(f"There is no API key {key_id}.")
        async with db.transaction(operator(organization_id), "api_key.revoke") as tx:
            await api_keys.revoke_api_key(tx, wanted)


@asynccontextmanager
async def _member_tx(settings: Settings, email: str, organization: str) -> AsyncIterator[tuple[Tx, Member]]:
    async with _database(settings) as db:
        organization_id = await _organization(db, email, organization)
        async with db.transaction(operator(organization_id), "api_key") as tx:
            member = await find_member(tx, email)
            if member is None:
                raise NotFound(f"{email} is not a member of {organization}; `getsale user add` makes one.")
            yield tx, member


async def _organization(db: Database, email: str, slug: str) -> OrganizationId:
    if slug:
        found = await find_organization_id(db, slug)
        if found is None:
            raise NotFound(f"There is no organization {slug}.")
        return found
    credentials = await find_credentials(db, email)
    if credentials is None:
        raise NotFound(f"Nobody signs in as {email}; `getsale user add` makes a person.")
    return credentials.organization_id


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    db = await Database(settings.database_url, size=2).open()
    try:
        yield db
    finally:
        await db.close()
