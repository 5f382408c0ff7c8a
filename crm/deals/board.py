"""The board: what stands in each stage of a pipeline, with its sums, and cards by the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from core import clock
from core.db import Tx
from core.pagination import Page, decode_time, encode_cursor
from crm.pipelines.models import Outcome
from events.ids import CompanyId, ContactId, DealId, MemberId

CARDS = 25
MOST_CARDS = 500
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
    tx: Tx, most: Mapping[UUID, int], owner_id: UUID | None, *, cursor: str | None = None
) -> dict[UUID, Page[Card]]:
    """A page of cards of each stage, those that came last first; a cursor belongs to one stage.

    `most` says for each stage how many are wanted, of which there are at least one page and at most MOST_CARDS.

    Raises: Unprocessable for a cursor that is none.
    """
    tx.principal.require("deals:read")
    sizes = {stage_id: min(max(wanted, CARDS), MOST_CARDS) for stage_id, wanted in most.items()}
    at, before_id = decode_time(cursor) if cursor else (None, None)
    # the index deals_by_stage gives each stage its first cards without a sort
    cards = await tx.all(
        Card,
        """
        SELECT d.id, d.name, d.stage_id, s.outcome, d.company_id, o.name AS company, d.contact_id, c.name AS contact,
               d.amount_minor, d.currency, d.owner_id, m.name AS owner, d.close_date, d.next_step,
               d.stage_entered_at, v.breached_at, d.version
          FROM unnest(%(stage_ids)s::uuid[], %(limits)s::int[]) AS w (stage_id, cards)
          JOIN stages s ON s.id = w.stage_id
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
                LIMIT w.cards + 1) d
          LEFT JOIN companies o ON o.organization_id = d.organization_id AND o.id = d.company_id
          LEFT JOIN contacts c ON c.organization_id = d.organization_id AND c.id = d.contact_id
          LEFT JOIN members m ON m.organization_id = d.organization_id AND m.id = d.owner_id
          LEFT JOIN stage_visits v ON v.organization_id = d.organization_id AND v.record_kind = 'deal'
                                  AND v.record_id = d.id AND v.left_at IS NULL
         ORDER BY d.stage_entered_at DESC, d.id DESC
        """,
        stage_ids=list(sizes),
        limits=list(sizes.values()),
        owner_id=owner_id,
        closed_since=clock.now() - CLOSED_FOR,
        at=at,
        before_id=before_id,
    )
    return {
        stage_id: _page([card for card in cards if card.stage_id == stage_id], size)
        for stage_id, size in sizes.items()
    }


def _page(cards: list[Card], size: int) -> Page[Card]:
    shown = cards[:size]
    more = len(cards) > size
    return Page(shown, encode_cursor(shown[-1].stage_entered_at, shown[-1].id) if more else None)
