"""Teams: who works together, and who leads them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from core.errors import Conflict, Stale, Unprocessable
from crm.conversations.inbox import count_folders
from crm.identity import teams
from crm.identity.members import list_colleagues
from crm.identity.teams import SCOPE, Team, TeamEdit
from events.ids import MemberId, TeamId
from web.refusals import refusal_text
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/settings/teams")
HOME = "/settings/teams"
Refused = (Conflict, Stale, Unprocessable)
Line = Annotated[str, Form(max_length=200)]
MemberIds = Annotated[list[MemberId] | None, Form()]


@router.get("")
async def show_teams(session: CurrentSession) -> Response:
    return await _list(session)


async def _list(session: Session, *, status: int = 200, problem: str = "", name: str = "") -> Response:
    return session.page(
        "teams/index.html",
        status=status,
        problem=problem,
        name=name,
        teams=await teams.list_teams(session.tx),
        **await _frame(session),
    )


@router.post("")
async def create_team(session: CurrentSession, name: Line = "") -> Response:
    """Make an empty team, and go there to put members into it."""
    try:
        async with session.tx.savepoint():
            team = await teams.create_team(session.tx, name)
    except Refused as err:
        return await _list(session, status=err.status, problem=refusal_text(err, session.words), name=name)
    return RedirectResponse(f"{HOME}/{team.id}", 303)


@router.get("/{team_id}")
async def show_team(session: CurrentSession, team_id: TeamId) -> Response:
    return await _show(session, await teams.get_team(session.tx, team_id))


async def _show(session: Session, team: Team, *, status: int = 200, problem: str = "") -> Response:
    return session.page("teams/show.html", status=status, problem=problem, team=team, **await _frame(session))


@router.post("/{team_id}")
async def update_team(
    session: CurrentSession,
    team_id: TeamId,
    version: Annotated[int, Form()],
    name: Line = "",
    member_ids: MemberIds = None,
    lead: Line = "",
) -> Response:
    """The form names every member that is ticked; whoever leads it is in it."""
    try:
        async with session.tx.savepoint():
            edit = TeamEdit(name, member_ids or [], _lead(lead))
            await teams.update_team(session.tx, team_id, edit, version=version)
    except Refused as err:
        team = await teams.get_team(session.tx, team_id)
        return await _show(session, team, status=err.status, problem=refusal_text(err, session.words))
    return RedirectResponse(HOME, 303)


@router.post("/{team_id}/removal")
async def delete_team(session: CurrentSession, team_id: TeamId) -> Response:
    await teams.delete_team(session.tx, team_id)
    return RedirectResponse(HOME, 303)


def _lead(text: str) -> MemberId | None:
    """Raises: Unprocessable for what is no id."""
    try:
        return MemberId(UUID(text)) if text else None
    except ValueError as err:
        raise Unprocessable("Choose somebody of the organization.", field="lead_id") from err


async def _frame(session: Session) -> dict[str, Any]:
    colleagues = await list_colleagues(session.tx)
    return {
        "section": "settings",
        "counts": await count_folders(session.tx),
        "manages": session.principal.may(SCOPE),
        "colleagues": [one for one in colleagues if one.disabled_at is None],
        "names": {one.id: one.name for one in colleagues},
    }
