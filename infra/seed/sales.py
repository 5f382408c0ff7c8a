"""The demo's sales: what its stages ask for, who works on which deal, and the deals and leads of the crowd."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from core.db import Tx
from core.filters import ValueKind
from crm.contacts.queries import get_contact
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import Choice, NewCustomField
from crm.deals.actions import add_stakeholder, create_deal, update_deal
from crm.deals.models import DealEdit, NewDeal
from crm.deals.queries import get_deal
from crm.leads.actions import create_lead
from crm.leads.models import NewLead
from crm.pipelines.actions import update_stage
from crm.pipelines.models import StageEdit
from crm.pipelines.queries import list_pipelines, list_stages
from crm.pipelines.rules import rules_of
from events.ids import ContactId, DealId, MemberId, RecordKind

_HERE = Path(__file__).parent


async def add_sales(
    tx: Tx,
    *,
    members: Mapping[str, MemberId],
    contacts: Mapping[str, ContactId],
    deals: Mapping[str, DealId],
) -> None:
    """Fill the first pipeline; its rules hold from then on, for what was there before and for what comes."""
    data = tomllib.loads((_HERE / "sales.toml").read_text())
    pipeline = (await list_pipelines(tx))[0]
    stages = {stage.name: stage.id for stage in await list_stages(tx, pipeline.id)}
    for field in data["fields"]:
        await _field(tx, field)
    for work in data["work"]:
        await _work(tx, work, deals[work["deal"]], members, contacts)
    for one in data["deals"]:
        await _deal(tx, one["of"], stages, members, contacts)
    await _leads(tx, data["leads"], stages, members, contacts)
    for rule in data["rules"]:
        edit = StageEdit(limit_hours=rule.get("limit_hours"), entry_rules=rules_of(rule["entry"]))
        await update_stage(tx, stages[rule["stage"]], edit)


async def _field(tx: Tx, field: Mapping[str, Any]) -> None:
    choices = tuple(Choice(key, label) for key, label in field.get("choices", ()))
    kind = ValueKind(field["kind"])
    await create_custom_field(
        tx, NewCustomField(RecordKind.DEAL, field["label"], kind, key=field["key"], choices=choices)
    )


async def _work(
    tx: Tx,
    work: Mapping[str, Any],
    deal_id: DealId,
    members: Mapping[str, MemberId],
    contacts: Mapping[str, ContactId],
) -> None:
    deal = await get_deal(tx, deal_id)
    edit = DealEdit(owner_id=members[work["member"]], custom=work.get("custom", {}))
    await update_deal(tx, deal_id, edit, version=deal.version)
    for person, role in work["people"]:
        await add_stakeholder(tx, deal_id, contacts[person], role)


async def _deal(
    tx: Tx,
    given: Sequence[Any],
    stages: Mapping[str, UUID],
    members: Mapping[str, MemberId],
    contacts: Mapping[str, ContactId],
) -> None:
    number, name, stage, amount_minor, currency, days, member, text = given
    person = await get_contact(tx, contacts[f"crowd{number}"])
    await create_deal(
        tx,
        NewDeal(
            name,
            stages[stage],
            company_id=person.company_id,
            contact_id=person.id,
            amount_minor=amount_minor,
            currency=currency,
            close_date=date.today() + timedelta(days=days),
            next_step="" if stage == "Lost" else text,
            lost_reason=text if stage == "Lost" else "",
            owner_id=members[member],
        ),
    )


async def _leads(
    tx: Tx,
    data: Mapping[str, Any],
    stages: Mapping[str, UUID],
    members: Mapping[str, MemberId],
    contacts: Mapping[str, ContactId],
) -> None:
    for place in range(data["count"]):
        number = data["from"] + place
        own = data["ru" if number % 2 else "en"]
        await create_lead(
            tx,
            NewLead(
                contacts[f"crowd{number}"],
                stage_id=stages[data["stages"][place % len(data["stages"])]],
                owner_id=members["anna" if number % 3 else "ilya"],
                source=own["sources"][number // 2 % len(own["sources"])],
                next_step=own["next_steps"][number // 2 % len(own["next_steps"])],
            ),
        )
