"""Leads and deals as moves see them: where they stand, and everything that rules may ask about."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from pydantic import JsonValue

from core.db import Tx
from crm.pipelines.models import Standing
from events.ids import RecordKind


@dataclass(frozen=True)
class _LeadRow:
    id: UUID
    name: str
    pipeline_id: UUID
    stage_id: UUID
    version: int
    owner_id: UUID | None
    next_step: str
    lost_reason: str
    source: str
    open_tasks: int


@dataclass(frozen=True)
class _DealRow:
    id: UUID
    name: str
    pipeline_id: UUID
    stage_id: UUID
    version: int
    company_id: UUID | None
    contact_id: UUID | None
    amount_minor: int
    currency: str
    close_date: date | None
    probability: int | None
    owner_id: UUID | None
    next_step: str
    lost_reason: str
    custom: dict[str, JsonValue]
    roles: list[str]
    open_tasks: int


async def get_standing(tx: Tx, kind: RecordKind, record_id: UUID) -> Standing:
    """A record as it stands, locked until the transaction ends. Raises: NotFound."""
    return await (_get_lead(tx, record_id) if kind is RecordKind.LEAD else _get_deal(tx, record_id))


async def _get_lead(tx: Tx, lead_id: UUID) -> Standing:
    await tx.execute("SELECT FROM leads WHERE id = %(lead_id)s FOR NO KEY UPDATE", lead_id=lead_id)
    row = await tx.one(
        _LeadRow,
        """
        SELECT l.id, c.name, l.pipeline_id, l.stage_id, l.version, l.owner_id, l.next_step, l.lost_reason, l.source,
               (SELECT count(*) FROM tasks t
                 WHERE t.organization_id = l.organization_id
                   AND (t.record_kind = 'lead' AND t.record_id = l.id
                        OR t.record_kind = 'contact' AND t.record_id = l.contact_id)
                   AND t.done_at IS NULL AND t.removed_at IS NULL) AS open_tasks
          FROM leads l
          JOIN contacts c ON c.organization_id = l.organization_id AND c.id = l.contact_id
         WHERE l.id = %(lead_id)s
        """,
        lead_id=lead_id,
    )
    values: dict[str, object] = {
        "owner": row.owner_id,
        "next_step": row.next_step,
        "lost_reason": row.lost_reason,
        "source": row.source,
    }
    return Standing(
        RecordKind.LEAD,
        row.id,
        row.name,
        row.pipeline_id,
        row.stage_id,
        row.version,
        values,
        open_tasks=row.open_tasks,
    )


async def _get_deal(tx: Tx, deal_id: UUID) -> Standing:
    await tx.execute("SELECT FROM deals WHERE id = %(deal_id)s FOR NO KEY UPDATE", deal_id=deal_id)
    row = await tx.one(
        _DealRow,
        """
        SELECT d.id, d.name, d.pipeline_id, d.stage_id, d.version, d.company_id, d.contact_id, d.amount_minor,
               d.currency, d.close_date, d.probability, d.owner_id, d.next_step, d.lost_reason, d.custom,
               ARRAY(SELECT DISTINCT p.role FROM deal_stakeholders p
                      WHERE p.organization_id = d.organization_id AND p.deal_id = d.id) AS roles,
               (SELECT count(*) FROM tasks t
                 WHERE t.organization_id = d.organization_id AND t.record_kind = 'deal' AND t.record_id = d.id
                   AND t.done_at IS NULL AND t.removed_at IS NULL) AS open_tasks
          FROM deals d
         WHERE d.id = %(deal_id)s
        """,
        deal_id=deal_id,
    )
    values = deal_values(
        company=row.company_id,
        contact=row.contact_id,
        amount_minor=row.amount_minor,
        close_date=row.close_date,
        probability=row.probability,
        owner=row.owner_id,
        next_step=row.next_step,
        lost_reason=row.lost_reason,
        custom=row.custom,
    )
    return Standing(
        RecordKind.DEAL,
        row.id,
        row.name,
        row.pipeline_id,
        row.stage_id,
        row.version,
        values,
        row.currency,
        tuple(row.roles),
        row.open_tasks,
    )


def deal_values(
    *,
    company: UUID | None,
    contact: UUID | None,
    amount_minor: int,
    close_date: date | None,
    probability: int | None,
    owner: UUID | None,
    next_step: str,
    lost_reason: str,
    custom: Mapping[str, JsonValue],
) -> dict[str, object]:
    """A deal's fields by the names that rules use; an amount of nothing is no amount."""
    return {
        "company": company,
        "contact": contact,
        "amount": amount_minor or None,
        "close_date": close_date,
        "probability": probability,
        "owner": owner,
        "next_step": next_step.strip(),
        "lost_reason": lost_reason.strip(),
        **{f"custom.{key}": value for key, value in custom.items()},
    }
