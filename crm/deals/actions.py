"""Making, changing and moving deals."""

from collections.abc import Mapping
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic import JsonValue

from core import clock
from core.db import Tx
from core.edits import KEEP, Keep, assignments, differences, given
from core.errors import Conflict, Stale, Unprocessable
from core.ids import uuid7
from core.money import MOST_MINOR, known_currency
from crm.bidi.queries import require_bidi
from crm.companies.queries import get_company
from crm.contacts.queries import get_contact
from crm.custom_fields.links import require_linked
from crm.custom_fields.models import merged
from crm.custom_fields.queries import custom_fields_of
from crm.deals.models import Deal, DealEdit, NewDeal
from crm.deals.queries import get_deal
from crm.identity.queries import require_member
from crm.pipelines import moves
from crm.pipelines.models import Action, Cause, Stage, Standing
from crm.pipelines.queries import get_stage
from crm.pipelines.rules import ROLES
from crm.pipelines.standings import deal_values, get_standing
from events.ids import BidiId, ContactId, DealId, LeadId, MemberId, RecordKind
from events.outbox import emit
from events.types import DealCreated, DealDeleted, DealRestored, DealUpdated, Event

# What a stage that does not allow edits holds still.
_FROZEN = frozenset({"amount_minor", "currency", "close_date", "probability"})


async def create_deal(
    tx: Tx, new: NewDeal, *, lead_id: LeadId | None = None, cause: Cause = Cause.CREATED
) -> Deal:
    """Add a deal.

    Raises:
        Unprocessable: no name, an amount that cannot be, no currency of ISO 4217, or a stage that was removed.
        NotFound: no such stage, company or contact.
        MoveRefused: a rule of the stage is not kept.
    """
    tx.principal.require("deals:write")
    currency = known_currency(new.currency)
    _check(new.name, new.amount_minor, new.probability)
    stage = await get_stage(tx, new.stage_id, share=True)
    if new.company_id is not None:
        await get_company(tx, new.company_id)
    if new.contact_id is not None:
        await get_contact(tx, new.contact_id)
    await _require_people(tx, new.owner_id, new.bidi_id)
    custom = merged({}, await _checked_new(tx, new.custom, cause))
    deal_id = DealId(uuid7())
    standing = _standing(deal_id, new, stage, currency, custom)
    moves.require_rules(standing, None, stage)
    now = clock.now()
    await tx.execute(
        """
        INSERT INTO deals (organization_id, id, name, company_id, contact_id, lead_id, pipeline_id, stage_id,
                           stage_entered_at, amount_minor, currency, probability, close_date, next_step, lost_reason,
                           owner_id, bidi_id, custom, closed_at, created_at, updated_at)
        VALUES (%(organization_id)s, %(id)s, %(name)s, %(company_id)s, %(contact_id)s, %(lead_id)s, %(pipeline_id)s,
                %(stage_id)s, %(now)s, %(amount_minor)s, %(currency)s, %(probability)s, %(close_date)s, %(next_step)s,
                %(lost_reason)s, %(owner_id)s, %(bidi_id)s, %(custom)s, %(closed_at)s, %(now)s, %(now)s)
        """,
        organization_id=tx.organization_id,
        id=deal_id,
        name=new.name.strip(),
        company_id=new.company_id,
        contact_id=new.contact_id,
        lead_id=lead_id,
        pipeline_id=stage.pipeline_id,
        stage_id=stage.id,
        amount_minor=new.amount_minor,
        currency=currency,
        probability=new.probability,
        close_date=new.close_date,
        next_step=new.next_step,
        lost_reason=new.lost_reason,
        owner_id=new.owner_id,
        bidi_id=new.bidi_id,
        custom=Jsonb(custom),
        closed_at=None if stage.is_open else now,
        now=now,
    )
    await moves.enter(tx, standing, stage, cause)
    await emit(tx, DealCreated(deal_id))
    return await get_deal(tx, deal_id)


def _standing(
    deal_id: DealId, new: NewDeal, stage: Stage, currency: str, custom: Mapping[str, JsonValue]
) -> Standing:
    """A deal that is about to be made, as rules see it."""
    values = deal_values(
        company=new.company_id,
        contact=new.contact_id,
        amount_minor=new.amount_minor,
        close_date=new.close_date,
        probability=new.probability,
        owner=new.owner_id,
        next_step=new.next_step,
        lost_reason=new.lost_reason,
        custom=custom,
    )
    return Standing(RecordKind.DEAL, deal_id, new.name, stage.pipeline_id, stage.id, 1, values, currency)


async def update_deal(tx: Tx, deal_id: DealId, edit: DealEdit, *, version: int) -> Deal:
    """Change some fields of a deal; an edit that changes nothing leaves no trace.

    Raises:
        NotFound: no such deal, company or contact.
        Stale: changed since `version` was read.
        Unprocessable: an empty name, an amount that cannot be or an unknown currency.
        ActionRefused: its stage holds amount, currency, close date and probability still.
    """
    deal = await get_deal(tx, deal_id, lock=True)
    tx.principal.require("deals:write")
    _check_version(deal, version)
    new = given(edit)
    if edit.currency is not KEEP:
        new["currency"] = known_currency(edit.currency)
    if edit.name is not KEEP:
        new["name"] = edit.name.strip()
    if edit.custom is not KEEP:
        new["custom"] = merged(deal.custom, await _checked(tx, edit.custom))
    changes = differences(deal, new)
    if not changes:
        return deal
    after = {name: pair[1] for name, pair in changes.items()}
    _check(
        str(after.get("name", deal.name)),
        deal.amount_minor if edit.amount_minor is KEEP else edit.amount_minor,
        deal.probability if edit.probability is KEEP else edit.probability,
    )
    if _FROZEN & changes.keys():
        moves.require_action(await get_stage(tx, deal.stage_id), Action.EDIT)
    if isinstance(edit.company_id, UUID):
        await get_company(tx, edit.company_id)
    if isinstance(edit.contact_id, UUID):
        await get_contact(tx, edit.contact_id)
    await _require_people(tx, edit.owner_id, edit.bidi_id)
    return await _note(tx, deal_id, changes, DealUpdated(deal_id))


async def move_stage(tx: Tx, deal_id: DealId, stage_id: UUID, *, version: int) -> Deal:
    """Move a deal to another stage of its pipeline; moving it to where it stands leaves no trace.

    Raises:
        NotFound: no such deal or stage.
        Stale: changed since `version` was read.
        Unprocessable: the stage belongs to another pipeline, or was removed.
        ActionRefused: the stage that it leaves does not allow it.
        MoveRefused: a rule of either stage is not kept; nothing changed.
    """
    deal = await get_deal(tx, deal_id, lock=True)
    tx.principal.require("deals:write")
    _check_version(deal, version)
    if deal.deleted_at is not None:
        raise Conflict(f"The deal {deal.name} is in the trash; restore it first.")
    await moves.move(tx, await get_standing(tx, RecordKind.DEAL, deal_id), stage_id, Cause.MOVED)
    return await get_deal(tx, deal_id)


async def add_stakeholder(tx: Tx, deal_id: DealId, contact_id: ContactId, role: str) -> None:
    """Note that somebody has a say in a deal; giving a role again changes nothing.

    Raises: NotFound; Unprocessable for a role that there is not.
    """
    deal = await get_deal(tx, deal_id, lock=True)
    tx.principal.require("deals:write")
    contact = await get_contact(tx, contact_id)
    if role not in ROLES:
        raise Unprocessable(f"{role!r} is no role; use one of {', '.join(ROLES)}.", field="role")
    is_new = await tx.execute(
        """
        INSERT INTO deal_stakeholders (organization_id, deal_id, contact_id, role, added_at)
        VALUES (%(organization_id)s, %(deal_id)s, %(contact_id)s, %(role)s, %(now)s)
            ON CONFLICT DO NOTHING
        """,
        organization_id=tx.organization_id,
        deal_id=deal_id,
        contact_id=contact_id,
        role=role,
        now=clock.now(),
    )
    if is_new:
        await _touch(tx, deal, {f"stakeholder {contact.id}": (None, role)})


async def remove_stakeholder(tx: Tx, deal_id: DealId, contact_id: ContactId, role: str) -> None:
    """Take a role away from somebody; nothing happens when they do not have it. Raises: NotFound."""
    deal = await get_deal(tx, deal_id, lock=True)
    tx.principal.require("deals:write")
    gone = await tx.execute(
        """
        DELETE FROM deal_stakeholders
         WHERE deal_id = %(deal_id)s
           AND contact_id = %(contact_id)s
           AND role = %(role)s
        """,
        deal_id=deal_id,
        contact_id=contact_id,
        role=role,
    )
    if gone:
        await _touch(tx, deal, {f"stakeholder {contact_id}": (role, None)})


async def delete_deal(tx: Tx, deal_id: DealId, *, version: int | None = None) -> Deal:
    """Put a deal into the trash. Raises: NotFound, Stale; ActionRefused when its stage keeps it."""
    deal = await get_deal(tx, deal_id, lock=True)
    tx.principal.require("deals:write")
    if version is not None:
        _check_version(deal, version)
    if deal.deleted_at is not None:
        return deal
    moves.require_action(await get_stage(tx, deal.stage_id), Action.DELETE)
    await moves.unwatch(tx, RecordKind.DEAL, deal_id)
    return await _note(tx, deal_id, {"deleted_at": (None, clock.now())}, DealDeleted(deal_id))


async def restore_deal(tx: Tx, deal_id: DealId) -> Deal:
    """Take a deal out of the trash; from a stage that was removed meanwhile it comes to the first one.

    Raises: NotFound; Conflict when another deal was made of its lead.
    """
    deal = await get_deal(tx, deal_id, lock=True)
    tx.principal.require("deals:write")
    if deal.deleted_at is None:
        return deal
    twin = await tx.value(
        "SELECT true FROM deals WHERE lead_id = %(lead_id)s AND deleted_at IS NULL", lead_id=deal.lead_id
    )
    if twin:
        raise Conflict("Another deal was made of the same lead; delete that one first.")
    await _note(tx, deal_id, {"deleted_at": (deal.deleted_at, None)}, DealRestored(deal_id))
    await moves.come_back(tx, await get_standing(tx, RecordKind.DEAL, deal_id), deal.stage_entered_at)
    return await get_deal(tx, deal_id)


def _check_version(deal: Deal, version: int) -> None:
    if deal.version != version:
        raise Stale(f"The deal {deal.name} was changed meanwhile; reload and try again.")


def _check(name: str, amount_minor: int, probability: int | None) -> None:
    if not name.strip():
        raise Unprocessable("A deal needs a name.", field="name")
    if amount_minor < 0:
        raise Unprocessable("An amount cannot be negative.", field="amount_minor")
    if amount_minor > MOST_MINOR:
        raise Unprocessable("The amount is more than a deal can hold.", field="amount_minor")
    if probability is not None and not 0 <= probability <= 100:
        raise Unprocessable("A probability is a percentage from 0 to 100.", field="probability")


async def _checked_new(tx: Tx, custom: Mapping[str, JsonValue], cause: Cause) -> dict[str, JsonValue]:
    """A deal made of a lead has nobody who was asked for its fields yet, so none is required of it."""
    fields = await custom_fields_of(tx, RecordKind.DEAL)
    values = fields.check(custom) if cause is Cause.CONVERTED else fields.check_new(custom)
    return await require_linked(tx, fields, values)


async def _checked(tx: Tx, custom: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    fields = await custom_fields_of(tx, RecordKind.DEAL)
    return await require_linked(tx, fields, fields.check(custom))


async def _require_people(tx: Tx, owner_id: MemberId | Keep | None, bidi_id: BidiId | Keep | None) -> None:
    """Raises: Unprocessable for a person or seat that is not there."""
    if isinstance(owner_id, UUID):
        await require_member(tx, owner_id)
    if isinstance(bidi_id, UUID):
        await require_bidi(tx, bidi_id)


async def _touch(tx: Tx, deal: Deal, changes: Mapping[str, tuple[object, object]]) -> None:
    """A deal whose stakeholders changed has changed."""
    await tx.execute(
        "UPDATE deals SET version = version + 1, updated_at = %(now)s WHERE id = %(deal_id)s",
        now=clock.now(),
        deal_id=deal.id,
    )
    await emit(tx, DealUpdated(deal.id), changes=changes)


async def _note(tx: Tx, deal_id: DealId, changes: Mapping[str, tuple[object, object]], event: Event) -> Deal:
    values = {name: after for name, (_, after) in changes.items()} | {"updated_at": clock.now()}
    await tx.execute(
        sql.SQL("UPDATE deals SET {values}, version = version + 1 WHERE id = %(deal_id)s").format(
            values=assignments(values)
        ),
        deal_id=deal_id,
    )
    await emit(tx, event, changes=changes)
    return await get_deal(tx, deal_id)
