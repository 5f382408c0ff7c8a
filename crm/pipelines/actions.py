"""Making and changing pipelines: their stages, the rules of these, and what events do in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from core import clock
from core.db import Tx
from core.errors import Conflict, Stale, Unprocessable
from core.ids import uuid7
from crm.pipelines.models import (
    DEFAULT_STAGES,
    TRANSITION_EVENTS,
    Cause,
    NewStage,
    Outcome,
    Pipeline,
    Stage,
    StageEdit,
    Transition,
)
from crm.pipelines.moves import move, watch_kind
from crm.pipelines.queries import count_occupants, get_pipeline, get_stage, list_stages, list_transitions
from crm.pipelines.rules import MOST_RULES, Rule, check_rule
from crm.pipelines.standings import get_standing
from events import due
from events.ids import RecordKind
from events.outbox import emit
from events.types import PipelineCreated, PipelineUpdated

MOST_STAGES = 50
# More records than these are moved by a bulk edit, not along with a removal.
MOST_MOVED = 500


async def create_pipeline(
    tx: Tx, name: str, stages: Sequence[NewStage | tuple[str, Outcome]] = DEFAULT_STAGES
) -> Pipeline:
    """Make a pipeline with its stages in the given order.

    In one with the default stages a cold lead becomes a replied one when the person writes.

    Raises: Unprocessable when it has no name, or no stage that a deal could start in.
    """
    tx.principal.require("pipelines:write")
    made = [stage if isinstance(stage, NewStage) else NewStage(*stage) for stage in stages]
    if not any(stage.outcome is Outcome.OPEN for stage in made):
        raise Unprocessable("A pipeline needs at least one open stage for deals to start in.", field="stages")
    pipeline = await tx.one(
        Pipeline,
        """
        INSERT INTO pipelines (organization_id, id, name, created_at)
        VALUES (%(organization_id)s, %(id)s, %(name)s, %(now)s)
        RETURNING id, name, version
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        name=_name(name, "pipeline"),
        now=clock.now(),
    )
    for position, stage in enumerate(made):
        await _insert_stage(tx, pipeline.id, stage, position)
    await emit(tx, PipelineCreated(pipeline.id))
    if stages is DEFAULT_STAGES:
        cold, replied, *_ = await list_stages(tx, pipeline.id)
        await _insert_transition(tx, cold, RecordKind.LEAD, "message.received", replied)
    return pipeline


async def rename_pipeline(tx: Tx, pipeline_id: UUID, name: str, *, version: int) -> Pipeline:
    """Raises: NotFound, Stale, Unprocessable without a name."""
    pipeline = await get_pipeline(tx, pipeline_id, lock=True)
    tx.principal.require("pipelines:write")
    if pipeline.version != version:
        raise Stale(f"The pipeline {pipeline.name} was changed meanwhile; reload and try again.")
    wanted = _name(name, "pipeline")
    if wanted == pipeline.name:
        return pipeline
    await tx.execute("UPDATE pipelines SET name = %(name)s WHERE id = %(id)s", name=wanted, id=pipeline_id)
    return await _changed(tx, pipeline_id, {"name": (pipeline.name, wanted)})


async def add_stage(tx: Tx, pipeline_id: UUID, new: NewStage, *, position: int | None = None) -> Stage:
    """Put a stage at a place of a pipeline, before the closed ones when none is given.

    Raises: NotFound, Unprocessable.
    """
    await get_pipeline(tx, pipeline_id, lock=True)
    tx.principal.require("pipelines:write")
    stages = await list_stages(tx, pipeline_id)
    if len(stages) >= MOST_STAGES:
        raise Unprocessable(f"A pipeline has at most {MOST_STAGES} stages; remove one first.", field="stages")
    _require_free_name(stages, new.name)
    closed = [stage.position for stage in stages if not stage.is_open]
    after_open = min(closed, default=len(stages)) if new.outcome is Outcome.OPEN else len(stages)
    place = after_open if position is None else max(0, min(position, len(stages)))
    stage_id = await _insert_stage(tx, pipeline_id, new, len(stages))
    ids = [stage.id for stage in stages]
    await _place(tx, [*ids[:place], stage_id, *ids[place:]])
    await _changed(tx, pipeline_id, {"stages": (None, new.name.strip())})
    return await get_stage(tx, stage_id)


async def update_stage(tx: Tx, stage_id: UUID, edit: StageEdit) -> Stage:
    """Change a stage; a changed limit counts from when each record came in.

    Raises: NotFound; Unprocessable for a name that is taken, or a rule that is none.
    """
    stage = await _lock_stage(tx, stage_id)
    if edit.name is not None:
        others = [one for one in await list_stages(tx, stage.pipeline_id) if one.id != stage_id]
        _require_free_name(others, edit.name)
    values = _values(edit)
    changes = {
        name: (getattr(stage, name), value) for name, value in values.items() if getattr(stage, name) != value
    }
    if not changes:
        return stage
    await tx.execute(
        """
        UPDATE stages
           SET name = %(name)s, probability = %(probability)s, limit_hours = %(limit_hours)s,
               allowed_actions = %(allowed_actions)s, entry_rules = %(entry_rules)s, exit_rules = %(exit_rules)s
         WHERE id = %(stage_id)s
        """,
        stage_id=stage_id,
        name=values.get("name", stage.name),
        probability=values.get("probability", stage.probability),
        limit_hours=values.get("limit_hours", stage.limit_hours),
        allowed_actions=values.get("allowed_actions", stage.allowed_actions),
        entry_rules=Jsonb(values.get("entry_rules", stage.entry_rules)),
        exit_rules=Jsonb(values.get("exit_rules", stage.exit_rules)),
    )
    if "limit_hours" in changes:
        await _watch_again(tx, await get_stage(tx, stage_id))
    await _changed(tx, stage.pipeline_id, {f"{stage.name}: {name}": pair for name, pair in changes.items()})
    return await get_stage(tx, stage_id)


async def reorder_stages(tx: Tx, pipeline_id: UUID, stage_ids: Sequence[UUID]) -> list[Stage]:
    """Put the stages into this order. Raises: NotFound; Unprocessable when it does not name each of them once."""
    await get_pipeline(tx, pipeline_id, lock=True)
    tx.principal.require("pipelines:write")
    stages = await list_stages(tx, pipeline_id)
    if sorted(stage_ids) != sorted(stage.id for stage in stages):
        raise Unprocessable(
            f"Name each of the {len(stages)} stages of the pipeline once, in the new order.",
            field="stage_ids",
        )
    if list(stage_ids) != [stage.id for stage in stages]:
        await _place(tx, stage_ids)
        after = await list_stages(tx, pipeline_id)
        names = ([stage.name for stage in stages], [stage.name for stage in after])
        await _changed(tx, pipeline_id, {"order": names})
    return await list_stages(tx, pipeline_id)


async def remove_stage(tx: Tx, stage_id: UUID, *, move_to: UUID | None = None) -> None:
    """Take a stage out of its pipeline; what stands in it goes to `move_to`, if that lets it in.

    Raises:
        NotFound: no such stage.
        Unprocessable: it is the last one where deals can start, or `move_to` is of another pipeline.
        Conflict: records stand in it and no other stage is named, or too many of them.
        MoveRefused: a rule of the other stage is not kept by one of the records.
    """
    stage = await _lock_stage(tx, stage_id)
    stages = await list_stages(tx, stage.pipeline_id)
    if stage.is_open and len([one for one in stages if one.is_open]) == 1:
        raise Unprocessable(
            f"{stage.name} is the last open stage of its pipeline; add another one before removing it.",
            field="stage_id",
        )
    occupants = await count_occupants(tx, stage_id)
    if occupants.records and move_to is None:
        raise Conflict(
            f"{occupants.deals} deals and {occupants.leads} leads stand in {stage.name}; "
            "name the stage that they go to.",
            deals=occupants.deals,
            leads=occupants.leads,
        )
    if occupants.records > MOST_MOVED:
        raise Conflict(
            f"{occupants.records} records stand in {stage.name}; move them by a bulk edit first, for only "
            f"{MOST_MOVED} are moved along with a removal."
        )
    if occupants.records and move_to is not None:
        await _empty(tx, stage, move_to)
    await tx.execute(
        "DELETE FROM stage_transitions WHERE stage_id = %(stage_id)s OR to_stage_id = %(stage_id)s",
        stage_id=stage_id,
    )
    await tx.execute(
        "UPDATE stages SET removed_at = %(now)s, position = NULL WHERE id = %(stage_id)s",
        now=clock.now(),
        stage_id=stage_id,
    )
    await _place(tx, [one.id for one in stages if one.id != stage_id])
    await _changed(tx, stage.pipeline_id, {"stages": (stage.name, None)})


async def set_transition(
    tx: Tx, stage_id: UUID, record_kind: RecordKind, event_type: str, to_stage_id: UUID
) -> Transition:
    """Let an event move what stands in a stage on to a later one; there is one target for each kind and event.

    Raises: NotFound; Unprocessable for an event that moves nothing, or a stage that is not later.
    """
    stage = await _lock_stage(tx, stage_id)
    to = await get_stage(tx, to_stage_id)
    if record_kind not in (RecordKind.LEAD, RecordKind.DEAL):
        raise Unprocessable("Only leads and deals have stages.", field="record_kind")
    if event_type not in TRANSITION_EVENTS:
        raise Unprocessable(
            f"{event_type!r} moves nothing; use one of {', '.join(TRANSITION_EVENTS)}.", field="event_type"
        )
    if to.pipeline_id != stage.pipeline_id:
        raise Unprocessable(f"{to.name} is a stage of another pipeline.", field="to_stage_id")
    if not stage.is_open or (to.is_open and to.position <= stage.position):
        raise Unprocessable(
            f"An event moves records only forward, and {to.name} is not after {stage.name}.",
            field="to_stage_id",
        )
    transition = await _insert_transition(tx, stage, record_kind, event_type, to)
    await _changed(tx, stage.pipeline_id, {f"{stage.name}: {record_kind} on {event_type}": (None, to.name)})
    return transition


async def remove_transition(tx: Tx, pipeline_id: UUID, transition_id: UUID) -> None:
    """Let an event move nothing any more; nothing happens when it does not. Raises: NotFound."""
    await get_pipeline(tx, pipeline_id, lock=True)
    tx.principal.require("pipelines:write")
    known = [one for one in await list_transitions(tx, pipeline_id) if one.id == transition_id]
    for transition in known:
        await tx.execute("DELETE FROM stage_transitions WHERE id = %(id)s", id=transition.id)
        what = f"{transition.record_kind} on {transition.event_type}"
        await _changed(tx, pipeline_id, {what: (str(transition.to_stage_id), None)})


async def _lock_stage(tx: Tx, stage_id: UUID) -> Stage:
    """A stage whose pipeline nobody else changes meanwhile, and that nothing enters meanwhile."""
    stage = await get_stage(tx, stage_id)
    tx.principal.require("pipelines:write")
    await get_pipeline(tx, stage.pipeline_id, lock=True)
    await tx.execute("SELECT FROM stages WHERE id = %(stage_id)s FOR NO KEY UPDATE", stage_id=stage_id)
    return await get_stage(tx, stage_id)


@dataclass(frozen=True)
class _Occupant:
    kind: RecordKind
    id: UUID
    stage_entered_at: datetime


async def _occupants(tx: Tx, stage_id: UUID) -> list[_Occupant]:
    return await tx.all(
        _Occupant,
        """
        SELECT 'lead' AS kind, id, stage_entered_at
          FROM leads
         WHERE stage_id = %(stage_id)s
           AND deleted_at IS NULL
        UNION ALL
        SELECT 'deal' AS kind, id, stage_entered_at
          FROM deals
         WHERE stage_id = %(stage_id)s
           AND deleted_at IS NULL
         ORDER BY 1, 2
        """,
        stage_id=stage_id,
    )


async def _empty(tx: Tx, stage: Stage, move_to: UUID) -> None:
    if move_to == stage.id:
        raise Unprocessable(f"{stage.name} is what is removed; name another stage.", field="move_to")
    for occupant in await _occupants(tx, stage.id):
        await move(tx, await get_standing(tx, occupant.kind, occupant.id), move_to, Cause.STAGE_REMOVED)


async def _watch_again(tx: Tx, stage: Stage) -> None:
    """A new limit holds for what stands in the stage already."""
    occupants = await _occupants(tx, stage.id)
    for kind in (RecordKind.LEAD, RecordKind.DEAL):
        ours = [one for one in occupants if one.kind == kind]
        if stage.limit_hours is None:
            await due.cancel_each(tx, watch_kind(kind), [one.id for one in ours])
            continue
        limit = timedelta(hours=stage.limit_hours)
        await due.schedule_each(tx, watch_kind(kind), {one.id: one.stage_entered_at + limit for one in ours})


async def _insert_stage(tx: Tx, pipeline_id: UUID, stage: NewStage, position: int) -> UUID:
    stage_id = uuid7()
    edit = StageEdit(
        stage.name,
        stage.probability,
        stage.limit_hours,
        stage.allowed_actions,
        stage.entry_rules,
        stage.exit_rules,
    )
    values = {"limit_hours": None, **_values(edit)}
    await tx.execute(
        """
        INSERT INTO stages (organization_id, id, pipeline_id, name, position, outcome, probability, limit_hours,
                            allowed_actions, entry_rules, exit_rules)
        VALUES (%(organization_id)s, %(id)s, %(pipeline_id)s, %(name)s, %(position)s, %(outcome)s, %(probability)s,
                %(limit_hours)s, %(allowed_actions)s, %(entry_rules)s, %(exit_rules)s)
        """,
        organization_id=tx.organization_id,
        id=stage_id,
        pipeline_id=pipeline_id,
        name=values["name"],
        position=position,
        outcome=stage.outcome,
        probability=values["probability"],
        limit_hours=values["limit_hours"],
        allowed_actions=values["allowed_actions"],
        entry_rules=Jsonb(values["entry_rules"]),
        exit_rules=Jsonb(values["exit_rules"]),
    )
    return stage_id


def _values(edit: StageEdit) -> dict[str, object]:
    """The new values of a stage as its row holds them. Raises: Unprocessable."""
    values: dict[str, object] = {}
    if edit.name is not None:
        values["name"] = _name(edit.name, "stage")
    if edit.probability is not None:
        if not 0 <= edit.probability <= 100:
            raise Unprocessable("A probability is a percentage from 0 to 100.", field="probability")
        values["probability"] = edit.probability
    if edit.limit_hours is not None:
        if not 0 <= edit.limit_hours <= 24 * 3660:
            raise Unprocessable("A limit is a number of hours, at most ten years.", field="limit_hours")
        values["limit_hours"] = edit.limit_hours or None
    if edit.allowed_actions is not None:
        values["allowed_actions"] = [action.value for action in dict.fromkeys(edit.allowed_actions)]
    if edit.entry_rules is not None:
        values["entry_rules"] = _data(edit.entry_rules)
    if edit.exit_rules is not None:
        values["exit_rules"] = _data(edit.exit_rules)
    return values


def _data(rules: Sequence[Rule]) -> list[dict[str, object]]:
    if len(rules) > MOST_RULES:
        raise Unprocessable(f"A stage has at most {MOST_RULES} rules at each side.", field="rules")
    for rule in rules:
        check_rule(rule)
    return [rule.as_data() for rule in dict.fromkeys(rules)]


def _name(name: str, noun: str) -> str:
    if not name.strip():
        raise Unprocessable(f"A {noun} needs a name.", field="name")
    return name.strip()


def _require_free_name(stages: Sequence[Stage], name: str) -> None:
    """Tools and people call stages by name."""
    if any(stage.name.lower() == name.strip().lower() for stage in stages):
        raise Unprocessable(f"There is a stage {name.strip()} already; choose another name.", field="name")


async def _place(tx: Tx, stage_ids: Sequence[UUID]) -> None:
    await tx.execute(
        """
        UPDATE stages s
           SET position = placed.number - 1
          FROM unnest(%(stage_ids)s::uuid[]) WITH ORDINALITY AS placed (id, number)
         WHERE s.id = placed.id
        """,
        stage_ids=list(stage_ids),
    )


async def _insert_transition(
    tx: Tx, stage: Stage, record_kind: RecordKind, event_type: str, to: Stage
) -> Transition:
    return await tx.one(
        Transition,
        """
        INSERT INTO stage_transitions (organization_id, id, pipeline_id, stage_id, record_kind, event_type,
                                       to_stage_id)
        VALUES (%(organization_id)s, %(id)s, %(pipeline_id)s, %(stage_id)s, %(record_kind)s, %(event_type)s,
                %(to_stage_id)s)
            ON CONFLICT (organization_id, stage_id, record_kind, event_type)
            DO UPDATE SET to_stage_id = EXCLUDED.to_stage_id
        RETURNING id, pipeline_id, stage_id, record_kind, event_type, to_stage_id
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        pipeline_id=stage.pipeline_id,
        stage_id=stage.id,
        record_kind=record_kind,
        event_type=event_type,
        to_stage_id=to.id,
    )


async def _changed(tx: Tx, pipeline_id: UUID, changes: dict[str, tuple[object, object]]) -> Pipeline:
    pipeline = await tx.one(
        Pipeline,
        "UPDATE pipelines SET version = version + 1 WHERE id = %(id)s RETURNING id, name, version",
        id=pipeline_id,
    )
    await emit(tx, PipelineUpdated(pipeline_id), changes=changes)
    return pipeline
