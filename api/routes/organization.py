"""The organization: what holds for all of it, and whose it is."""

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import Request
from pydantic import Field

from api import accounts, doors
from api.deps import ApiTx, Caller, CurrentServices
from api.errors import BODY, problems
from api.fields import In, Line, Out, Version, example
from api.nouns import Noun
from api.proofs import require_proof
from core.edits import KEEP
from core.errors import NotFound
from crm.bidi import workspace
from crm.bidi.workspace import KEPT, MAX_DAYS, MAX_HOLIDAYS, WorkspaceEdit
from crm.identity import deletion
from crm.identity.transfer import transfer_organization as transfer
from events.ids import MemberId, OrganizationId, UserId

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
    messages_kept_days: int | None = Field(
        description="Conversations, with files, drafts and what agents read from them; counted from the last message. null: without an end."
    )
    traces_kept_days: int | None = Field(description="What models were told and runs noted on their way.")
    chats_kept_days: int | None = Field(description="Chats with the copilot.")
    notifications_kept_days: int | None = Field(description="Notifications.")
    deliveries_kept_days: int | None = Field(description="What webhooks were told.")
    imports_kept_days: int | None = Field(
        description="Rows of imports; from then on an import cannot be taken back."
    )
    trash_kept_days: int | None = Field(description="What lies in the trash.")
    sign_ins_kept_days: int | None = Field(
        description="Sessions that are over, and from where members acted."
    )
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
    messages_kept_days: Kept | None = Field(default=None, description="null: without an end.")
    traces_kept_days: Kept | None = Field(default=None, description="null: without an end.")
    chats_kept_days: Kept | None = Field(default=None, description="null: without an end.")
    notifications_kept_days: Kept | None = Field(default=None, description="null: without an end.")
    deliveries_kept_days: Kept | None = Field(default=None, description="null: without an end.")
    imports_kept_days: Kept | None = Field(default=None, description="null: without an end.")
    trash_kept_days: Kept | None = Field(default=None, description="null: without an end.")
    sign_ins_kept_days: Kept | None = Field(default=None, description="null: without an end.")

    def edit(self) -> WorkspaceEdit:
        """What was sent, apart from what was not: of these only the days may be emptied."""
        sent = {name: getattr(self, name) for name in self.model_fields_set - {"version"}}
        emptied = set(KEPT)
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


class DeletionOut(Out):
    due_at: datetime = Field(description="When everything of the organization is removed.")
    asked_at: datetime = Field(description="Since when it is closed.")
    asked_by: UserId


class DeletionIn(In):
    model_config = example(name="Lind Logistics", proof="492039")

    name: Line = Field(description="The organization's name as it is written, to confirm.")
    proof: Annotated[
        str, Field(max_length=1024, description="A code of the second factor, or the password without one.")
    ]


@router.get(
    "/deletion",
    operation_id="get_organization_deletion",
    summary="Read when the organization is to be removed",
    responses=problems(404),
)
async def get_organization_deletion(tx: ApiTx) -> DeletionOut:
    found = await deletion.find_deletion(tx)
    if found is None:
        raise NotFound("The organization is not to be deleted.")
    return DeletionOut.model_validate(found)


@router.post(
    "/deletion",
    operation_id="delete_organization",
    summary="Close the organization, and have it removed after a while",
    status_code=201,
    responses=problems(409, *BODY),
)
async def delete_organization(
    request: Request, tx: ApiTx, caller: Caller, services: CurrentServices, wanted: DeletionIn
) -> DeletionOut:
    """Everybody but the owner is shut out and everything stops at once; the owner can take it back until then."""
    settings = services.settings
    await require_proof(services, caller.principal, doors.knock(request, settings, ""), wanted.proof)
    asked = await deletion.close_organization(
        tx,
        confirmed_name=wanted.name,
        grace=timedelta(days=settings.organization_deletion_days),
        site=accounts.site_url_if_known(request, settings),
        key=settings.secret_key.get_secret_value(),
    )
    return DeletionOut.model_validate(asked)


@router.delete(
    "/deletion",
    operation_id="keep_organization",
    summary="Take the organization's deletion back",
    status_code=204,
    responses=problems(409),
)
async def keep_organization(request: Request, tx: ApiTx, services: CurrentServices) -> None:
    settings = services.settings
    await deletion.keep_organization(
        tx,
        site=accounts.site_url_if_known(request, settings),
        key=settings.secret_key.get_secret_value(),
    )
