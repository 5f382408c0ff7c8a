"""The organization: what holds for all of it, and whose it is."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import In, Line, Out, Version, example
from api.nouns import Noun
from core.edits import KEEP
from crm.bidi import workspace
from crm.bidi.workspace import MAX_DAYS, MAX_HOLIDAYS, WorkspaceEdit
from crm.identity.transfer import transfer_organization as transfer
from events.ids import MemberId, OrganizationId

router = Noun(prefix="/organization", tags=["organization"])
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Hours = dict[Weekday, Annotated[list[str], Field(min_length=2, max_length=2)]]
Kept = Annotated[int, Field(ge=1, le=MAX_DAYS)]


class WorkspaceOut(Out):
    organization_id: OrganizationId
    slug: str
    name: str = Field(examples=["Lind Logistics"])
    locale: str = Field(examples=["en"])
    time_zone: str = Field(examples=["Europe/Berlin"])
    working_hours: dict[str, list[str]] = Field(
        description="When a seat works that has no hours of its own.", examples=[{"mon": ["09:00", "18:00"]}]
    )
    holidays: list[date] = Field(description="Days on which nobody with hours works.")
    notifications_kept_days: int | None = Field(description="null: without an end.")
    chats_kept_days: int | None = Field(description="How long chats with the copilot are kept.")
    version: int


class WorkspacePatch(In):
    """What is left out stays as it is."""

    model_config = example(version=1, time_zone="Europe/Berlin", holidays=["2026-12-25"])

    version: Version
    name: Line | None = None
    locale: Literal["en", "ru"] | None = None
    time_zone: Line | None = None
    working_hours: Hours | None = None
    holidays: Annotated[list[date], Field(max_length=MAX_HOLIDAYS)] | None = None
    notifications_kept_days: Kept | None = Field(default=None, description="null: without an end.")
    chats_kept_days: Kept | None = Field(default=None, description="null: without an end.")

    def edit(self) -> WorkspaceEdit:
        """What was sent, apart from what was not: of these only the days may be emptied."""
        sent = {name: getattr(self, name) for name in self.model_fields_set - {"version"}}
        emptied = {"notifications_kept_days", "chats_kept_days"}
        return WorkspaceEdit(
            **{name: KEEP if value is None and name not in emptied else value for name, value in sent.items()}
        )


class TransferIn(In):
    model_config = example(member_id="0199c0de-0000-7000-8000-000000000001", name="Lind Logistics")

    member_id: MemberId = Field(description="Who owns it from now on.")
    name: Line = Field(description="The organization's name as it is written, to confirm.")


@router.get("", operation_id="get_organization", summary="Read what holds for the whole organization")
async def get_organization(tx: ApiTx) -> WorkspaceOut:
    return WorkspaceOut.model_validate(await workspace.get_workspace(tx))


@router.patch(
    "",
    operation_id="update_organization",
    summary="Change what holds for the whole organization",
    responses=problems(412, *BODY),
)
async def update_organization(tx: ApiTx, patch: WorkspacePatch) -> WorkspaceOut:
    changed = await workspace.update_workspace(tx, patch.edit(), version=patch.version)
    return WorkspaceOut.model_validate(changed)


@router.post(
    "/transfer",
    operation_id="transfer_organization",
    summary="Hand the organization over to another member",
    status_code=204,
    responses=problems(409, *BODY),
)
async def transfer_organization(tx: ApiTx, wanted: TransferIn) -> None:
    """Whoever hands it over is an administrator from then on."""
    await transfer(tx, wanted.member_id, confirmed_name=wanted.name)
