"""Making an organization by somebody who has an account already."""

from core.db import Tx
from core.errors import Unprocessable
from core.ids import uuid7
from crm.identity.actions import create_organization
from crm.identity.models import Account
from crm.identity.signing_up import new_slug
from events.ids import OrganizationId

MAX_NAME = 100


async def found_organization(tx: Tx, account: Account, name: str) -> OrganizationId:
    """Make the organization whose id the transaction carries, with the account's person as its owner.

    Raises: Unprocessable without a name.
    """
    called = require_name(name)
    organization_id = await create_organization(
        tx, slug=new_slug(called), name=called, locale=account.locale, time_zone="UTC"
    )
    await tx.execute(
        """
        INSERT INTO members (organization_id, id, user_id, name, role)
        VALUES (%(organization_id)s, %(id)s, %(user_id)s, %(name)s, 'owner')
        """,
        organization_id=organization_id,
        id=uuid7(),
        user_id=account.user_id,
        name=account.name,
    )
    return organization_id


def require_name(name: str) -> str:
    """Raises: Unprocessable."""
    called = " ".join(name.split())
    if not called or len(called) > MAX_NAME:
        raise Unprocessable(f"An organization needs a name of at most {MAX_NAME} characters.", field="name")
    return called
