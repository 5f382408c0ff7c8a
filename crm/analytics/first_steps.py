"""The first steps of an organization: what is done already ticks itself, and whoever sets it up may put them away."""

from dataclasses import dataclass

from core import clock
from core.db import Tx
from events.ids import OrganizationId
from events.outbox import emit
from events.types import OrganizationUpdated

SCOPE = "organization:write"
_STEPS = 5


@dataclass(frozen=True)
class FirstSteps:
    """Each is there or not, however it came to be."""

    has_channel: bool
    has_contacts: bool
    has_knowledge: bool
    has_agent: bool
    has_colleague: bool
    are_put_away: bool

    @property
    def done(self) -> int:
        return sum(
            (self.has_channel, self.has_contacts, self.has_knowledge, self.has_agent, self.has_colleague)
        )

    @property
    def are_over(self) -> bool:
        return self.are_put_away or self.done == _STEPS


async def get_first_steps(tx: Tx) -> FirstSteps:
    """One question, which every start page asks until the steps are over."""
    tx.principal.require("organization:read")
    return await tx.one(
        FirstSteps,
        """
        SELECT EXISTS (SELECT FROM channel_accounts) AS has_channel,
               EXISTS (SELECT FROM contacts WHERE deleted_at IS NULL) AS has_contacts,
               EXISTS (SELECT FROM documents) AS has_knowledge,
               EXISTS (SELECT FROM bidi WHERE kind = 'ai' AND agent = 'inbox' AND archived_at IS NULL) AS has_agent,
               (SELECT count(*) > 1 FROM members WHERE removed_at IS NULL)
               OR EXISTS (SELECT FROM invitations WHERE revoked_at IS NULL) AS has_colleague,
               first_steps_put_away_at IS NOT NULL AS are_put_away
          FROM organizations
        """,
    )


async def put_first_steps_away(tx: Tx) -> None:
    """Show them to nobody here any more; a second call changes nothing. Raises: Forbidden."""
    tx.principal.require(SCOPE)
    now = clock.now()
    changed = await tx.execute(
        "UPDATE organizations SET first_steps_put_away_at = %(now)s WHERE first_steps_put_away_at IS NULL",
        now=now,
    )
    if changed:
        await emit(
            tx,
            OrganizationUpdated(OrganizationId(tx.organization_id)),
            changes={"first_steps_put_away_at": (None, now)},
        )
