"""Making, changing and moving deals."""

from collections.abc import Mapping
from uuid import UUID

from core import clock
from core.db import Tx
from core.errors import Stale, Unprocessable
from core.ids import uuid7
from crm.companies.queries import get_company
from crm.contacts.queries import get_contact
from crm.deals.models import Deal, DealEdit, NewDeal
from crm.deals.queries import get_deal
from crm.pipelines.queries import get_stage
from events.ids import DealId
from events.outbox import emit
from events.types import DealCreated, DealStageChanged, DealUpdated


async def create_deal(tx: Tx, new: NewDeal) -> Deal:
    """Add a deal.

    Raises:
        Unprocessable: no name, a negative amount, or a currency that is no three-letter code.
        NotFound: no such stage, company or contact.
    """
    tx.principal.require("deals:write")
    _check(new.name, new.amount_minor, new.currency)
    await get_stage(tx, new.stage_id)
    if new.company_id is not None:
        await get_company(tx, new.company_id)
    if new.contact_id is not None:
        await get_contact(tx, new.contact_id)
    deal_id = DealId(uuid7())
    await tx.execute(
        """
        INSERT INTO deals (organization_id, id, name, company_id, contact_id, stage_id, amount_minor, currency,
                           close_date, next_step, updated_at)
        VALUES (%(organization_id)s, %(id)s, %(name)s, %(company_id)s, %(contact_id)s, %(stage_id)s,
                %(amount_minor)s, %(currency)s, %(close_date)s, %(next_step)s, %(now)s)
        """,
        organization_id=tx.organization_id,
        id=deal_id,
        name=new.name.strip(),
        company_id=new.company_id,
        contact_id=new.contact_id,
        stage_id=new.stage_id,
        amount_minor=new.amount_minor,
        currency=new.currency.upper(),
        close_date=new.close_date,
        next_step=new.next_step,
        now=clock.now(),
    )
    await emit(tx, DealCreated(deal_id))
    return await get_deal(tx, deal_id)


async def update_deal(tx: Tx, deal_id: DealId, edit: DealEdit, *, version: int) -> Deal:
    """Change some fields of a deal; an edit that changes nothing leaves no trace.

    Raises:
        NotFound: no such deal.
        Stale: changed since `version` was read.
        Unprocessable: an empty name, a negative amount or a malformed currency.
    """
    deal = await get_deal(tx, deal_id, lock=True)
    tx.principal.require("deals:write")
    _check_version(deal, version)
    _check(
        deal.name if edit.name is None else edit.name,
        deal.amount_minor if edit.amount_minor is None else edit.amount_minor,
        deal.currency if edit.currency is None else edit.currency,
    )
    changes = _changes(deal, edit)
    if not changes:
        return deal
    await tx.execute(
        """
        UPDATE deals
           SET name = coalesce(%(name)s, name),
               amount_minor = coalesce(%(amount_minor)s, amount_minor),
               currency = coalesce(upper(%(currency)s), currency),
               close_date = coalesce(%(close_date)s, close_date),
               next_step = coalesce(%(next_step)s, next_step),
               version = version + 1,
               updated_at = %(now)s
         WHERE id = %(deal_id)s
        """,
        deal_id=deal_id,
        name=edit.name,
        amount_minor=edit.amount_minor,
        currency=edit.currency,
        close_date=edit.close_date,
        next_step=edit.next_step,
        now=clock.now(),
    )
    await emit(tx, DealUpdated(deal_id), changes=changes)
    return await get_deal(tx, deal_id)


async def move_stage(tx: Tx, deal_id: DealId, stage_id: UUID, *, version: int) -> Deal:
    """Move a deal to another stage of its pipeline; moving it to where it stands leaves no trace.

    Raises:
        NotFound: no such deal or stage.
        Stale: changed since `version` was read.
        Unprocessable: the stage belongs to another pipeline.
    """
    deal = await get_deal(tx, deal_id, lock=True)
    tx.principal.require("deals:write")
    _check_version(deal, version)
    stage = await get_stage(tx, stage_id)
    if stage.pipeline_id != deal.pipeline_id:
        raise Unprocessable(f"{stage.name} is a stage of another pipeline; choose one of the deal's own.")
    if stage.id == deal.stage_id:
        return deal
    await tx.execute(
        """
        UPDATE deals
           SET stage_id = %(stage_id)s, version = version + 1, updated_at = %(now)s
         WHERE id = %(deal_id)s
        """,
        deal_id=deal_id,
        stage_id=stage_id,
        now=clock.now(),
    )
    await emit(tx, DealStageChanged(deal_id), changes={"stage_id": (deal.stage_id, stage_id)})
    return await get_deal(tx, deal_id)


def _check_version(deal: Deal, version: int) -> None:
    if deal.version != version:
        raise Stale(f"The deal {deal.name} was changed meanwhile; reload and try again.")


def _check(name: str, amount_minor: int, currency: str) -> None:
    if not name.strip():
        raise Unprocessable("A deal needs a name.", field="name")
    if amount_minor < 0:
        raise Unprocessable("An amount cannot be negative.", field="amount_minor")
    if len(currency) != 3 or not (currency.isascii() and currency.isalpha()):
        raise Unprocessable(
            f"{currency!r} is no currency; use a code of three letters, as in EUR.", field="currency"
        )


def _changes(deal: Deal, edit: DealEdit) -> Mapping[str, tuple[object, object]]:
    pairs: dict[str, tuple[object, object]] = {
        "name": (deal.name, edit.name),
        "amount_minor": (deal.amount_minor, edit.amount_minor),
        "currency": (deal.currency, edit.currency.upper() if edit.currency is not None else None),
        "close_date": (deal.close_date, edit.close_date),
        "next_step": (deal.next_step, edit.next_step),
    }
    return {field: pair for field, pair in pairs.items() if pair[1] is not None and pair[0] != pair[1]}
