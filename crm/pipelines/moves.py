"""The one place where a record changes its stage: every path, by hand or by event, goes through here.

Rules and allowed actions are asked before anything is written, so a refusal leaves everything as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg import sql

from core import clock
from core.db import Tx
from core.errors import Conflict, Unprocessable
from core.ids import uuid7
from crm.pipelines.models import Action, Cause, Moment, Outcome, Stage, Standing
from crm.pipelines.queries import first_open, get_stage, list_stages
from crm.pipelines.rules import Rule, missing
from events import due
from events.ids import DealId, LeadId, RecordKind
from events.outbox import emit
from events.types import DealClosed, DealSlaBreach, DealStageChanged, LeadSlaBreach, LeadStageChanged


@dataclass(frozen=True)
class Missing:
    """A rule of a stage that a record does not keep."""

    stage: str
    moment: Moment
    rule: Rule


class MoveRefused(Unprocessable):
    """The record lacks something; `missing` says what, for which stage."""

    code = "stage_rules"

    def __init__(self, standing: Standing, missing: Sequence[Missing]) -> None:
        parts = []
        for moment, verb in ((Moment.EXIT, "leave"), (Moment.ENTRY, "enter")):
            needs = [one for one in missing if one.moment is moment]
            if needs:
                words = "; ".join(one.rule.words for one in needs)
                parts.append(f"To {verb} {needs[0].stage} the {standing.kind} needs {words}.")
        names = ",".join(one.rule.field or one.rule.role or one.rule.rule for one in missing)
        super().__init__(" ".join(parts), missing=names)
        self.missing = tuple(missing)


class ActionRefused(Conflict):
    """The stage in which the record stands does not allow what was asked for."""

    code = "stage_action"

    def __init__(self, stage: Stage, action: Action) -> None:
        super().__init__(
            f"{stage.name} does not allow to {_ACTION_WORDS[action]}; its pipeline's settings can change that.",
            action=action.value,
        )
        self.stage, self.action = stage, action


_ACTION_WORDS = {
    Action.ADVANCE: "move on",
    Action.SKIP: "skip stages",
    Action.RETURN: "move back",
    Action.WIN: "win",
    Action.LOSE: "lose",
    Action.REOPEN: "reopen",
    Action.CONVERT: "make a deal of a lead",
    Action.EDIT: "change amount, currency, close date or probability",
    Action.DELETE: "delete",
}


def require_action(stage: Stage, action: Action) -> None:
    """Raises: ActionRefused."""
    if not stage.allows(action):
        raise ActionRefused(stage, action)


async def move(tx: Tx, record: Standing, stage_id: UUID, cause: Cause) -> bool:
    """Put a locked record into another stage of its pipeline; False when it stands there already.

    Raises: as `check_move` does, with nothing changed.
    """
    to = await check_move(tx, record, stage_id, cause)
    if to is None:
        return False
    await _write(tx, record, to, cause)
    return True


async def check_move(tx: Tx, record: Standing, stage_id: UUID, cause: Cause) -> Stage | None:
    """The stage that a record may be put into; None when it stands there already.

    Raises:
        NotFound: no such stage.
        Unprocessable: the stage was removed, or belongs to another pipeline.
        ActionRefused: the stage that it leaves does not allow it.
        MoveRefused: a rule of either stage is not kept.
    """
    to = await get_stage(tx, stage_id, share=True)
    if to.pipeline_id != record.pipeline_id:
        raise Unprocessable(
            f"{to.name} is a stage of another pipeline; choose one of the {record.kind}'s own.",
            field="stage_id",
        )
    if to.id == record.stage_id:
        return None
    stages = await list_stages(tx, record.pipeline_id)
    left = next((stage for stage in stages if stage.id == record.stage_id), None)
    if left is not None and cause is not Cause.STAGE_REMOVED:
        for action in actions_of(left, to, stages):
            require_action(left, action)
        require_rules(record, left, to)
    else:
        require_rules(record, None, to)
    return to


async def enter(tx: Tx, record: Standing, to: Stage, cause: Cause) -> None:
    """Note that a record that was just made stands in its first stage; ask `require_rules` before it is made."""
    now = clock.now()
    await _open_visit(tx, record, to, cause, now)
    await _watch(tx, record, to, now)


async def enter_together(tx: Tx, kind: RecordKind, ids: Sequence[UUID]) -> None:
    """Note where records stand that an import has just made: they come as they were, and no rule is asked."""
    query = sql.SQL(
        """
        WITH entered AS (
            UPDATE {table} d
               SET stage_entered_at = %(now)s,
                   closed_at = CASE WHEN s.outcome <> 'open' THEN %(now)s::timestamptz END
              FROM stages s
             WHERE d.id = ANY(%(ids)s)
               AND s.organization_id = d.organization_id
               AND s.id = d.stage_id
            RETURNING d.id, d.pipeline_id, d.stage_id
        )
        INSERT INTO stage_visits (organization_id, id, record_kind, record_id, pipeline_id, stage_id, cause,
                                  actor_kind, actor_id, entered_at)
        SELECT %(organization_id)s, gen_random_uuid(), %(kind)s, id, pipeline_id, stage_id, 'created',
               %(actor_kind)s, %(actor_id)s, %(now)s
          FROM entered
        """
    ).format(table=sql.Identifier("leads" if kind is RecordKind.LEAD else "deals"))
    await tx.execute(
        query,
        now=clock.now(),
        kind=kind.value,
        ids=list(ids),
        organization_id=tx.organization_id,
        actor_kind=tx.principal.kind,
        actor_id=tx.principal.id,
    )


def require_rules(record: Standing, left: Stage | None, to: Stage) -> None:
    """Raises: MoveRefused with everything that is missing to leave the one stage and enter the other."""
    lacking = [
        Missing(stage.name, moment, rule)
        for stage, moment in ((left, Moment.EXIT), (to, Moment.ENTRY))
        if stage is not None
        for rule in missing(stage.rules(moment), record)
    ]
    if lacking:
        raise MoveRefused(record, lacking)


def actions_of(left: Stage, to: Stage, stages: Sequence[Stage]) -> tuple[Action, ...]:
    """What a move is: on, back, over other stages, to an end, or back from one."""
    if to.outcome is Outcome.WON:
        return (Action.WIN,)
    if to.outcome is Outcome.LOST:
        return (Action.LOSE,)
    if not left.is_open:
        return (Action.REOPEN,)
    if to.position < left.position:
        return (Action.RETURN,)
    between = [stage for stage in stages if stage.is_open and left.position < stage.position < to.position]
    return (Action.ADVANCE, Action.SKIP) if between else (Action.ADVANCE,)


async def _write(tx: Tx, record: Standing, to: Stage, cause: Cause) -> None:
    now = clock.now()
    closed_at = None if to.is_open else now
    match record.kind:
        case RecordKind.LEAD:
            await tx.execute(
                """
                UPDATE leads
                   SET stage_id = %(stage_id)s, stage_entered_at = %(now)s, closed_at = %(closed_at)s,
                       version = version + 1, updated_at = %(now)s
                 WHERE id = %(id)s
                """,
                stage_id=to.id,
                now=now,
                closed_at=closed_at,
                id=record.id,
            )
        case _:
            await tx.execute(
                """
                UPDATE deals
                   SET stage_id = %(stage_id)s, stage_entered_at = %(now)s, closed_at = %(closed_at)s,
                       version = version + 1, updated_at = %(now)s
                 WHERE id = %(id)s
                """,
                stage_id=to.id,
                now=now,
                closed_at=closed_at,
                id=record.id,
            )
    await tx.execute(
        """
        UPDATE stage_visits
           SET left_at = greatest(%(now)s, entered_at)
         WHERE record_kind = %(kind)s
           AND record_id = %(id)s
           AND left_at IS NULL
        """,
        now=now,
        kind=record.kind,
        id=record.id,
    )
    await _open_visit(tx, record, to, cause, now)
    await _watch(tx, record, to, now)
    await _tell(tx, record, to)


async def _open_visit(tx: Tx, record: Standing, to: Stage, cause: Cause, now: datetime) -> None:
    await tx.execute(
        """
        INSERT INTO stage_visits (organization_id, id, record_kind, record_id, pipeline_id, stage_id, cause,
                                  actor_kind, actor_id, run_id, entered_at)
        VALUES (%(organization_id)s, %(id)s, %(kind)s, %(record_id)s, %(pipeline_id)s, %(stage_id)s, %(cause)s,
                %(actor_kind)s, %(actor_id)s, %(run_id)s, %(now)s)
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        kind=record.kind,
        record_id=record.id,
        pipeline_id=to.pipeline_id,
        stage_id=to.id,
        cause=cause,
        actor_kind=tx.principal.kind,
        actor_id=tx.principal.id,
        run_id=tx.principal.run_id,
        now=now,
    )


async def _watch(tx: Tx, record: Standing, to: Stage, now: datetime) -> None:
    """Look again when the time in this stage is over; nobody waits for the stage before any more."""
    if to.limit_hours is None:
        await unwatch(tx, record.kind, record.id)
    else:
        await due.schedule(tx, watch_kind(record.kind), record.id, now + timedelta(hours=to.limit_hours))


async def come_back(tx: Tx, record: Standing, entered_at: datetime) -> None:
    """A record out of the trash stands where it stood, or in the first stage when that was removed meanwhile.

    Raises: MoveRefused when a rule of the first stage is not kept.
    """
    stages = await list_stages(tx, record.pipeline_id)
    stage = next((one for one in stages if one.id == record.stage_id), None)
    if stage is None:
        await move(tx, record, first_open(stages).id, Cause.STAGE_REMOVED)
    else:
        await _watch(tx, record, stage, entered_at)


async def unwatch(tx: Tx, kind: RecordKind, record_id: UUID) -> None:
    """A record that is deleted, or in a stage without a limit, is not waited for."""
    await due.cancel(tx, watch_kind(kind), record_id)


def watch_kind(kind: RecordKind) -> str:
    """The kind of due work that looks whether a record stayed too long."""
    return f"{kind}.sla"


async def _tell(tx: Tx, record: Standing, to: Stage) -> None:
    changes: dict[str, tuple[object, object]] = {"stage_id": (record.stage_id, to.id)}
    if record.kind is RecordKind.LEAD:
        await emit(tx, LeadStageChanged(LeadId(record.id)), changes=changes)
        return
    await emit(tx, DealStageChanged(DealId(record.id)), changes=changes)
    if not to.is_open:
        await emit(tx, DealClosed(DealId(record.id)))


async def note_breach(tx: Tx, kind: RecordKind, record_id: UUID) -> bool:
    """Tell once that a record stayed in its stage for longer than it may; False when it did not."""
    visit_id = await tx.value(
        """
        UPDATE stage_visits v
           SET breached_at = %(now)s
          FROM stages s
         WHERE v.record_kind = %(kind)s
           AND v.record_id = %(record_id)s
           AND v.left_at IS NULL
           AND v.breached_at IS NULL
           AND s.organization_id = v.organization_id
           AND s.id = v.stage_id
           AND v.entered_at + make_interval(hours => s.limit_hours) <= %(now)s
        RETURNING v.id
        """,
        now=clock.now(),
        kind=kind,
        record_id=record_id,
    )
    if visit_id is None:
        return False
    breach = LeadSlaBreach(LeadId(record_id)) if kind is RecordKind.LEAD else DealSlaBreach(DealId(record_id))
    await emit(tx, breach)
    return True
