"""Who gets what: the rules of assignment in their order, trying them, and what nobody could take."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from core.edits import KEEP
from core.errors import Conflict, Stale, Unprocessable
from crm.assignment import rules
from crm.assignment.models import Assigned, NewRule, RuleEdit, Way
from events.ids import AssignmentRuleId
from web import assignment_view
from web.pages import records
from web.refusals import refusal_text
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/assignment")
Name = Annotated[str, Query(max_length=100)]
Channel = Annotated[str, Query(pattern="^(|telegram|email|webchat)$")]


@router.get("")
async def show_rules(session: CurrentSession, contact: Name = "", channel: Channel = "") -> Response:
    """Rules, seats and what waits; with the name of a contact also who would get them now, and why."""
    return await _show(session, contact=contact, channel=channel)


@router.post("")
async def create_rule(session: CurrentSession, record_kind: Annotated[Assigned, Form()]) -> Response:
    form = await session.request.form()
    try:
        wanted = {"name": "", "way": Way.LEAST_LOADED, "bidi_ids": ()} | assignment_view.read_form(form)
        new = NewRule(record_kind, **wanted | {"bidi_ids": tuple(wanted["bidi_ids"])})
        async with session.tx.savepoint():
            await rules.create_rule(session.tx, new)
    except (Conflict, Unprocessable) as err:
        problem = refusal_text(err, session.words)
        return await _show(session, status=err.status, problem=problem, form=form)
    return _back()


@router.post("/reassignment")
async def set_reassigning(
    session: CurrentSession, reassigns_paused: Annotated[bool, Form()] = False
) -> Response:
    await rules.set_reassigning(session.tx, reassigns_paused)
    return _back()


@router.post("/{assignment_rule_id}")
async def update_rule(
    session: CurrentSession,
    assignment_rule_id: AssignmentRuleId,
    version: Annotated[int, Form()],
    position: Annotated[int | None, Form(ge=1)] = None,
) -> Response:
    """All of a rule in one form, or only its place among the others."""
    form = await session.request.form()
    try:
        if position is not None:
            edit = RuleEdit(position=position)
        else:
            fields = assignment_view.read_form(form)
            edit = RuleEdit(**fields, is_enabled="is_enabled" in form if "way" in form else KEEP)
        async with session.tx.savepoint():
            await rules.update_rule(session.tx, assignment_rule_id, edit, version=version)
    except (Stale, Unprocessable) as err:
        return await _show(session, status=err.status, problem=refusal_text(err, session.words))
    return _back()


@router.post("/{assignment_rule_id}/removal")
async def delete_rule(session: CurrentSession, assignment_rule_id: AssignmentRuleId) -> Response:
    await rules.delete_rule(session.tx, assignment_rule_id)
    return _back()


def _back() -> Response:
    return RedirectResponse("/assignment", 303)


async def _show(
    session: Session,
    *,
    status: int = 200,
    problem: str = "",
    contact: str = "",
    channel: str = "",
    form: FormData | None = None,
) -> Response:
    shown: dict[str, Any] = await assignment_view.load(session.tx, session.words, contact.strip(), channel)
    return session.page(
        "assignment/index.html",
        status=status,
        problem=problem,
        values=assignment_view.values_of(form),
        may_manage=session.principal.may("bidi:manage"),
        ways=tuple(Way),
        **shown,
        **await records.frame(session, "seats"),
    )
