"""Stages with rules: what is missing is said in words, on every path, and nothing moves before it is there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from core import clock
from core.db import Database, Tx
from core.errors import Conflict, Forbidden, Stale, Unprocessable
from core.principal import Principal
from crm.contacts.actions import create_contact
from crm.contacts.models import Contact, NewContact
from crm.deals.actions import (
    add_stakeholder,
    create_deal,
    delete_deal,
    move_stage,
    remove_stakeholder,
    restore_deal,
    update_deal,
)
from crm.deals.conversion import convert_lead
from crm.deals.models import Conversion, Deal, DealEdit, NewDeal
from crm.deals.queries import get_deal, list_stakeholders
from crm.leads.actions import create_lead, delete_lead, move_lead, restore_lead
from crm.leads.models import NewLead
from crm.leads.queries import get_lead, list_leads
from crm.pipelines import actions as pipelines
from crm.pipelines.models import ALL_ACTIONS, Action, Cause, NewStage, Outcome, Pipeline, Stage, StageEdit
from crm.pipelines.moves import ActionRefused, MoveRefused, note_breach
from crm.pipelines.queries import get_stage, list_stages, list_transitions, list_visits
from crm.pipelines.rules import Rule
from crm.pipelines.transitions import apply_event
from crm.records.models import RecordRef
from crm.tasks.actions import complete_task, create_task
from crm.tasks.models import NewTask
from events.ids import RecordKind
from tests.support.changes import changes_of

RULES = (
    Rule("field", field="close_date"),
    Rule("field", field="next_step"),
    Rule("stakeholder", role="decision_maker"),
    Rule("minimum_amount", amount_minor=100000, currency="EUR"),
    Rule("no_open_tasks"),
)


@dataclass
class Office:
    """A pipeline New, Offer, Contract, Won, Lost with somebody in it; `stage` by name."""

    tx: Tx
    pipeline: Pipeline
    stages: dict[str, Stage]
    contact: Contact

    def stage(self, name: str) -> UUID:
        return self.stages[name].id

    async def deal(self, stage: str = "New", **fields: object) -> Deal:
        new = NewDeal("40 scanners", self.stage(stage), contact_id=self.contact.id)
        return await create_deal(self.tx, replace(new, **fields))  # type: ignore[arg-type]


@pytest.fixture
async def office(database: Database, organization: Principal) -> AsyncIterator[Office]:
    async with database.transaction(organization, "test") as tx:
        pipeline = await pipelines.create_pipeline(
            tx,
            "Sales",
            [
                NewStage("New", probability=10),
                NewStage("Offer", probability=50),
                NewStage("Contract", probability=80),
                NewStage("Won", Outcome.WON, 100),
                NewStage("Lost", Outcome.LOST),
            ],
        )
        stages = {stage.name: stage for stage in await list_stages(tx, pipeline.id)}
        contact = await create_contact(tx, NewContact("Anna"))
        yield Office(tx, pipeline, stages, contact)


async def test_a_refused_move_says_everything_that_is_missing_and_changes_nothing(office: Office) -> None:
    tx = office.tx
    await pipelines.update_stage(tx, office.stage("Offer"), StageEdit(entry_rules=RULES))
    deal = await office.deal()
    await create_task(tx, NewTask("Call", RecordRef(RecordKind.DEAL, deal.id)))

    with pytest.raises(MoveRefused) as refused:
        await move_stage(tx, deal.id, office.stage("Offer"), version=1)

    assert refused.value.detail == (
        "To enter Offer the deal needs a close date; a next step; a stakeholder who is decision maker; "
        "an amount of at least 1000.00 EUR; all its tasks done."
    )
    assert [one.rule for one in refused.value.missing] == list(RULES)
    assert await get_deal(tx, deal.id) == deal
    assert len(await list_visits(tx, RecordKind.DEAL, deal.id)) == 1


async def test_a_deal_that_has_everything_moves(office: Office) -> None:
    tx = office.tx
    await pipelines.update_stage(tx, office.stage("Offer"), StageEdit(entry_rules=RULES))
    deal = await office.deal(amount_minor=100000, close_date=date(2026, 12, 1), next_step="Sign")
    await add_stakeholder(tx, deal.id, office.contact.id, "decision_maker")
    task = await create_task(tx, NewTask("Call", RecordRef(RecordKind.DEAL, deal.id)))
    await complete_task(tx, task.id)

    moved = await move_stage(tx, deal.id, office.stage("Offer"), version=2)

    assert (moved.stage, moved.likelihood) == ("Offer", 50)


async def test_exit_rules_hold_a_deal_back_even_from_being_won(office: Office) -> None:
    tx = office.tx
    await pipelines.update_stage(
        tx, office.stage("New"), StageEdit(exit_rules=(Rule("field", field="owner"),))
    )
    deal = await office.deal()

    for stage in ("Offer", "Won", "Lost"):
        with pytest.raises(MoveRefused, match=r"To leave New the deal needs an owner\."):
            await move_stage(tx, deal.id, office.stage(stage), version=1)


async def test_an_amount_in_another_currency_is_not_enough(office: Office) -> None:
    tx = office.tx
    await pipelines.update_stage(tx, office.stage("Offer"), StageEdit(entry_rules=(RULES[3],)))
    deal = await office.deal(amount_minor=10**9, currency="JPY")

    with pytest.raises(MoveRefused, match=r"1000\.00 EUR"):
        await move_stage(tx, deal.id, office.stage("Offer"), version=1)


async def test_a_deal_cannot_be_made_in_a_stage_that_would_not_let_it_in(office: Office) -> None:
    await pipelines.update_stage(office.tx, office.stage("Offer"), StageEdit(entry_rules=(RULES[0],)))

    with pytest.raises(MoveRefused):
        await office.deal("Offer")


async def test_a_stage_refuses_what_it_does_not_allow(office: Office) -> None:
    tx = office.tx
    kept = tuple(set(ALL_ACTIONS) - {Action.SKIP, Action.RETURN, Action.EDIT, Action.DELETE, Action.WIN})
    await pipelines.update_stage(tx, office.stage("Offer"), StageEdit(allowed_actions=kept))
    await pipelines.update_stage(tx, office.stage("New"), StageEdit(allowed_actions=kept))
    deal = await office.deal("Offer")
    new = await office.deal("New")

    with pytest.raises(ActionRefused, match="does not allow to move back"):
        await move_stage(tx, deal.id, office.stage("New"), version=1)
    with pytest.raises(ActionRefused, match="win"):
        await move_stage(tx, deal.id, office.stage("Won"), version=1)
    with pytest.raises(ActionRefused, match="skip"):
        await move_stage(tx, new.id, office.stage("Contract"), version=1)
    with pytest.raises(ActionRefused, match="change amount"):
        await update_deal(tx, deal.id, DealEdit(amount_minor=5), version=1)
    with pytest.raises(ActionRefused, match="delete"):
        await delete_deal(tx, deal.id, version=1)
    assert (await update_deal(tx, deal.id, DealEdit(next_step="Call"), version=1)).next_step == "Call"


async def test_closing_and_reopening_a_deal_is_told_and_timed(office: Office) -> None:
    tx = office.tx
    deal = await office.deal()

    won = await move_stage(tx, deal.id, office.stage("Won"), version=1)
    again = await move_stage(tx, deal.id, office.stage("New"), version=2)

    assert won.closed_at is not None
    assert again.closed_at is None
    types = [change.type for change in await changes_of(tx, deal.id)]
    assert types == ["deal.created", "deal.stage.changed", "deal.closed", "deal.stage.changed"]
    visits = await list_visits(tx, RecordKind.DEAL, deal.id)
    assert [(visit.stage, visit.cause) for visit in visits] == [
        ("New", Cause.MOVED),
        ("Won", Cause.MOVED),
        ("New", Cause.CREATED),
    ]
    assert [visit.left_at is None for visit in visits] == [True, False, False]


async def test_a_removed_stage_is_named_with_the_stages_that_there_are(office: Office) -> None:
    tx = office.tx
    deal = await office.deal()
    await pipelines.remove_stage(tx, office.stage("Offer"))

    with pytest.raises(
        Unprocessable, match=r"The stage Offer was removed; use one of New, Contract, Won, Lost\."
    ):
        await move_stage(tx, deal.id, office.stage("Offer"), version=1)
    with pytest.raises(Unprocessable, match="was removed"):
        await office.deal("Offer")
    assert [(one.name, one.position) for one in await list_stages(tx, office.pipeline.id)] == [
        ("New", 0), ("Contract", 1), ("Won", 2), ("Lost", 3)
    ]  # fmt: skip


async def test_a_stage_with_records_is_removed_only_with_a_place_for_them(office: Office) -> None:
    tx = office.tx
    deal = await office.deal("Offer")
    lead = await create_lead(tx, NewLead(office.contact.id, stage_id=office.stage("Offer")))

    with pytest.raises(Conflict, match="1 deals and 1 leads stand in Offer"):
        await pipelines.remove_stage(tx, office.stage("Offer"))
    await pipelines.update_stage(tx, office.stage("Contract"), StageEdit(entry_rules=(RULES[0],)))
    with pytest.raises(MoveRefused):
        async with tx.savepoint():
            await pipelines.remove_stage(tx, office.stage("Offer"), move_to=office.stage("Contract"))
    await pipelines.remove_stage(tx, office.stage("Offer"), move_to=office.stage("New"))

    assert (await get_deal(tx, deal.id)).stage == "New"
    assert (await get_lead(tx, lead.id)).stage == "New"
    assert (await list_visits(tx, RecordKind.DEAL, deal.id))[0].cause is Cause.STAGE_REMOVED


async def test_the_last_open_stage_stays(office: Office) -> None:
    for name in ("New", "Offer"):
        await pipelines.remove_stage(office.tx, office.stage(name))

    with pytest.raises(Unprocessable, match="last open stage"):
        await pipelines.remove_stage(office.tx, office.stage("Contract"))


async def test_what_comes_out_of_the_trash_finds_its_stage_gone(office: Office) -> None:
    tx = office.tx
    deal = await office.deal("Offer")
    deleted = await delete_deal(tx, deal.id, version=1)
    with pytest.raises(Conflict, match="in the trash"):
        await move_stage(tx, deal.id, office.stage("New"), version=deleted.version)
    await pipelines.remove_stage(tx, office.stage("Offer"))

    restored = await restore_deal(tx, deal.id)

    assert (restored.stage, restored.deleted_at) == ("New", None)


async def test_stages_are_added_renamed_and_put_in_order(office: Office) -> None:
    tx = office.tx
    added = await pipelines.add_stage(tx, office.pipeline.id, NewStage("Pilot"))
    await pipelines.update_stage(
        tx, office.stage("New"), StageEdit(name="Fresh", probability=5, limit_hours=48)
    )
    stages = await list_stages(tx, office.pipeline.id)

    order = [stages[1], stages[0], *stages[2:]]
    ordered = await pipelines.reorder_stages(tx, office.pipeline.id, [stage.id for stage in order])

    assert added.position == 3
    assert [one.name for one in ordered] == ["Offer", "Fresh", "Contract", "Pilot", "Won", "Lost"]
    with pytest.raises(Unprocessable, match="already"):
        await pipelines.add_stage(tx, office.pipeline.id, NewStage("offer"))
    with pytest.raises(Unprocessable, match="once"):
        await pipelines.reorder_stages(tx, office.pipeline.id, [added.id])
    with pytest.raises(Stale):
        await pipelines.rename_pipeline(tx, office.pipeline.id, "Partners", version=1)


@pytest.mark.parametrize(
    "rule",
    [
        Rule("field", field="shoe_size"),
        Rule("stakeholder", role="cook"),
        Rule("minimum_amount", amount_minor=5, currency="EURO"),
        Rule("minimum_amount", currency="EUR"),
        Rule("moon_phase"),  # type: ignore[arg-type]
    ],
)
async def test_a_rule_that_is_none_is_refused(office: Office, rule: Rule) -> None:
    with pytest.raises(Unprocessable):
        await pipelines.update_stage(office.tx, office.stage("New"), StageEdit(entry_rules=(rule,)))


async def test_only_who_may_changes_a_pipeline(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        pipeline = await pipelines.create_pipeline(tx, "Sales")
    seller = replace(organization, scopes=frozenset({"deals:read", "deals:write"}))
    async with database.transaction(seller, "test") as tx:
        stage = (await list_stages(tx, pipeline.id))[0]
        with pytest.raises(Forbidden):
            await pipelines.update_stage(tx, stage.id, StageEdit(name="Mine"))


# leads


async def test_a_person_is_in_a_pipeline_once(office: Office) -> None:
    lead = await create_lead(office.tx, NewLead(office.contact.id, source="A fair"))

    with pytest.raises(Conflict, match="Anna is in this pipeline already"):
        await create_lead(office.tx, NewLead(office.contact.id))
    deleted = await delete_lead(office.tx, lead.id, version=1)
    second = await create_lead(office.tx, NewLead(office.contact.id))
    with pytest.raises(Conflict, match="again"):
        await restore_lead(office.tx, lead.id)

    assert (lead.stage, deleted.deleted_at is not None) == ("New", True)
    assert [one.id for one in (await list_leads(office.tx)).items] == [second.id]


async def test_converting_a_lead_makes_a_deal_and_moves_both(office: Office) -> None:
    tx = office.tx
    lead = await create_lead(tx, NewLead(office.contact.id, next_step="Send the offer"))

    deal = await convert_lead(tx, lead.id, Conversion("40 scanners", amount_minor=816000), version=1)

    after = await get_lead(tx, lead.id)
    assert (deal.lead_id, deal.contact_id, deal.stage) == (lead.id, office.contact.id, "Offer")
    assert (deal.next_step, after.stage, after.converted_at is not None) == ("Send the offer", "Offer", True)
    assert [change.type for change in await changes_of(tx, lead.id)] == [
        "lead.created", "lead.stage.changed", "lead.converted"
    ]  # fmt: skip
    with pytest.raises(Conflict, match="already"):
        await convert_lead(tx, lead.id, Conversion("Again"), version=after.version)


async def test_a_conversion_that_a_rule_stops_leaves_neither(office: Office) -> None:
    tx = office.tx
    owner = (Rule("field", field="owner"),)
    await pipelines.update_stage(tx, office.stage("New"), StageEdit(exit_rules=owner))
    lead = await create_lead(tx, NewLead(office.contact.id))

    with pytest.raises(MoveRefused, match="To leave New the lead needs an owner"):
        await convert_lead(tx, lead.id, Conversion("40 scanners"), version=1)

    assert await get_lead(tx, lead.id) == lead
    assert await tx.value("SELECT count(*) FROM deals") == 0


async def test_rules_about_money_say_nothing_about_leads(office: Office) -> None:
    tx = office.tx
    await pipelines.update_stage(tx, office.stage("Offer"), StageEdit(entry_rules=RULES))
    lead = await create_lead(tx, NewLead(office.contact.id))

    with pytest.raises(MoveRefused, match=r"the lead needs a next step\.$"):
        await move_lead(tx, lead.id, office.stage("Offer"), version=1)


# events and time


async def test_an_answer_makes_a_cold_lead_a_replied_one(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        await pipelines.create_pipeline(tx, "Sales")
        contact = await create_contact(tx, NewContact("Anna"))
        lead = await create_lead(tx, NewLead(contact.id))

        moved = await apply_event(tx, "message.received", contact_id=contact.id)
        again = await apply_event(tx, "message.received", contact_id=contact.id)

        assert [(one.id, one.refusal) for one in moved] == [(lead.id, "")]
        assert again == []
        assert (await get_lead(tx, lead.id)).stage == "Replied"
        assert (await list_visits(tx, RecordKind.LEAD, lead.id))[0].cause is Cause.EVENT


async def test_an_event_moves_nothing_back_and_nothing_past_a_rule(office: Office) -> None:
    tx = office.tx
    with pytest.raises(Unprocessable, match="only forward"):
        await pipelines.set_transition(
            tx, office.stage("Offer"), RecordKind.DEAL, "message.sent", office.stage("New")
        )
    with pytest.raises(Unprocessable, match="moves nothing"):
        await pipelines.set_transition(
            tx, office.stage("New"), RecordKind.DEAL, "deal.stage.changed", office.stage("Offer")
        )
    await pipelines.set_transition(
        tx, office.stage("New"), RecordKind.DEAL, "message.sent", office.stage("Offer")
    )
    await pipelines.update_stage(tx, office.stage("Offer"), StageEdit(entry_rules=(RULES[0],)))
    deal = await office.deal()

    (refused,) = await apply_event(tx, "message.sent", contact_id=office.contact.id)
    stages = [office.stages[name].id for name in ("Offer", "New", "Contract", "Won", "Lost")]
    await pipelines.reorder_stages(tx, office.pipeline.id, stages)
    turned = await apply_event(tx, "message.sent", contact_id=office.contact.id)

    assert refused.refusal == "To enter Offer the deal needs a close date."
    assert turned == []
    assert (await get_deal(tx, deal.id)).stage == "New"


async def test_removing_a_stage_takes_its_transitions_along(office: Office) -> None:
    tx = office.tx
    await pipelines.set_transition(
        tx, office.stage("New"), RecordKind.DEAL, "message.sent", office.stage("Offer")
    )

    await pipelines.remove_stage(tx, office.stage("Offer"))

    assert await list_transitions(tx, office.pipeline.id) == []


async def test_a_deal_that_stays_too_long_is_told_of_once(office: Office) -> None:
    tx = office.tx
    deal = await office.deal("Offer")
    await pipelines.update_stage(tx, office.stage("Offer"), StageEdit(limit_hours=24))
    (due_at,) = [
        await tx.value(
            "SELECT due_at FROM due_work WHERE kind = 'deal.sla' AND subject_id = %(id)s", id=deal.id
        )
    ]
    early = await note_breach(tx, RecordKind.DEAL, deal.id)
    await tx.execute(
        "UPDATE stage_visits SET entered_at = %(then)s WHERE record_id = %(id)s",
        then=clock.now() - timedelta(hours=25),
        id=deal.id,
    )

    late = [await note_breach(tx, RecordKind.DEAL, deal.id) for _ in range(2)]
    await move_stage(tx, deal.id, office.stage("Contract"), version=1)

    assert due_at == deal.stage_entered_at + timedelta(hours=24)
    assert (early, late) == (False, [True, False])
    assert "deal.sla.breach" in [change.type for change in await changes_of(tx, deal.id)]
    assert not await tx.value("SELECT true FROM due_work WHERE subject_id = %(id)s", id=deal.id)


async def test_a_stakeholder_has_roles(office: Office) -> None:
    tx = office.tx
    deal = await office.deal()
    for role in ("champion", "champion", "buyer"):
        await add_stakeholder(tx, deal.id, office.contact.id, role)
    await remove_stakeholder(tx, deal.id, office.contact.id, "buyer")

    assert [(one.name, one.role) for one in await list_stakeholders(tx, deal.id)] == [("Anna", "champion")]
    assert (await get_deal(tx, deal.id)).version == 4
    with pytest.raises(Unprocessable, match="no role"):
        await add_stakeholder(tx, deal.id, office.contact.id, "cook")


async def test_a_stage_keeps_its_rules_as_data(office: Office) -> None:
    edited = await pipelines.update_stage(
        office.tx, office.stage("Offer"), StageEdit(entry_rules=RULES, exit_rules=(RULES[4],))
    )

    stage = await get_stage(office.tx, edited.id)
    assert stage.entry_rules[3] == {"rule": "minimum_amount", "amount_minor": 100000, "currency": "EUR"}
    assert stage.exit_rules == [{"rule": "no_open_tasks"}]
