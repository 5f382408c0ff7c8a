"""Teams: members who work together, and who leads them."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import In, Line, Out, Version, example
from api.nouns import Noun
from core.edits import KEEP
from crm.identity import teams
from crm.identity.teams import MAX_MEMBERS, TeamEdit
from events.ids import MemberId, TeamId

router = Noun(prefix="/teams", tags=["members"])
MemberIds = Annotated[list[MemberId], Field(max_length=MAX_MEMBERS)]


class TeamOut(Out):
    id: TeamId
    name: str = Field(examples=["North"])
    member_ids: list[MemberId]
    lead_id: MemberId | None
    version: int
    created_at: datetime


class TeamIn(In):
    model_config = example(name="North", member_ids=[])

    name: Line
    member_ids: MemberIds = Field(default=[])
    lead_id: MemberId | None = Field(default=None, description="One of its members.")


class TeamPatch(In):
    """What is left out stays as it is."""

    model_config = example(version=1, name="North and east")

    version: Version
    name: Line | None = None
    member_ids: MemberIds | None = None
    lead_id: MemberId | None = Field(default=None, description="null: nobody leads it.")

    def edit(self) -> TeamEdit:
        return TeamEdit(
            name=KEEP if self.name is None else self.name,
            member_ids=KEEP if self.member_ids is None else self.member_ids,
            lead_id=self.lead_id if "lead_id" in self.model_fields_set else KEEP,
        )


@router.get("", operation_id="list_teams", summary="List the teams, by name")
async def list_teams(tx: ApiTx) -> list[TeamOut]:
    return [TeamOut.model_validate(one) for one in await teams.list_teams(tx)]


@router.post(
    "", operation_id="create_team", summary="Make a team", status_code=201, responses=problems(409, *BODY)
)
async def create_team(tx: ApiTx, new: TeamIn) -> TeamOut:
    made = await teams.create_team(tx, new.name, member_ids=new.member_ids, lead_id=new.lead_id)
    return TeamOut.model_validate(made)


@router.get("/{team_id}", operation_id="get_team", summary="Read one team", responses=problems(404))
async def get_team(tx: ApiTx, team_id: TeamId) -> TeamOut:
    return TeamOut.model_validate(await teams.get_team(tx, team_id))


@router.patch(
    "/{team_id}",
    operation_id="update_team",
    summary="Change a team, its members or who leads it",
    responses=problems(404, 409, 412, *BODY),
)
async def update_team(tx: ApiTx, team_id: TeamId, patch: TeamPatch) -> TeamOut:
    return TeamOut.model_validate(await teams.update_team(tx, team_id, patch.edit(), version=patch.version))


@router.delete(
    "/{team_id}",
    operation_id="delete_team",
    summary="Take a team apart",
    status_code=204,
    responses=problems(404),
)
async def delete_team(tx: ApiTx, team_id: TeamId) -> None:
    """Its members stay members."""
    await teams.delete_team(tx, team_id)
