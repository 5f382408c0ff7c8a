"""Running a run again from one of its steps, dry: the form for it, and what came of it beside the run."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response

from core.errors import Conflict, NotFound, Unprocessable
from crm.copilot.queries import list_exchange
from crm.identity.queries import list_members
from crm.language_models.queries import list_language_models
from crm.runs import replays, traces
from crm.runs.replays import NewReplay
from crm.runs.traces import RunLine
from events.ids import ReplayId, RunId
from web import replays_view, runs_view
from web.pages import records
from web.refusals import refusal_text
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/runs/{run_id}/replays")
Step = Annotated[str, Query(max_length=50)]


@router.get("/new")
async def show_new_replay(session: CurrentSession, run_id: RunId, step: Step = "triage") -> Response:
    """The prompts of the step as they stand, and the model, to be changed."""
    try:
        await replays.check_replayable(session.tx, run_id, step)
    except Conflict as err:
        return await _form(session, run_id, step, status=err.status, problem=refusal_text(err, session.words))
    return await _form(session, run_id, step)


@router.post("")
async def ask_replay(
    session: CurrentSession,
    run_id: RunId,
    step: Annotated[str, Form(max_length=50)],
    model: Annotated[str, Form(max_length=100)] = "",
    prompt: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Have it run again, and go to where its result will stand."""
    run = await traces.get_run_line(session.tx, run_id)
    texts = dict(zip(replays.prompts_at(run, step), prompt or (), strict=False))
    try:
        async with session.tx.savepoint():
            replay = await replays.ask_replay(session.tx, NewReplay(run_id, step, model or None, texts))
    except (Conflict, Unprocessable) as err:
        problem = refusal_text(err, session.words)
        return await _form(
            session, run_id, step, status=err.status, problem=problem, model=model, texts=texts
        )
    return RedirectResponse(f"/runs/{run_id}/replays/{replay.id}", 303)


@router.get("/{replay_id}")
async def show_replay(
    session: CurrentSession, run_id: RunId, replay_id: ReplayId, part: str = ""
) -> Response:
    """What came of it, beside the run."""
    replay = await replays.get_replay(session.tx, replay_id)
    if replay.run_id != run_id:
        raise NotFound("No such replay of this run.")
    run = await traces.get_run_line(session.tx, run_id)
    calls = await traces.list_traced_calls(session.tx, run_id)
    context: dict[str, Any] = {
        "run": run,
        "replay": replay,
        "sides": [
            replays_view.as_it_was(run, calls, await _answer(session, run), session.words),
            replays_view.as_it_would_be(replay, session.words),
        ],
        "by": await who_asked(session, replay),
        **_views(),
    }
    if part == "replay":
        return session.page("runs/_replay.html", **context)
    return session.page("runs/replay.html", **context, **await records.frame(session, "runs"))


async def _answer(session: Session, run: RunLine) -> str:
    """What the copilot answered in the run, if it is one of the copilot's."""
    asked = await list_exchange(session.tx, run.id, last=1)
    return asked[-1].answer if asked else ""


async def who_asked(session: Session, replay: replays.Replay) -> str:
    members = await list_members(session.tx)
    return next((one.name for one in members if one.user_id == replay.asked_by), "")


async def _form(
    session: Session,
    run_id: RunId,
    step: str,
    *,
    status: int = 200,
    problem: str = "",
    model: str = "",
    texts: dict[str, str] | None = None,
) -> Response:
    run = await traces.get_run_line(session.tx, run_id)
    return session.page(
        "runs/replay_new.html",
        status=status,
        problem=problem,
        run=run,
        step=step,
        model=model,
        models=[*(one.name for one in await list_language_models(session.tx)), *replays_view.MODELS],
        prompts={**replays.prompts_at(run, step), **(texts or {})},
        **_views(),
        **await records.frame(session, "runs"),
    )


def _views() -> dict[str, Any]:
    return {"view": runs_view, "replays_view": replays_view}
