"""Members: the people of the organization, their roles, and who is kept out or leaves."""

from datetime import datetime

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import In, Out, example
from api.nouns import Noun
from crm.assignment.leaving import remove_member as remove
from crm.identity import members
from crm.identity.roles import PERMISSIONS, Area, Reach, Role
from events.ids import MemberId, UserId

router = Noun(prefix="/members", tags=["members"])
roles_router = Noun(prefix="/roles", tags=["members"])


class ColleagueOut(Out):
    id: MemberId
    user_id: UserId
    name: str = Field(examples=["Olga Owner"])
    email: str = Field(examples=["olga@lind.example"])
    role: Role
    created_at: datetime
    disabled_at: datetime | None = Field(description="Since when they are kept out.")


class RoleIn(In):
    model_config = example(role="supervisor")

    role: Role


class MemberRemovalIn(In):
    model_config = example(to_member_id=None)

    to_member_id: MemberId | None = Field(
        default=None, description="Who goes on with what they hold; nobody when left out."
    )


class PermissionOut(Out):
    """One line of the table of roles."""

    area: Area
    scope: str = Field(examples=["contacts:write"])
    reach: dict[Role, Reach] = Field(description="How far it goes for each role.")


@router.get("", operation_id="list_members", summary="List the members, the first one first")
async def list_members(tx: ApiTx) -> list[ColleagueOut]:
    return [ColleagueOut.model_validate(one) for one in await members.list_colleagues(tx)]


@router.get("/{member_id}", operation_id="get_member", summary="Read one member", responses=problems(404))
async def get_member(tx: ApiTx, member_id: MemberId) -> ColleagueOut:
    return ColleagueOut.model_validate(await members.get_colleague(tx, member_id))


@router.put(
    "/{member_id}/role",
    operation_id="change_role",
    summary="Give a member another role",
    responses=problems(404, 409, *BODY),
)
async def change_role(tx: ApiTx, member_id: MemberId, wanted: RoleIn) -> ColleagueOut:
    """Never above one's own; an organization keeps an owner."""
    return ColleagueOut.model_validate(await members.change_role(tx, member_id, wanted.role))


@router.post(
    "/{member_id}/disabling",
    operation_id="disable_member",
    summary="Keep a member out",
    responses=problems(404, 409),
)
async def disable_member(tx: ApiTx, member_id: MemberId) -> ColleagueOut:
    """Their sessions and keys end at once; what they hold stays theirs."""
    return ColleagueOut.model_validate(await members.disable_member(tx, member_id))


@router.post(
    "/{member_id}/enabling",
    operation_id="enable_member",
    summary="Let a member in again",
    responses=problems(404),
)
async def enable_member(tx: ApiTx, member_id: MemberId) -> ColleagueOut:
    return ColleagueOut.model_validate(await members.enable_member(tx, member_id))


@router.post(
    "/{member_id}/removal",
    operation_id="remove_member",
    summary="Take a member out and give on what they hold",
    status_code=204,
    responses=problems(404, 409, *BODY),
)
async def remove_member(tx: ApiTx, member_id: MemberId, removal: MemberRemovalIn) -> None:
    await remove(tx, member_id, to=removal.to_member_id)


@roles_router.get("", operation_id="list_permissions", summary="List what each role may do")
async def list_permissions(tx: ApiTx) -> list[PermissionOut]:
    tx.principal.require("team:read")
    return [PermissionOut.model_validate(one) for one in PERMISSIONS]
