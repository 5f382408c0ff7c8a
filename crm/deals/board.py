"""The board: what stands in each stage of a pipeline, with its sums, and cards by the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from core import clock
from core.db import Tx
from core.pagination import Page, decode_time, encode_cursor
from crm.pipelines.models import Outcome
from events.ids import CompanyId, ContactId, DealId, MemberId

CARDS = 25
# Won and lost deals leave the board after as long.
CLOSED_FOR = timedelta(days=30)


@dataclass(frozen=True)
class Card:
    """A deal on the board; `breached_at` is set when it has stood in its stage for longer than it may."""

    id: DealId
    name: str
    stage_id: UUID
    outcome: Outcome
    company_id: CompanyId | None
    company: str | None
    contact_id: ContactId | None
    contact: str | None
    amount_minor: int
    currency: str
    owner_id: MemberId | None
    owner: str | None
    close_date: date | None
    next_step: str
    stage_entered_at: datetime
    breached_at: datetime | None
    version: int


@dataclass(frozen=True)
class Sum:
    """The deals of one stage in one currency; `likely_minor` weighs each by its probability."""

    stage_id: UUID
    currency: str
    deals: int
    amount_minor: int
    likely_minor: int


async def sum_stages(tx: Tx, pipeline_id: UUID, owner_id: UUID | None) -> list[Sum]:
    """What stands in the stages of a pipeline, by currency, the largest number of deals first."""
    tx.principal.require("deals:read")
    return await tx.all(
        Sum,
        """
        SELECT d.stage_id, d.currency, count(*) AS deals, sum(d.amount_minor)::bigint AS amount_minor,
               round(sum(d.amount_minor::numeric * coalesce(d.probability, s.probability) / 100))::bigint
                   AS likely_minor
          FROM stages s
          JOIN deals d ON d.organization_id = s.organization_id AND d.stage_id = s.id
         WHERE s.pipeline_id = %(pipeline_id)s
           AND d.deleted_at IS NULL
           AND (s.outcome = 'open' OR d.stage_entered_at >= %(closed_since)s)
           AND (%(owner_id)s::uuid IS NULL OR d.owner_id = %(owner_id)s)
         GROUP BY d.stage_id, d.currency
         ORDER BY deals DESC, d.currency
        """,
        pipeline_id=pipeline_id,
        owner_id=owner_id,
        closed_since=clock.now() - CLOSED_FOR,
    )


async def list_cards(
    tx: Tx, stage_ids: Sequence[UUID], owner_id: UUID | None, *, cursor: str | None = None
) -> dict[UUID, Page[Card]]:
    """A page of cards of each stage, those that came last first; a cursor belongs to one stage.

    Raises: Unprocessable for a cursor that is none.
    """
    tx.principal.require("deals:read")
    at, before_id = decode_time(cursor) if cursor else (None, None)
    # the index deals_by_stage gives each stage its first cards without a sort
    cards = await tx.all(
        Card,
        """
        SELECT d.id, d.name, d.stage_id, s.outcome, d.company_id, o.name AS company, d.contact_id, c.name AS contact,
               d.amount_minor, d.currency, d.owner_id, m.name AS owner, d.close_date, d.next_step,
               d.stage_entered_at, v.breached_at, d.version
          FROM stages s
         CROSS JOIN LATERAL (
               SELECT e.*
                 FROM deals e
                WHERE e.organization_id = s.organization_id
                  AND e.stage_id = s.id
                  AND e.deleted_at IS NULL
                  AND (s.outcome = 'open' OR e.stage_entered_at >= %(closed_since)s)
                  AND (%(owner_id)s::uuid IS NULL OR e.owner_id = %(owner_id)s)
                  AND (%(before_id)s::uuid IS NULL
                       OR (e.stage_entered_at, e.id) < (%(at)s::timestamptz, %(before_id)s::uuid))
                ORDER BY e.stage_entered_at DESC, e.id DESC
                LIMIT %(limit)s) d
          LEFT JOIN companies o ON o.organization_id = d.organization_id AND o.id = d.company_id
          LEFT JOIN contacts c ON c.organization_id = d.organization_id AND c.id = d.contact_id
          LEFT JOIN members m ON m.organization_id = d.organization_id AND m.id = d.owner_id
          LEFT JOIN stage_visits v ON v.organization_id = d.organization_id AND v.record_kind = 'deal'
                                  AND v.record_id = d.id AND v.left_at IS NULL
         WHERE s.id = ANY(%(stage_ids)s)
         ORDER BY d.stage_entered_at DESC, d.id DESC
        """,
        stage_ids=list(stage_ids),
        owner_id=owner_id,
        closed_since=clock.now() - CLOSED_FOR,
        at=at,
        before_id=before_id,
        limit=CARDS + 1,
    )
    return {stage_id: _page([card for card in cards if card.stage_id == stage_id]) for stage_id in stage_ids}


def _page(cards: list[Card]) -> Page[Card]:
    shown = cards[:CARDS]
    more = len(cards) > CARDS
    return Page(shown, encode_cursor(shown[-1].stage_entered_at, shown[-1].id) if more else None)
