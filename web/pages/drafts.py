"""Decisions about a draft: each is a resource under the draft, and a form that works without a script."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import Response

from core.errors import AppError, Conflict, Stale, Unprocessable
from crm.approvals.queries import find_approval_id
from crm.drafts import actions as drafts
from crm.drafts import earning
from crm.drafts.models import Draft, IncidentKind
from crm.drafts.queries import get_draft
from events.ids import DraftId
from web.pages import approvals
from web.pages.outcomes import Outcome, answer
from web.refusals import refusal_text
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/drafts/{draft_id}")
Version = Annotated[int, Form(ge=1)]
FolderField = Annotated[str, Form(pattern="^(mine|waiting|unassigned|all)$")]
# `queue` is no folder: the draft is decided about on the page of approvals, which shows the next one then.
PlaceField = Annotated[str, Form(pattern="^(mine|waiting|unassigned|all|queue)$")]
Text = Annotated[str, Form(max_length=8192)]


@dataclass(frozen=True)
class Attempt:
    """A decision somebody tries to make, and what of the form must not be lost if it is refused."""

    draft_id: UUID
    folder: str
    said: str
    editor: str = ""
    kept: dict[str, str] = field(default_factory=dict)


@router.post("/approval")
async def approve(
    session: CurrentSession, draft_id: DraftId, version: Version, folder: PlaceField = "mine"
) -> Response:
    attempt = Attempt(draft_id, folder, session.words.gettext("Approved. It goes out now."))
    return await _decide(
        session, attempt, lambda: drafts.approve_draft(session.tx, draft_id, version=version)
    )


@router.post("/revision")
async def revise(
    session: CurrentSession,
    draft_id: DraftId,
    version: Version,
    body: Text = "",
    then: Annotated[str, Form()] = "",
    folder: PlaceField = "mine",
) -> Response:
    async def keep() -> None:
        edited = await drafts.edit_draft(
            session.tx, draft_id, version=version, body=body.replace("\r\n", "\n")
        )
        if then == "approve":
            await drafts.approve_draft(session.tx, draft_id, version=edited.version)

    said = session.words.gettext("Approved. It goes out now.") if then == "approve" else ""
    return await _decide(session, Attempt(draft_id, folder, said, "edit", {"editor_text": body}), keep)


@router.post("/check")
async def check(
    session: CurrentSession, draft_id: DraftId, version: Version, folder: PlaceField = "mine"
) -> Response:
    attempt = Attempt(draft_id, folder, "")
    return await _decide(session, attempt, lambda: drafts.check_draft(session.tx, draft_id, version=version))


@router.post("/rejection")
async def reject(
    session: CurrentSession,
    draft_id: DraftId,
    version: Version,
    reason: Text = "",
    folder: PlaceField = "mine",
) -> Response:
    attempt = Attempt(draft_id, folder, "", "reject")
    return await _decide(
        session,
        attempt,
        lambda: drafts.reject_draft(session.tx, draft_id, version=version, reason=reason.strip()),
    )


@router.post("/feedback")
async def respond(
    session: CurrentSession,
    draft_id: DraftId,
    version: Version,
    feedback: Text = "",
    folder: PlaceField = "mine",
) -> Response:
    said = session.words.gettext("Sent back. A new draft comes here.")
    attempt = Attempt(draft_id, folder, said, "feedback", {"feedback_text": feedback})
    return await _decide(
        session,
        attempt,
        lambda: drafts.respond_to_draft(session.tx, draft_id, version=version, feedback=feedback),
    )


@router.post("/snooze")
async def snooze(
    session: CurrentSession,
    draft_id: DraftId,
    version: Version,
    until: Annotated[datetime, Form()],
    folder: PlaceField = "mine",
) -> Response:
    said = session.words.gettext("Snoozed until %(when)s.", when=session.words.when(until))
    return await _decide(
        session,
        Attempt(draft_id, folder, said, "snooze"),
        lambda: drafts.snooze_draft(session.tx, draft_id, version=version, until=until),
    )


@router.post("/incident")
async def note_incident(
    session: CurrentSession,
    draft_id: DraftId,
    kind: Annotated[IncidentKind, Form()],
    note: Annotated[str, Form(max_length=500)] = "",
    folder: FolderField = "mine",
) -> Response:
    """A rep says that an agent's reply was wrong: it answers such messages no longer by itself."""
    draft = await get_draft(session.tx, draft_id)
    outcome = Outcome(
        said=session.words.gettext("Reported. The agent answers such messages no longer by itself.")
    )
    try:
        async with session.tx.savepoint():
            await earning.note_incident(session.tx, draft_id, kind, note.strip())
    except Conflict as err:
        outcome = Outcome(status=err.status.value, notice=refusal_text(err, session.words))
    return await answer(session, draft.conversation_id, folder, outcome)


async def _decide(session: Session, attempt: Attempt, verb: Callable[[], Awaitable[Any]]) -> Response:
    """Try it; a refusal is shown where the draft is, with everything that was typed still there."""
    draft = await get_draft(session.tx, DraftId(attempt.draft_id))
    try:
        async with session.tx.savepoint():
            await verb()
    except (Conflict, Stale, Unprocessable) as err:
        refused = Outcome(
            status=err.status.value, notice=_explain(session, err), editor=_reopen(attempt, err)
        )
        return await _answer(session, draft, attempt, refused, **attempt.kept)
    return await _answer(session, draft, attempt, Outcome(said=attempt.said))


async def _answer(
    session: Session, draft: Draft, attempt: Attempt, outcome: Outcome, **kept: str
) -> Response:
    """Where the decision was made: in the conversation, or in the queue of everything that waits."""
    if attempt.folder != "queue":
        return await answer(session, draft.conversation_id, attempt.folder, outcome, **kept)
    approval_id = await find_approval_id(session.tx, draft.id)
    return await approvals.answer(session, approval_id, outcome, **kept)


def _reopen(attempt: Attempt, err: AppError) -> str:
    """Which editor stays open: the one with text in it, unless there is no draft left to edit."""
    return attempt.editor if attempt.kept else ""


def _explain(session: Session, err: AppError) -> str:
    gettext = session.words.gettext
    if isinstance(err, Stale):
        return gettext(
            "Somebody edited this draft after you opened it. Look at the new text, then decide again."
        )
    match err.fields.get("state"), err.fields.get("field"):
        case "approved", _:
            return gettext("This draft is already approved. It was not sent a second time.")
        case "rejected", _:
            return gettext("This draft is already rejected. Nothing was sent.")
        case str(), _:
            return gettext("This draft was replaced meanwhile. Nothing was sent.")
        case _, "body":
            return gettext("The text is empty or too long. At most 4096 characters fit.")
        case _, "feedback":
            return gettext("Say what should be different, then send it back.")
        case _, "until":
            return gettext("That time has passed. Choose a later one.")
        case _:
            return gettext("This cannot be sent as it is: something is unchecked or the contact wrote again.")
