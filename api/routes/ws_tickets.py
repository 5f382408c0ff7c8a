"""Tickets for the websocket."""

from pydantic import Field

from api import tickets
from api.deps import Caller, CurrentServices
from api.fields import Out
from api.nouns import Noun

router = Noun(prefix="/ws-tickets", tags=["websocket"])


class TicketOut(Out):
    ticket: str = Field(description="Good for one login at `/ws`.")
    expires_in_seconds: int = Field(examples=[tickets.TICKET_SECONDS])


@router.post(
    "", operation_id="create_ws_ticket", summary="Get a ticket for one login at /ws", status_code=201
)
async def create_ws_ticket(caller: Caller, services: CurrentServices) -> TicketOut:
    """The socket lives no longer than the session or key that the ticket was asked for with."""
    ticket = await tickets.issue(services, caller)
    return TicketOut(ticket=ticket, expires_in_seconds=tickets.TICKET_SECONDS)
