"""From where a request comes: what the audit keeps of it."""

from uuid import UUID

from starlette.requests import HTTPConnection

from core.principal import Origin, Via
from crm.identity.sessions import Sighting

# A program may call itself anything, at any length.
LONGEST_AGENT = 300


def origin_of(connection: HTTPConnection, via: Via, credential_id: UUID | None = None) -> Origin:
    """The door, the session or key, the address, and the program as it calls itself."""
    address = connection.client.host if connection.client else ""
    agent = connection.headers.get("User-Agent", "")[:LONGEST_AGENT]
    return Origin(via, credential_id, address, agent.replace("\x00", ""))


def sighted(seen: Sighting, via: Via) -> Origin:
    """From where somebody comes in, who has no session yet."""
    return Origin(via, None, seen.address, seen.device)


def door_of(connection: HTTPConnection) -> Via:
    """Which door a program with a key came in by."""
    return Via.MCP if connection.url.path == "/mcp" else Via.API
