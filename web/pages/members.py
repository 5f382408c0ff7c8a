"""Members and invitations: who is in the organization, with which role, and who was asked in."""

from collections.abc import Awaitable
from itertools import groupby
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.routes.invitations import deliver
from core.errors import Conflict, Forbidden, Unprocessable
from crm.assignment import leaving
from crm.bidi import partners
from crm.conversations.inbox import count_folders
from crm.identity import invitations, members
from crm.identity.invitations import Sent
from crm.identity.members import Colleague
from crm.identity.roles import PERMISSIONS, Role
from events.ids import InvitationId, MemberId
from web import roles_view
from web.refusals import refusal_text
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/settings/members")
roles_router = APIRouter(prefix="/settings/roles")
# Asked in with a rate: a seat outside the company, with the role of a seat.
PARTNER = "partner"
InvitedAs = Literal["admin", "supervisor", "bidi", "viewer", "partner"]
Refused = (Conflict, Forbidden, Unprocessable)


@router.get("")
async def show_members(session: CurrentSession) -> Response:
    return await _list(session)


async def _list(
    session: Session,
    *,
    status: int = 200,
    problem: str = "",
    link: str = "",
    mailed_to: str = "",
    **kept: Any,
) -> Response:
    manages = session.principal.may(members.SCOPE)
    return session.page(
        "members/index.html",
        status=status,
        problem=problem,
        link=link,
        mailed_to=mailed_to,
        kept={"email": "", "role": Role.BIDI, "by": "mail", "commission": ""} | kept,
        partners={one.user_id for one in await partners.list_partners(session.tx)},
        percent_of=partners.percent_of,
        manages=manages,
        members=await members.list_colleagues(session.tx),
        invitations=await invitations.list_invitations(session.tx) if manages else [],
        view=roles_view,
        roles=_givable(session, (Role.ADMIN, Role.SUPERVISOR, Role.BIDI, Role.VIEWER)),
        **await _frame(session),
    )


@router.post("/invitations")
async def invite(
    request: Request,
    session: CurrentSession,
    role: Annotated[InvitedAs, Form()],
    commission: Annotated[str, Form(max_length=20)] = "",
    email: Annotated[str, Form(max_length=320)] = "",
    by: Annotated[str, Form(max_length=10)] = "mail",
) -> Response:
    """The page that answers shows the link, this once; `by` says whether it is for an address or for whoever has it."""
    try:
        async with session.tx.savepoint():
            sent = await invitations.invite(
                session.tx,
                email=None if by == "link" else email,
                role=Role.BIDI if role == PARTNER else Role(role),
                commission_basis_points=partners.basis_points_of(commission) if role == PARTNER else None,
            )
    except Refused as err:
        problem = refusal_text(err, session.words)
        typed = {"email": email, "role": role, "by": by, "commission": commission}
        return await _list(session, status=err.status, problem=problem, **typed)
    return await _show_link(request, session, sent)


@router.post("/invitations/{invitation_id}/resending")
async def resend(request: Request, session: CurrentSession, invitation_id: InvitationId) -> Response:
    try:
        async with session.tx.savepoint():
            sent = await invitations.resend(session.tx, invitation_id)
    except Refused as err:
        return await _list(session, status=err.status, problem=refusal_text(err, session.words))
    return await _show_link(request, session, sent)


async def _show_link(request: Request, session: Session, sent: Sent) -> Response:
    """Say that it was mailed, or show the link of one that has no address."""
    link = await deliver(request, session.tx, sent)
    return await _list(session, link=link or "", mailed_to=sent.invitation.email or "")


@router.post("/invitations/{invitation_id}/revocation")
async def revoke(session: CurrentSession, invitation_id: InvitationId) -> Response:
    await invitations.revoke(session.tx, invitation_id)
    return RedirectResponse("/settings/members", 303)


@router.get("/{member_id}")
async def show_member(session: CurrentSession, member_id: MemberId) -> Response:
    return await _show(session, await members.get_colleague(session.tx, member_id))


async def _show(session: Session, member: Colleague, *, status: int = 200, problem: str = "") -> Response:
    manages = session.principal.may(members.SCOPE)
    return session.page(
        "members/show.html",
        status=status,
        problem=problem,
        member=member,
        manages=manages,
        is_self=member.user_id == session.account.user_id,
        held=await leaving.count_held(session.tx, member.id) if manages else {},
        others=[
            one
            for one in await members.list_colleagues(session.tx)
            if one.id != member.id and one.disabled_at is None
        ],
        view=roles_view,
        roles=_givable(session, tuple(Role)),
        **await _frame(session),
    )


@router.post("/{member_id}/role")
async def change_role(
    session: CurrentSession, member_id: MemberId, role: Annotated[Role, Form()]
) -> Response:
    return await _do(session, member_id, members.change_role(session.tx, member_id, role))


@router.post("/{member_id}/disabling")
async def disable(session: CurrentSession, member_id: MemberId) -> Response:
    return await _do(session, member_id, members.disable_member(session.tx, member_id))


@router.post("/{member_id}/enabling")
async def enable(session: CurrentSession, member_id: MemberId) -> Response:
    return await _do(session, member_id, members.enable_member(session.tx, member_id))


@router.post("/{member_id}/removal")
async def remove(session: CurrentSession, member_id: MemberId, to: Annotated[str, Form()] = "") -> Response:
    """Take somebody out; `to` is who goes on with what they hold."""
    try:
        async with session.tx.savepoint():
            await leaving.remove_member(session.tx, member_id, to=_member_id(to))
    except Refused as err:
        member = await members.get_colleague(session.tx, member_id)
        return await _show(session, member, status=err.status, problem=refusal_text(err, session.words))
    return RedirectResponse("/settings/members", 303)


def _member_id(text: str) -> MemberId | None:
    """Raises: Unprocessable for what is no id."""
    try:
        return MemberId(UUID(text)) if text else None
    except ValueError as err:
        raise Unprocessable("Choose somebody of the organization.", field="to") from err


async def _do(session: Session, member_id: MemberId, change: Awaitable[Colleague]) -> Response:
    """Make one change, or say on the member's own page why not."""
    try:
        async with session.tx.savepoint():
            await change
    except Refused as err:
        member = await members.get_colleague(session.tx, member_id)
        return await _show(session, member, status=err.status, problem=refusal_text(err, session.words))
    return RedirectResponse(f"/settings/members/{member_id}", 303)


@roles_router.get("")
async def show_roles(session: CurrentSession) -> Response:
    """What each role may do: the table that the server asks."""
    return session.page(
        "members/roles.html",
        areas=[(area, list(lines)) for area, lines in groupby(PERMISSIONS, key=lambda one: one.area)],
        roles=tuple(Role),
        view=roles_view,
        **await _frame(session),
    )


def _givable(session: Session, roles: tuple[Role, ...]) -> list[Role]:
    """The roles that are not above the reader's own."""
    return [role for role in roles if not role.is_above(Role(session.account.role))]


async def _frame(session: Session) -> dict[str, Any]:
    return {"section": "settings", "counts": await count_folders(session.tx)}
