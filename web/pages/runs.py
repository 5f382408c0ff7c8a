"""What agents did: the list of runs, and one run step by step."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response
from pydantic import BeforeValidator

from core.errors import Conflict
from crm.bidi.queries import list_bidi
from crm.conversations.inbox import list_evidence
from crm.drafts.queries import find_draft_of_run
from crm.identity.queries import list_members
from crm.reverts import actions as reverts
from crm.reverts.models import Revert
from crm.runs import replays, traces
from crm.runs.graphs import SHAPES
from crm.runs.model_calls import list_model_calls
from crm.runs.model_exchanges import find_model_exchange
from crm.runs.models import RunStatus
from events.ids import BidiId, RunId
from web import replays_view, revert_lines, run_details, run_graph, runs_view
from web.pages import records
from web.refusals import refusal_text
from web.run_details import Trace
from web.runs_view import Step
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/runs")
_NONE_IF_EMPTY = BeforeValidator(lambda text: text or None)
Seat = Annotated[BidiId | None, _NONE_IF_EMPTY]
Status = Annotated[RunStatus | None, _NONE_IF_EMPTY]
Agent = Annotated[str, Query(max_length=50)]
Cursor = Annotated[str, Query(max_length=1000)]
StepId = Annotated[str, Query(max_length=50)]
View = Annotated[str, Query(pattern="^(time|graph)$")]


@router.get("")
async def show_runs(
    session: CurrentSession,
    bidi_id: Seat = None,
    agent: Agent = "",
    status: Status = None,
    cursor: Cursor = "",
    part: str = "",
) -> Response:
    """The runs of all seats, the newest first."""
    wanted = traces.RunFilter(status=status, bidi_id=bidi_id, agent=agent or None)
    page = await traces.list_run_lines(session.tx, wanted, cursor=cursor or None)
    chosen = {"bidi_id": str(bidi_id or ""), "agent": agent, "status": str(status or "")}
    context: dict[str, Any] = {"runs": page, "view": runs_view, "chosen": chosen, "cursor": cursor}
    if part == "list":
        return session.page("runs/_list.html", **context)
    seats = [seat for seat in await list_bidi(session.tx) if seat.agent]
    return session.page("runs/index.html", seats=seats, **context, **await records.frame(session, "runs"))


@router.get("/{run_id}")
async def show_run(
    session: CurrentSession, run_id: RunId, step: StepId = runs_view.RUN, view: View = "time", part: str = ""
) -> Response:
    """One run; `step` is open beside the tree."""
    context = await load(session, run_id, step, view)
    if part == "run" or session.is_fragment:
        return session.page("runs/_run.html", **context)
    return session.page("runs/show.html", **context, **await records.frame(session, "runs"))


@router.get("/{run_id}/revert")
async def show_revert(session: CurrentSession, run_id: RunId) -> Response:
    """What taking the run back would do, before anybody does it."""
    return await _revert_page(session, await reverts.preview_revert(session.tx, run_id))


@router.post("/{run_id}/revert")
async def revert(session: CurrentSession, run_id: RunId) -> Response:
    """Take it back, and go to the run, which says so."""
    try:
        async with session.tx.savepoint():
            await reverts.revert_run(session.tx, run_id)
    except Conflict as err:
        run = await traces.get_run_line(session.tx, run_id)
        notice = refusal_text(err, session.words)
        return await _revert_page(session, Revert(run, ()), status=err.status.value, notice=notice)
    return RedirectResponse(f"/runs/{run_id}", 303)


async def _revert_page(session: Session, found: Revert, *, status: int = 200, notice: str = "") -> Response:
    values = (value for line in found.lines for value in (line.now, line.to))
    names = await traces.find_names(session.tx, run_details.ids_in(values))
    return session.page(
        "runs/revert.html",
        status=status,
        run=found.run,
        undone=revert_lines.described(found.undone, names, session.words),
        kept=revert_lines.described(found.kept, names, session.words),
        view=runs_view,
        notice=notice,
        **await records.frame(session, "runs"),
    )


async def load(session: Session, run_id: RunId, step: str, view: str) -> dict[str, Any]:
    """What the page of a run shows. Raises: NotFound, Forbidden."""
    trace = await _trace(session, run_id, step)
    steps = runs_view.steps_of(trace.run, trace.models, trace.tools, trace.visited, session.words)
    detail = run_details.detail_of(trace, steps, step, session.words)
    shape = SHAPES.get(trace.run.agent)
    is_over = trace.run.finished_at is not None and trace.run.reverted_at is None
    return {
        "run": trace.run,
        "trace": trace,
        "steps": steps,
        "detail": detail,
        "mode": view if shape else "time",
        "picture": run_graph.draw(shape, trace.visited) if shape else None,
        "view": runs_view,
        "is_revertible": is_over and bool(trace.changes) and session.principal.may("conversations:write"),
        "reverter": await _reverter(session, trace),
        **await _replays(session, trace, detail.step),
    }


async def _replays(session: Session, trace: Trace, step: Step) -> dict[str, Any]:
    """Where the step can be run again from, and what came of it before; of those who may."""
    if not session.principal.may(replays.SCOPE) or not trace.visited:
        return {"fork": "", "replays": []}
    return {
        "fork": replays_view.fork_of(trace, step),
        "replays": await replays.list_replays(session.tx, trace.run.id) if step.kind == "run" else [],
        "replays_view": replays_view,
    }


async def _reverter(session: Session, trace: Trace) -> str:
    """Who took the run back."""
    if trace.run.reverted_by is None:
        return ""
    members = await list_members(session.tx)
    return next((one.name for one in members if one.user_id == trace.run.reverted_by), "")


async def _trace(session: Session, run_id: RunId, step: str) -> Trace:
    tx = session.tx
    run = await traces.get_run_line(tx, run_id)
    draft = await find_draft_of_run(tx, run_id)
    changes = await traces.list_run_changes(tx, run_id)
    values = (value for change in changes for pair in change.changes.values() for value in pair)
    models = await list_model_calls(tx, run_id)
    opened = next((call.id for call in models if str(call.id) == step), None)
    return Trace(
        run=run,
        models=models,
        tools=await traces.list_traced_calls(tx, run_id),
        changes=changes,
        visited=await traces.list_visited_nodes(tx, run_id),
        draft=draft,
        evidence=await list_evidence(tx, draft.id) if draft else (),
        names=await traces.find_names(tx, run_details.ids_in(values)),
        exchange=await find_model_exchange(tx, run_id, opened) if opened else None,
    )
