"""Pipelines: their stages in order, the rules of each, and what events do in them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from core.errors import AppError, Unprocessable
from core.money import known_currency, parse_amount
from crm.conversations.inbox import count_folders
from crm.pipelines import actions as pipelines
from crm.pipelines.models import TRANSITION_EVENTS, Action, Moment, NewStage, Outcome, Stage, StageEdit
from crm.pipelines.queries import (
    count_occupants,
    get_pipeline,
    get_stage,
    list_pipelines,
    list_stages,
    list_transitions,
)
from crm.pipelines.rules import FIELDS, ROLES, Rule
from events.ids import RecordKind
from web.refusals import refusal_text
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/pipelines")
Name = Annotated[str, Form(max_length=200)]
Choice = Annotated[str, Form(max_length=80)]


@router.get("")
async def show_pipelines(session: CurrentSession) -> Response:
    return session.page(
        "pipelines/index.html", pipelines=await list_pipelines(session.tx), **await _frame(session)
    )


@router.post("")
async def create_pipeline(session: CurrentSession, name: Name) -> Response:
    try:
        pipeline = await pipelines.create_pipeline(session.tx, name)
    except Unprocessable as err:
        known = await list_pipelines(session.tx)
        return session.page(
            "pipelines/index.html",
            status=422,
            pipelines=known,
            **{**await _frame(session), "note": refusal_text(err, session.words)},
        )
    return RedirectResponse(f"/pipelines/{pipeline.id}", 303)


@router.get("/{pipeline_id}")
async def show_pipeline(session: CurrentSession, pipeline_id: UUID) -> Response:
    return await _show(session, pipeline_id)


@router.post("/{pipeline_id}")
async def rename_pipeline(
    session: CurrentSession, pipeline_id: UUID, name: Name, version: Annotated[int, Form()]
) -> Response:
    return await _after(
        session, pipeline_id, pipelines.rename_pipeline(session.tx, pipeline_id, name, version=version)
    )


@router.post("/{pipeline_id}/stages")
async def add_stage(session: CurrentSession, pipeline_id: UUID, name: Name) -> Response:
    return await _after(session, pipeline_id, pipelines.add_stage(session.tx, pipeline_id, NewStage(name)))


@router.post("/{pipeline_id}/stages/{stage_id}")
async def update_stage(
    session: CurrentSession,
    pipeline_id: UUID,
    stage_id: UUID,
    name: Name,
    probability: Annotated[int, Form()] = 0,
    limit_days: Annotated[int, Form(ge=0, le=3660)] = 0,
    actions: Annotated[list[Action] | None, Form()] = None,
) -> Response:
    edit = StageEdit(name, probability, limit_days * 24, tuple(actions or ()))
    return await _after(session, pipeline_id, pipelines.update_stage(session.tx, stage_id, edit))


@router.post("/{pipeline_id}/stages/{stage_id}/place")
async def place_stage(
    session: CurrentSession, pipeline_id: UUID, stage_id: UUID, by: Annotated[int, Form(ge=-1, le=1)]
) -> Response:
    """One place earlier or later."""
    ids = [stage.id for stage in await list_stages(session.tx, pipeline_id)]
    if stage_id in ids:
        at = ids.index(stage_id)
        to = max(0, min(len(ids) - 1, at + by))
        ids.insert(to, ids.pop(at))
    return await _after(session, pipeline_id, pipelines.reorder_stages(session.tx, pipeline_id, ids))


@router.post("/{pipeline_id}/stages/{stage_id}/removal")
async def remove_stage(
    session: CurrentSession,
    pipeline_id: UUID,
    stage_id: UUID,
    move_to: Annotated[UUID | None, Form()] = None,
) -> Response:
    return await _after(session, pipeline_id, pipelines.remove_stage(session.tx, stage_id, move_to=move_to))


@router.post("/{pipeline_id}/stages/{stage_id}/rules")
async def add_rule(
    session: CurrentSession,
    pipeline_id: UUID,
    stage_id: UUID,
    moment: Annotated[Moment, Form()],
    rule: Choice,
    amount: Choice = "",
    currency: Choice = "EUR",
) -> Response:
    """One more rule: `field:NAME`, `stakeholder:ROLE`, `minimum_amount` with an amount, or `no_open_tasks`."""
    return await _after(session, pipeline_id, _add_rule(session, stage_id, moment, rule, amount, currency))


async def _add_rule(
    session: Session, stage_id: UUID, moment: Moment, rule: str, amount: str, currency: str
) -> None:
    stage = await get_stage(session.tx, stage_id)
    kind, _, value = rule.partition(":")
    match kind:
        case "field":
            new = Rule("field", field=value)
        case "stakeholder":
            new = Rule("stakeholder", role=value)
        case "minimum_amount":
            code = known_currency(currency)
            new = Rule("minimum_amount", amount_minor=parse_amount(amount, code), currency=code)
        case "no_open_tasks":
            new = Rule("no_open_tasks")
        case _:
            raise Unprocessable(f"{rule!r} is no rule of a stage.", field="rule")
    await pipelines.update_stage(session.tx, stage_id, _with_rules(moment, (*stage.rules(moment), new)))


@router.post("/{pipeline_id}/stages/{stage_id}/rules/removal")
async def remove_rule(
    session: CurrentSession,
    pipeline_id: UUID,
    stage_id: UUID,
    moment: Annotated[Moment, Form()],
    number: Annotated[int, Form(ge=0, le=100)],
) -> Response:
    stage = await get_stage(session.tx, stage_id)
    kept = tuple(rule for at, rule in enumerate(stage.rules(moment)) if at != number)
    return await _after(
        session, pipeline_id, pipelines.update_stage(session.tx, stage_id, _with_rules(moment, kept))
    )


def _with_rules(moment: Moment, rules: tuple[Rule, ...]) -> StageEdit:
    return StageEdit(entry_rules=rules) if moment is Moment.ENTRY else StageEdit(exit_rules=rules)


@router.post("/{pipeline_id}/transitions")
async def set_transition(
    session: CurrentSession,
    pipeline_id: UUID,
    stage_id: Annotated[UUID, Form()],
    to_stage_id: Annotated[UUID, Form()],
    record_kind: Annotated[RecordKind, Form()],
    event_type: Choice,
) -> Response:
    return await _after(
        session,
        pipeline_id,
        pipelines.set_transition(session.tx, stage_id, record_kind, event_type, to_stage_id),
    )


@router.post("/{pipeline_id}/transitions/{transition_id}/removal")
async def remove_transition(session: CurrentSession, pipeline_id: UUID, transition_id: UUID) -> Response:
    return await _after(
        session, pipeline_id, pipelines.remove_transition(session.tx, pipeline_id, transition_id)
    )


async def _after(session: Session, pipeline_id: UUID, change: Any) -> Response:
    """Back to the page; what was refused is said above it, and nothing of it is kept."""
    try:
        async with session.tx.savepoint():
            await change
    except AppError as err:
        if err.status in (403, 404):
            raise
        note = refusal_text(err, session.words)
        return await _show(session, pipeline_id, status=err.status.value, note=note)
    return RedirectResponse(f"/pipelines/{pipeline_id}", 303)


async def _show(session: Session, pipeline_id: UUID, *, status: int = 200, note: str = "") -> Response:
    stages = await list_stages(session.tx, pipeline_id)
    return session.page(
        "pipelines/show.html",
        status=status,
        pipeline=await get_pipeline(session.tx, pipeline_id),
        stages=stages,
        names={stage.id: stage.name for stage in stages},
        occupants={stage.id: await count_occupants(session.tx, stage.id) for stage in stages},
        transitions=await list_transitions(session.tx, pipeline_id),
        **{**await _frame(session), "note": note},
    )


async def _frame(session: Session) -> dict[str, Any]:
    return {
        "section": "deals",
        "counts": await count_folders(session.tx),
        "may_change": session.principal.may("pipelines:write"),
        "moments": list(Moment),
        "actions": list(Action),
        "fields": list(FIELDS),
        "roles": ROLES,
        "events": TRANSITION_EVENTS,
        "rules_of": _rules_of,
        "outcomes": Outcome,
        "note": "",
    }


def _rules_of(stage: Stage, moment: Moment) -> tuple[Rule, ...]:
    return stage.rules(moment)
