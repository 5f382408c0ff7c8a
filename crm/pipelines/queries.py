"""Reading pipelines, stages, and how long records stood where."""

from collections.abc import Sequence
from uuid import UUID

from core.db import Tx
from core.errors import NotFound, Unprocessable
from crm.pipelines.models import Occupancy, Pipeline, Stage, Transition, Visit
from events.ids import RecordKind


async def list_pipelines(tx: Tx) -> list[Pipeline]:
    """Every pipeline, the oldest first: that one is taken where none is named."""
    tx.principal.require("deals:read")
    return await tx.all(Pipeline, "SELECT id, name, version FROM pipelines ORDER BY created_at, id")


async def get_pipeline(tx: Tx, pipeline_id: UUID, *, lock: bool = False) -> Pipeline:
    """One pipeline; `lock` keeps others from changing it and its stages. Raises: NotFound."""
    tx.principal.require("deals:read")
    if lock:
        await tx.execute("SELECT FROM pipelines WHERE id = %(id)s FOR NO KEY UPDATE", id=pipeline_id)
    return await tx.one(Pipeline, "SELECT id, name, version FROM pipelines WHERE id = %(id)s", id=pipeline_id)


async def get_stage(tx: Tx, stage_id: UUID, *, share: bool = False) -> Stage:
    """A stage that is in use; with `share` it stays so, with its rules, until the transaction ends.

    Raises:
        NotFound: there never was one.
        Unprocessable: it was removed; the text names the stages that there are.
    """
    tx.principal.require("deals:read")
    if share:
        await tx.execute("SELECT FROM stages WHERE id = %(stage_id)s FOR SHARE", stage_id=stage_id)
    stage = await tx.find(
        Stage,
        """
        SELECT id, pipeline_id, name, position, outcome, probability, limit_hours, allowed_actions, entry_rules,
               exit_rules
          FROM stages
         WHERE id = %(stage_id)s
           AND removed_at IS NULL
        """,
        stage_id=stage_id,
    )
    if stage is None:
        await _explain_absence(tx, stage_id)
        raise NotFound("No such stage in this organization.")
    return stage


async def _explain_absence(tx: Tx, stage_id: UUID) -> None:
    removed = await tx.find(
        Pipeline,
        "SELECT pipeline_id AS id, name, 1 AS version FROM stages WHERE id = %(stage_id)s",
        stage_id=stage_id,
    )
    if removed is not None:
        names = ", ".join(stage.name for stage in await list_stages(tx, removed.id))
        raise Unprocessable(f"The stage {removed.name} was removed; use one of {names}.", field="stage_id")


async def find_stage_by_name(tx: Tx, pipeline_id: UUID, name: str) -> Stage | None:
    """The stage of a pipeline with this name in any case, or None."""
    wanted = name.strip().lower()
    stages = await list_stages(tx, pipeline_id)
    return next((stage for stage in stages if stage.name.lower() == wanted), None)


async def list_stages(tx: Tx, pipeline_id: UUID) -> list[Stage]:
    """The stages of one pipeline that are in use, the first one first."""
    tx.principal.require("deals:read")
    return await tx.all(
        Stage,
        """
        SELECT id, pipeline_id, name, position, outcome, probability, limit_hours, allowed_actions, entry_rules,
               exit_rules
          FROM stages
         WHERE pipeline_id = %(pipeline_id)s
           AND removed_at IS NULL
         ORDER BY position
        """,
        pipeline_id=pipeline_id,
    )


async def list_all_stages(tx: Tx) -> list[Stage]:
    """The stages of every pipeline that are in use: the oldest pipeline first, its first stage first."""
    tx.principal.require("deals:read")
    return await tx.all(
        Stage,
        """
        SELECT s.id, s.pipeline_id, s.name, s.position, s.outcome, s.probability, s.limit_hours, s.allowed_actions,
               s.entry_rules, s.exit_rules
          FROM stages s
          JOIN pipelines p ON p.organization_id = s.organization_id AND p.id = s.pipeline_id
         WHERE s.removed_at IS NULL
         ORDER BY p.created_at, p.id, s.position
        """,
    )


async def list_transitions(tx: Tx, pipeline_id: UUID) -> list[Transition]:
    """What events do in a pipeline, in the order of its stages."""
    tx.principal.require("deals:read")
    return await tx.all(
        Transition,
        """
        SELECT t.id, t.pipeline_id, t.stage_id, t.record_kind, t.event_type, t.to_stage_id
          FROM stage_transitions t
          JOIN stages s ON s.organization_id = t.organization_id AND s.id = t.stage_id
         WHERE t.pipeline_id = %(pipeline_id)s
         ORDER BY s.position, t.record_kind, t.event_type
        """,
        pipeline_id=pipeline_id,
    )


async def count_occupants(tx: Tx, stage_id: UUID) -> Occupancy:
    """How many records stand in a stage; what is in the trash does not count."""
    tx.principal.require("deals:read")
    return await tx.one(
        Occupancy,
        """
        SELECT (SELECT count(*) FROM leads WHERE stage_id = %(stage_id)s AND deleted_at IS NULL) AS leads,
               (SELECT count(*) FROM deals WHERE stage_id = %(stage_id)s AND deleted_at IS NULL) AS deals
        """,
        stage_id=stage_id,
    )


async def list_visits(tx: Tx, kind: RecordKind, record_id: UUID) -> list[Visit]:
    """Every stay of a record in a stage, the latest first; removed stages keep their names."""
    tx.principal.require(f"{kind}s:read")
    return await tx.all(
        Visit,
        """
        SELECT v.id, v.stage_id, s.name AS stage, v.cause, v.actor_kind, v.actor_id, v.entered_at, v.left_at,
               v.breached_at
          FROM stage_visits v
          JOIN stages s ON s.organization_id = v.organization_id AND s.id = v.stage_id
         WHERE v.record_kind = %(kind)s
           AND v.record_id = %(record_id)s
         ORDER BY v.entered_at DESC, v.left_at DESC NULLS FIRST, v.id DESC
        """,
        kind=kind,
        record_id=record_id,
    )


def first_open(stages: Sequence[Stage]) -> Stage:
    """Where records begin."""
    return next(stage for stage in stages if stage.is_open)
