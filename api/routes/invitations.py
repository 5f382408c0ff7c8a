"""Invitations: asking people into the organization."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import Request
from pydantic import Field

from api.accounts import site_url
from api.deps import ApiTx, get_services
from api.errors import BODY, problems
from api.fields import In, Out, example
from api.nouns import Noun
from core.db import Tx
from crm.bidi.partners import percent_of
from crm.identity import invitations
from crm.identity.invitations import Invitation, Sent
from crm.identity.roles import Role
from events.ids import InvitationId, UserId

router = Noun(prefix="/invitations", tags=["members"])
Percent = Annotated[Decimal, Field(ge=0, le=100, decimal_places=2, examples=["12.5"])]
Invited = Literal["admin", "supervisor", "bidi", "viewer"]


class InvitationIn(In):
    model_config = example(email="tomas@lind.example", role="bidi")

    email: Annotated[str, Field(max_length=320)] | None = Field(
        default=None, description="Who alone may accept; whoever has the link when left out."
    )
    role: Invited
    commission_percent: Percent | None = Field(
        default=None, description="Makes a partner of whoever accepts: an external seat, with the role bidi."
    )


class InvitationOut(Out):
    id: InvitationId
    email: str | None
    role: Invited
    commission_percent: str | None = Field(description="null: no partner.", examples=["12.5"])
    invited_by: UserId
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    revoked_at: datetime | None


class SentOut(InvitationOut):
    url: str | None = Field(
        description="Where whoever has the link accepts; it is not shown again. null: it was mailed.",
        examples=["https://getsale.example/join/EXAMPLEdoNotUseThisItIsNoInvitation"],
    )


async def deliver(request: Request, tx: Tx, sent: Sent) -> str | None:
    """Mail an invitation to its address; of one without an address the link is returned, to be passed on."""
    settings = get_services(request).settings
    site = site_url(request, settings)
    if sent.invitation.email is None:
        return invitations.join_url(site, sent.secret)
    await invitations.mail_link(tx, sent, site=site, key=settings.secret_key.get_secret_value())
    return None


async def _sent(request: Request, tx: Tx, sent: Sent) -> SentOut:
    return SentOut(**_out(sent.invitation).model_dump(), url=await deliver(request, tx, sent))


def _out(one: Invitation) -> InvitationOut:
    rate = one.commission_basis_points
    percent = None if rate is None else percent_of(rate)
    return InvitationOut.model_validate(vars(one) | {"commission_percent": percent})


@router.get("", operation_id="list_invitations", summary="List open invitations, the newest first")
async def list_invitations(tx: ApiTx) -> list[InvitationOut]:
    return [_out(one) for one in await invitations.list_invitations(tx)]


@router.post(
    "",
    operation_id="create_invitation",
    summary="Ask somebody in",
    status_code=201,
    responses=problems(409, *BODY),
)
async def create_invitation(request: Request, tx: ApiTx, new: InvitationIn) -> SentOut:
    """It is mailed to the address, or the answer has its link, this once. It is good for seven days and works once."""
    percent = new.commission_percent
    sent = await invitations.invite(
        tx,
        email=new.email,
        role=Role(new.role),
        commission_basis_points=None if percent is None else int(percent * 100),
    )
    return await _sent(request, tx, sent)


@router.get(
    "/{invitation_id}",
    operation_id="get_invitation",
    summary="Read one invitation",
    responses=problems(404),
)
async def get_invitation(tx: ApiTx, invitation_id: InvitationId) -> InvitationOut:
    return _out(await invitations.get_invitation(tx, invitation_id))


@router.post(
    "/{invitation_id}/resending",
    operation_id="resend_invitation",
    summary="Make a new link; the old one ends",
    responses=problems(404, 409),
)
async def resend_invitation(request: Request, tx: ApiTx, invitation_id: InvitationId) -> SentOut:
    return await _sent(request, tx, await invitations.resend(tx, invitation_id))


@router.post(
    "/{invitation_id}/revocation",
    operation_id="revoke_invitation",
    summary="Take an invitation back",
    responses=problems(404, 409),
)
async def revoke_invitation(tx: ApiTx, invitation_id: InvitationId) -> InvitationOut:
    return _out(await invitations.revoke(tx, invitation_id))
