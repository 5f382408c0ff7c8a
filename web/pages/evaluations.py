"""Evaluations: how well agents did, where two runs differ, and what an agent did in a case."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from crm.conversations.inbox import count_folders
from crm.evaluations import judgings, queries
from crm.evaluations.comparison import compare
from crm.identity.queries import get_organization
from events.ids import EvalCaseId, EvalRunId
from web import evaluation_view
from web.viewer import CurrentSession

router = APIRouter(prefix="/evaluations")
Cursor = Annotated[str, Query(max_length=1000)]


@router.get("")
async def show_evaluations(
    session: CurrentSession, suite: Annotated[str, Query(max_length=100)] = "", cursor: Cursor = ""
) -> Response:
    """Every run, the newest first; of one suite, if it is named."""
    runs = await queries.list_eval_runs(session.tx, suite=suite, cursor=cursor or None)
    counts = await count_folders(session.tx)
    return session.page(
        "evaluations/index.html",
        section="settings",
        counts=counts,
        runs=runs,
        slug=(await get_organization(session.tx)).slug,
        suite=suite,
        view=evaluation_view,
    )


@router.get("/{eval_run_id}")
async def show_evaluation(session: CurrentSession, eval_run_id: EvalRunId) -> Response:
    """A run: its figures as a chart, the cases that failed, and the earlier runs to set it beside."""
    run = await queries.get_eval_run(session.tx, eval_run_id)
    others = await queries.list_eval_runs(session.tx, suite=run.suite)
    return session.page(
        "evaluations/show.html",
        section="settings",
        counts=await count_folders(session.tx),
        run=run,
        cases=await queries.list_eval_cases(session.tx, eval_run_id),
        others=[other for other in others.items if other.id != run.id],
        judgings=await judgings.list_judgings(session.tx, eval_run_id),
        view=evaluation_view,
    )


@router.get("/{eval_run_id}/comparison")
async def show_comparison(
    session: CurrentSession, eval_run_id: EvalRunId, before_id: Annotated[EvalRunId, Query(alias="before")]
) -> Response:
    """Which cases changed from an earlier run to this one."""
    before, after = [await queries.get_eval_run(session.tx, id) for id in (before_id, eval_run_id)]
    earlier, later = [await queries.list_eval_cases(session.tx, id) for id in (before_id, eval_run_id)]
    return session.page(
        "evaluations/comparison.html",
        section="settings",
        counts=await count_folders(session.tx),
        before=before,
        after=after,
        comparison=compare(earlier, later),
        view=evaluation_view,
    )


@router.get("/cases/{eval_case_id}")
async def show_case(session: CurrentSession, eval_case_id: EvalCaseId) -> Response:
    """What was played, how it was judged, and everything that the agent did."""
    case = await queries.get_eval_case(session.tx, eval_case_id)
    return session.page(
        "evaluations/case.html",
        section="settings",
        counts=await count_folders(session.tx),
        case=case,
        run=await queries.get_eval_run(session.tx, case.run_id),
        view=evaluation_view,
    )
