"""One-time tickets for `/ws`: a browser can send no header there, and a key in an address ends up in logs."""

from uuid import UUID

from api.deps import Services
from core import crypto, jsons
from core.errors import Unauthorized
from crm.api_keys.models import Credential
from crm.api_keys.queries import list_credentials_in_force

TICKET_SECONDS = 30


async def issue(services: Services, credential: Credential) -> str:
    """A ticket for whoever holds this session or key. It names its organization, under which it is kept."""
    ticket = f"{credential.principal.organization_id.hex}.{crypto.new_token()}"
    content = jsons.dump_bytes({"credential_id": credential.id})
    await services.redis.set(_key(ticket), content, ex=TICKET_SECONDS)
    return ticket


async def redeem(services: Services, ticket: str) -> Credential:
    """Whom a ticket lets in: once, in its time, and while the session or key behind it is in force.

    Raises: Unauthorized; RedisError when Redis is away.
    """
    content = await services.redis.getdel(_key(ticket))
    if content is not None:
        credential_id = UUID(jsons.loads(content)["credential_id"])
        for credential in await list_credentials_in_force(services.db, [credential_id]):
            return credential
    raise Unauthorized("This ticket is unknown, used or older than 30 seconds; get a new one.")


def _key(ticket: str) -> str:
    organization, _, secret = ticket.partition(".")
    return f"getsale:ws-ticket:{organization}:{crypto.hash_token(secret).hex()}"
