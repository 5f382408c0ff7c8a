"""Adds people from the command line, with their organization if it is new."""

import secrets
from dataclasses import dataclass

from core.db import Database
from core.errors import Unprocessable
from core.ids import uuid7
from core.settings import Settings
from crm.identity.actions import create_organization, create_user
from crm.identity.models import Role
from crm.identity.queries import find_organization_id
from infra.operators import operator


@dataclass(frozen=True)
class NewUser:
    """A person as given on the command line; an empty password is made up."""

    email: str
    name: str
    role: str
    organization: str
    locale: str
    password: str


async def add(settings: Settings, new: NewUser) -> str:
    """Make the user and return the password. Raises: Unprocessable."""
    if new.role not in set(Role):
        raise Unprocessable(f"The role {new.role} is not one of {', '.join(Role)}.")
    password = new.password or secrets.token_urlsafe(12)
    db = await Database(settings.database_url, size=2).open()
    try:
        found = await find_organization_id(db, new.organization)
        async with db.transaction(operator(found or uuid7()), "user.add") as tx:
            if found is None:
                await create_organization(
                    tx,
                    slug=new.organization,
                    name=new.organization.title(),
                    locale=new.locale,
                    time_zone="UTC",
                )
            await create_user(
                tx, email=new.email, name=new.name, password=password, role=Role(new.role), locale=new.locale
            )
    finally:
        await db.close()
    return password
