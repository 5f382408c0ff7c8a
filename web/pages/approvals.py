"""The queue of what waits for a decision, drafts and tool calls alike, and the verbs on the card of a tool call."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response
from pydantic import AwareDatetime

from core.errors import Conflict, Forbidden, Unprocessable
from crm.approvals import turns
from crm.approvals.models import ToolApproval
from crm.approvals.queries import get_tool_approval
from crm.approvals.queue import QUEUES
from crm.runs import asked_calls
from events.ids import ApprovalId, UserId
from web import queue_view
from web.pages import records
from web.pages.outcomes import Outcome
from web.pages.preferences import safe_path
from web.refusals import refusal_text
from web.tool_cards import tool_card
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/approvals")
Queue = Annotated[str, Query(pattern=f"^({'|'.join(QUEUES)})$")]
Editor = Annotated[str, Query(alias="draft", pattern="^(|edit|feedback|snooze|reject)$")]
_NOTHING = Outcome()
Place = Annotated[str, Form(pattern="^(queue|card)$")]
Back = Annotated[str, Form(max_length=1000)]


@router.get("")
async def show_queue(
    session: CurrentSession, queue: Queue = "waiting", part: str = "", selected: str = ""
) -> Response:
    """Everything that waits; on a wide screen the first of it is open beside the list."""
    if part == "list":
        rows = await queue_view.load_rows(session.tx, session.words, queue)
        return session.page("approvals/_list.html", rows=rows, selected_id=selected, queue=queue,
                            **await records.frame(session, "approvals"))  # fmt: skip
    return await _show(session, None, queue, pane="list")


@router.get("/{approval_id}")
async def show_approval(
    session: CurrentSession,
    approval_id: ApprovalId,
    queue: Queue = "waiting",
    part: str = "",
    place: Annotated[str, Query(pattern="^(queue|card)$")] = "card",
    editor: Editor = "",
) -> Response:
    """One thing to decide about; of a tool call also the card alone, for whatever page it stands in."""
    if part == "card":
        return _card(session, await get_tool_approval(session.tx, approval_id), place)
    return await _show(session, approval_id, queue, editor=editor)


@router.post("/{approval_id}/approval")
async def approve(
    session: CurrentSession,
    approval_id: ApprovalId,
    is_checked: Annotated[bool, Form()] = False,
    place: Place = "card",
    back: Back = "",
) -> Response:
    """The call is made by a worker at once; the card says how it ended."""
    return await _decide(
        session,
        approval_id,
        place,
        back,
        lambda: asked_calls.approve_call(session.tx, approval_id, is_checked=is_checked),
        session.words.gettext("Approved. It is done now."),
    )


@router.post("/{approval_id}/rejection")
async def reject(
    session: CurrentSession,
    approval_id: ApprovalId,
    reason: Annotated[str, Form(max_length=2000)] = "",
    place: Place = "card",
    back: Back = "",
) -> Response:
    """The call is never made."""
    return await _decide(
        session,
        approval_id,
        place,
        back,
        lambda: asked_calls.reject_call(session.tx, approval_id, reason=reason.strip()),
    )


@router.post("/{approval_id}/snooze")
async def snooze(
    session: CurrentSession,
    approval_id: ApprovalId,
    until: Annotated[AwareDatetime, Form()],
    place: Place = "queue",
    back: Back = "",
) -> Response:
    """It comes back at that time; a draft is put off on the draft."""
    return await _decide(
        session,
        approval_id,
        place,
        back,
        lambda: turns.snooze_call(session.tx, approval_id, until=until),
        session.words.gettext("Snoozed until %(when)s.", when=session.words.when(until)),
    )


@router.post("/{approval_id}/assignment")
async def assign(
    session: CurrentSession,
    approval_id: ApprovalId,
    assignee_id: Annotated[UserId | None, Form()] = None,
    queue: Annotated[str, Form(pattern=f"^({'|'.join(QUEUES)})$")] = "waiting",
) -> Response:
    """The same one stays open; whoever should decide is told."""
    outcome = Outcome()
    try:
        async with session.tx.savepoint():
            await turns.assign_approval(session.tx, approval_id, assignee_id)
    except (Conflict, Forbidden, Unprocessable) as err:
        outcome = Outcome(status=err.status.value, notice=refusal_text(err, session.words))
    if not session.is_fragment and outcome.status < 400:
        return RedirectResponse(f"/approvals/{approval_id}?queue={queue}", 303)
    return await _show(session, approval_id, queue, outcome=outcome)


async def _decide(
    session: Session,
    approval_id: ApprovalId,
    place: str,
    back: str,
    verb: Callable[[], Awaitable[ToolApproval]],
    said: str = "",
) -> Response:
    """Try it; a refusal is said at the card, where it still stands as it is by now."""
    outcome = Outcome(said=said)
    try:
        async with session.tx.savepoint():
            await verb()
    except (Conflict, Forbidden, Unprocessable) as err:
        outcome = Outcome(status=err.status.value, notice=refusal_text(err, session.words))
    if place == "queue":
        return await answer(session, approval_id, outcome)
    if not session.is_fragment and outcome.status < 400:
        return RedirectResponse(safe_path(back), 303)
    if not session.is_fragment:
        return await _show(session, approval_id, "waiting", outcome=outcome)
    return _card(session, await get_tool_approval(session.tx, approval_id), place, outcome)


def _card(session: Session, approval: ToolApproval, place: str, outcome: Outcome = _NOTHING) -> Response:
    card = tool_card(approval, session.words)
    return session.page(
        "approvals/_tool_card.html", status=outcome.status, card=card, place=place, notice=outcome.notice
    )


async def answer(session: Session, approval_id: ApprovalId | None, outcome: Outcome, **kept: Any) -> Response:
    """After a decision in the queue: the next of it; after a refusal the same one, with what was typed."""
    if outcome.status >= 400:
        return await _show(session, approval_id, "waiting", outcome=outcome, **kept)
    following = await queue_view.find_next(session.tx, session.words, approval_id)
    path = f"/approvals/{following}" if following else "/approvals"
    if not session.is_fragment:
        return RedirectResponse(path, 303)
    shown = await _show(session, following, "waiting", outcome=outcome)
    shown.headers["HX-Push-Url"] = path
    return shown


async def _show(
    session: Session,
    approval_id: ApprovalId | None,
    queue: str,
    *,
    pane: str = "thread",
    editor: str = "",
    outcome: Outcome = _NOTHING,
    **kept: Any,
) -> Response:
    """The whole page, or for htmx the queue in it."""
    frame = await records.frame(session, "approvals")
    shown = await queue_view.load(session.tx, session.words, queue, approval_id)
    context = {
        **frame,
        **shown,
        "pane": pane,
        "editor": outcome.editor or editor,
        "notice": outcome.notice,
        "toast": outcome.said,
        **kept,
    }
    if not session.is_fragment:
        return session.page("approvals/index.html", status=outcome.status, **context)
    answered = session.part("approvals/index.html", "queue", status=outcome.status, **context)
    # forms of a draft do not say where their answer goes
    answered.headers.update({"HX-Retarget": "#queue", "HX-Reswap": "morph:outerHTML show:none"})
    return answered
