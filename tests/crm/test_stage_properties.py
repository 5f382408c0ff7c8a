"""Whatever is done with a record, by any path, it stands in no stage that rules or allowed actions kept it out of.

A model beside the code, written anew from the domain, judges every visit that a random program leaves behind.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.db import Database, Tx
from core.errors import AppError, NotFound
from core.principal import Principal
from crm.bulk.applying import apply, take_back
from crm.bulk.models import Changes, EditedRecord, Fate
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
from crm.deals.models import Conversion, DealEdit, NewDeal
from crm.deals.queries import get_deal, list_stakeholders
from crm.leads.actions import create_lead, delete_lead, move_lead, restore_lead, update_lead
from crm.leads.models import LeadEdit, NewLead
from crm.leads.queries import get_lead
from crm.pipelines import actions as pipelines
from crm.pipelines.models import ALL_ACTIONS, Action, NewStage, Outcome, Stage, StageEdit
from crm.pipelines.moves import enter_together
from crm.pipelines.queries import list_stages, list_visits
from crm.pipelines.rules import Rule
from crm.pipelines.transitions import apply_event
from crm.records.models import RecordRef
from crm.tasks.actions import complete_task, create_task
from crm.tasks.models import NewTask
from crm.tasks.queries import list_record_tasks
from events.ids import DealId, LeadId, RecordKind

STAGES = ("New", "Offer", "Contract", "Won", "Lost")
RULES = (
    Rule("field", field="close_date"),
    Rule("field", field="next_step"),
    Rule("field", field="lost_reason"),
    Rule("field", field="contact"),
    Rule("stakeholder", role="decision_maker"),
    Rule("minimum_amount", amount_minor=100, currency="EUR"),
    Rule("no_open_tasks"),
)
MOVES = ("message.received", "task.completed", "deal.created")


@dataclass(frozen=True)
class Setting:
    """What a stage asks for and allows in one program."""

    entry: tuple[Rule, ...]
    exit: tuple[Rule, ...]
    allowed: tuple[Action, ...]


@dataclass(frozen=True)
class Step:
    """One thing that somebody does: `stage` and `flag` mean what the deed makes of them."""

    deed: str
    stage: int
    flag: bool


@dataclass(frozen=True)
class Seen:
    """A record as the model sees it, before something is done with it."""

    kind: RecordKind
    stage_id: UUID
    is_deleted: bool
    holds: frozenset[str]


@dataclass
class Program:
    """The world that one program runs in."""

    tx: Tx
    stages: dict[UUID, Stage]
    settings: dict[UUID, Setting]
    contact: Contact
    lead_id: LeadId
    deal_ids: list[DealId]
    imported: set[UUID] = field(default_factory=set)
    edited: list[EditedRecord] = field(default_factory=list)

    @property
    def ids(self) -> list[UUID]:
        return list(self.stages)

    def at(self, number: int) -> UUID:
        return self.ids[number % len(self.ids)]


# half of the sides ask for nothing, or hardly anything would ever move
_rules = st.one_of(st.just(()), st.lists(st.sampled_from(RULES), min_size=1, max_size=2).map(tuple))
_settings = st.builds(
    Setting,
    _rules,
    _rules,
    st.one_of(st.just(ALL_ACTIONS), st.lists(st.sampled_from(ALL_ACTIONS), unique=True).map(tuple)),
)


def _fits(rule: Rule, seen: Seen) -> bool:
    """A rule as the domain tells it: of money, people and companies only deals are asked."""
    if seen.kind is RecordKind.LEAD and (
        rule.rule in ("stakeholder", "minimum_amount") or rule.field in ("close_date", "contact")
    ):
        return True
    return (rule.field or rule.rule) in seen.holds


def _is_legal(program: Program, seen: Seen, to: UUID, cause: str) -> bool:
    """Whether a record that stood so may come to stand there, for that reason."""
    entry = program.settings[to].entry
    if not all(_fits(rule, seen) for rule in entry):
        return False
    if cause == "stage_removed":
        return True
    left, there = program.stages[seen.stage_id], program.stages[to]
    setting = program.settings[left.id]
    return all(_fits(rule, seen) for rule in setting.exit) and _deeds(program, left, there) <= set(
        setting.allowed
    )


def _deeds(program: Program, left: Stage, to: Stage) -> set[Action]:
    ends = {Outcome.WON: Action.WIN, Outcome.LOST: Action.LOSE}
    if to.outcome in ends:
        return {ends[to.outcome]}
    if left.outcome in ends:
        return {Action.REOPEN}
    order = [id for id in program.ids if program.stages[id].outcome is Outcome.OPEN]
    from_, there = order.index(left.id), order.index(to.id)
    if there < from_:
        return {Action.RETURN}
    return {Action.ADVANCE, Action.SKIP} if there > from_ + 1 else {Action.ADVANCE}


async def _see(program: Program, kind: RecordKind, id: UUID) -> Seen:
    tx, holds = program.tx, set[str]()
    tasks = [task for task in await list_record_tasks(tx, RecordRef(kind, id)) if task.done_at is None]
    if kind is RecordKind.LEAD:
        lead = await get_lead(tx, LeadId(id))
        about = RecordRef(RecordKind.CONTACT, lead.contact_id)
        tasks += [task for task in await list_record_tasks(tx, about) if task.done_at is None]
        record: Any = lead
    else:
        deal = await get_deal(tx, DealId(id))
        record = deal
        roles = {one.role for one in await list_stakeholders(tx, deal.id)}
        marks = {
            "close_date": deal.close_date,
            "contact": deal.contact_id,
            "stakeholder": "decision_maker" in roles,
            "minimum_amount": deal.currency == "EUR" and deal.amount_minor >= 100,
        }
        holds |= {name for name, value in marks.items() if value}
    holds |= {name for name in ("next_step", "lost_reason") if getattr(record, name).strip()}
    holds |= set() if tasks else {"no_open_tasks"}
    return Seen(kind, record.stage_id, record.deleted_at is not None, frozenset(holds))


async def _create(program: Program, step: Step) -> None:
    new = NewDeal(
        "More",
        program.at(step.stage),
        contact_id=program.contact.id,
        amount_minor=100 if step.flag else 0,
        next_step="Call" if step.flag else "",
    )
    program.deal_ids.append((await create_deal(program.tx, new)).id)


async def _import(program: Program, step: Step) -> None:
    """The documented exception: an import brings deals as they were, wherever they stood."""
    deal = await create_deal(program.tx, NewDeal("Imported", program.at(0)))
    await program.tx.execute("DELETE FROM stage_visits WHERE record_id = %(id)s", id=deal.id)
    await program.tx.execute(
        "UPDATE deals SET stage_id = %(stage)s WHERE id = %(id)s", stage=program.at(step.stage), id=deal.id
    )
    await enter_together(program.tx, RecordKind.DEAL, [deal.id])
    program.imported.add(deal.id)
    program.deal_ids.append(deal.id)


async def _move_deal(program: Program, step: Step) -> None:
    deal = await get_deal(program.tx, program.deal_ids[-1])
    await move_stage(program.tx, deal.id, program.at(step.stage), version=deal.version)


async def _move_lead(program: Program, step: Step) -> None:
    lead = await get_lead(program.tx, program.lead_id)
    await move_lead(program.tx, lead.id, program.at(step.stage), version=lead.version)


async def _edit(program: Program, step: Step) -> None:
    deal = await get_deal(program.tx, program.deal_ids[-1])
    filled = DealEdit(
        close_date=date(2026, 12, 1) if step.flag else None,
        next_step="Call" if step.stage % 2 else "",
        lost_reason="Dear" if step.flag else "",
        amount_minor=100 if step.flag else 0,
        contact_id=program.contact.id if step.stage % 2 else None,
    )
    await update_deal(program.tx, deal.id, filled, version=deal.version)


async def _edit_lead(program: Program, step: Step) -> None:
    lead = await get_lead(program.tx, program.lead_id)
    edit = LeadEdit(next_step="Call" if step.flag else "", lost_reason="Dear" if step.stage % 2 else "")
    await update_lead(program.tx, lead.id, edit, version=lead.version)


async def _stakeholder(program: Program, step: Step) -> None:
    act = add_stakeholder if step.flag else remove_stakeholder
    await act(program.tx, program.deal_ids[-1], program.contact.id, "decision_maker")


async def _task(program: Program, step: Step) -> None:
    about = RecordRef(RecordKind.DEAL, program.deal_ids[-1])
    if step.stage % 2:
        about = RecordRef(RecordKind.CONTACT, program.contact.id)
    if step.flag:
        await create_task(program.tx, NewTask("Call", about))
        return
    for task in await list_record_tasks(program.tx, about):
        await complete_task(program.tx, task.id)


async def _convert(program: Program, step: Step) -> None:
    lead = await get_lead(program.tx, program.lead_id)
    stage_id = program.at(step.stage) if step.flag else None
    made = Conversion("Made of it", stage_id, amount_minor=100, close_date=date(2026, 12, 1))
    program.deal_ids.append((await convert_lead(program.tx, lead.id, made, version=lead.version)).id)


async def _event(program: Program, step: Step) -> None:
    if step.flag:
        await apply_event(program.tx, MOVES[step.stage % 3], contact_id=program.contact.id)
    else:
        await apply_event(program.tx, MOVES[step.stage % 3], deal_id=program.deal_ids[-1])


async def _trash(program: Program, step: Step) -> None:
    if step.flag:
        deal = await get_deal(program.tx, program.deal_ids[-1])
        await delete_deal(program.tx, deal.id, version=deal.version)
    else:
        lead = await get_lead(program.tx, program.lead_id)
        await delete_lead(program.tx, lead.id, version=lead.version)


async def _restore(program: Program, step: Step) -> None:
    if step.flag:
        await restore_deal(program.tx, program.deal_ids[-1])
    else:
        await restore_lead(program.tx, program.lead_id)


async def _bulk(program: Program, step: Step) -> None:
    fate = (None, Fate.TRASH, Fate.RESTORE)[step.stage % 3]
    changes = Changes(set={"next_step": "Call" if step.flag else ""}, fate=fate)
    done = await apply(program.tx, RecordKind.DEAL, program.deal_ids[-1], changes)
    if done.changes:
        program.edited.append(_edited(program.deal_ids[-1], done))


def _edited(id: UUID, done: Any) -> EditedRecord:
    return EditedRecord(1, id, done.label, done.verdict, done.reason, done.detail, done.changes, done.version)


async def _undo(program: Program, step: Step) -> None:
    if program.edited:
        await take_back(program.tx, RecordKind.DEAL, program.edited.pop())


async def _reorder(program: Program, step: Step) -> None:
    """Open stages turn round; the closed ones stay behind them."""
    open_ = [id for id in program.ids if program.stages[id].outcome is Outcome.OPEN]
    closed = [id for id in program.ids if id not in open_]
    order = [*open_[1:], open_[0], *closed]
    pipeline_id = program.stages[open_[0]].pipeline_id
    await pipelines.reorder_stages(program.tx, pipeline_id, order)


async def _remove(program: Program, step: Step) -> None:
    await pipelines.remove_stage(program.tx, program.at(step.stage), move_to=program.at(step.stage + 1))


DEEDS: Mapping[str, Callable[[Program, Step], Any]] = {
    "create": _create,
    "import": _import,
    "move deal": _move_deal,
    "move lead": _move_lead,
    "edit": _edit,
    "edit lead": _edit_lead,
    "stakeholder": _stakeholder,
    "task": _task,
    "convert": _convert,
    "event": _event,
    "trash": _trash,
    "restore": _restore,
    "bulk edit": _bulk,
    "undo": _undo,
    "reorder": _reorder,
    "remove stage": _remove,
}
_often = ("move deal", "move lead", "edit", "edit lead", "event", "convert")
_steps = st.builds(Step, st.sampled_from([*DEEDS, *_often * 2]), st.integers(0, 9), st.booleans())
_programs = st.tuples(st.tuples(*[_settings for _ in STAGES]), st.lists(_steps, min_size=6, max_size=12))


class _Done(Exception):
    """Leads out of a transaction of which nothing is to stay."""


async def _run(database: Database, owner: Principal, drawn: Any, moved: list[str]) -> None:
    wanted, steps = drawn
    with suppress(_Done):
        async with database.transaction(owner, "test") as tx:
            program = await _world(tx, wanted)
            before = await _look(program)
            for step in steps:
                with suppress(AppError):
                    async with tx.savepoint():
                        await DEEDS[step.deed](program, step)
                after = await _look(program)
                _judge(program, step, before, after, moved)
                if step.deed in ("reorder", "remove stage"):
                    program = await _anew(program)
                before = after
            raise _Done


async def _world(tx: Tx, wanted: tuple[Setting, ...]) -> Program:
    """Records come before the rules: they may stand where they would not be let in."""
    outcomes = {"Won": Outcome.WON, "Lost": Outcome.LOST}
    made = [NewStage(name, outcomes.get(name, Outcome.OPEN)) for name in STAGES]
    pipeline = await pipelines.create_pipeline(tx, "Sales", made)
    stages = await list_stages(tx, pipeline.id)
    contact = await create_contact(tx, NewContact("Anna"))
    lead = await create_lead(tx, NewLead(contact.id, pipeline.id))
    deal = await create_deal(tx, NewDeal("40 scanners", stages[0].id, contact_id=contact.id))
    for kind, event, to in (
        (RecordKind.LEAD, "message.received", 1),
        (RecordKind.DEAL, "task.completed", 3),
        (RecordKind.LEAD, "deal.created", 2),
    ):
        await pipelines.set_transition(tx, stages[0].id, kind, event, stages[to].id)
    for stage, setting in zip(stages, wanted, strict=True):
        edit = StageEdit(entry_rules=setting.entry, exit_rules=setting.exit, allowed_actions=setting.allowed)
        await pipelines.update_stage(tx, stage.id, edit)
    settings_ = {stage.id: setting for stage, setting in zip(stages, wanted, strict=True)}
    return Program(tx, {one.id: one for one in stages}, settings_, contact, lead.id, [deal.id])


async def _anew(program: Program) -> Program:
    stages = await list_stages(program.tx, next(iter(program.stages.values())).pipeline_id)
    return replace(program, stages={one.id: one for one in stages})


@dataclass(frozen=True)
class Look:
    """Where a record stands, and how it came to stand there."""

    seen: Seen
    visits: int
    stage_id: UUID
    cause: str


async def _look(program: Program) -> dict[UUID, Look]:
    found = {}
    for kind, id in ((RecordKind.LEAD, program.lead_id), *((RecordKind.DEAL, id) for id in program.deal_ids)):
        # what a refused deed made is gone again
        with suppress(NotFound):
            visits = await list_visits(program.tx, kind, id)
            seen = await _see(program, kind, id)
            found[id] = Look(seen, len(visits), visits[0].stage_id, visits[0].cause)
    return found


def _judge(
    program: Program, step: Step, before: Mapping[UUID, Look], after: Mapping[UUID, Look], moved: list[str]
) -> None:
    for id, now in after.items():
        was = before.get(id)
        # where a record stands is where its last visit says, and one deed is one move at most
        assert now.stage_id == now.seen.stage_id, step
        assert now.visits <= (was.visits if was else 0) + 1, step
        if was is None:
            rules = () if id in program.imported else program.settings[now.stage_id].entry
            assert all(_fits(rule, now.seen) for rule in rules), (step, now)
            moved.append(step.deed)
        elif now.visits > was.visits:
            assert not was.seen.is_deleted or now.cause == "stage_removed", (step, was, now)
            assert _is_legal(program, was.seen, now.stage_id, now.cause), (step, was, now)
            moved.append(step.deed)
        else:
            assert now.stage_id == was.stage_id, (step, was, now)


async def _explore(
    database: Database, owner: Principal, examples: int, *, is_same_always: bool = False
) -> list[str]:
    """Let hypothesis drive: it runs in a thread beside the loop that the database lives in."""
    loop, moved = asyncio.get_running_loop(), list[str]()

    @settings(
        phases=[Phase.generate],
        max_examples=examples,
        derandomize=is_same_always,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(_programs)
    def explore(drawn: Any) -> None:
        asyncio.run_coroutine_threadsafe(_run(database, owner, drawn, moved), loop).result(60)

    await asyncio.to_thread(explore)
    return moved


async def test_no_path_leads_to_an_illegal_stage(database: Database, organization: Principal) -> None:
    # few programs: what they move would else be a matter of luck
    moved = await _explore(database, organization, 50, is_same_always=True)

    # a program that moves nothing shows nothing
    assert {"move deal", "move lead", "create", "event"} <= set(moved), set(moved)


@pytest.mark.full
async def test_no_path_leads_to_an_illegal_stage_many_times(
    database: Database, organization: Principal
) -> None:
    moved = await _explore(database, organization, 1000)

    assert {"move deal", "move lead", "create", "event", "convert", "remove stage"} <= set(moved)
