"""What people ask about their own data: all of it as a file, or its erasure everywhere.

The file itself is for a person who is signed in: no key takes it away.
"""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Out, PageOut, example
from api.nouns import Noun
from crm.privacy import actions as privacy
from crm.privacy import queries
from crm.privacy.models import RequestKind, RequestStatus
from events.ids import ContactId, PrivacyRequestId

router = Noun(prefix="/privacy-requests", tags=["privacy"])


class PrivacyRequestIn(In):
    model_config = example(
        kind="export",
        contact_id="01931b5e-7c00-7000-8000-000000000001",
        why="Asked by mail on 26 November.",
    )

    kind: RequestKind
    contact_id: ContactId
    why: str = Field(
        max_length=privacy.MAX_WHY,
        description="Who asked for it and how.",
    )


class PrivacyRequestOut(Out):
    id: PrivacyRequestId
    kind: RequestKind
    status: RequestStatus = Field(
        description="`looking`: what there is is being counted. `waiting`: an erasure waits for its confirmation. "
        "`forgotten`: the file of an export is gone."
    )
    contact_id: ContactId
    contact_name: str | None = Field(description="Null once the person is erased.")
    why: str
    asked_by: UUID
    asked_at: datetime
    due_at: datetime = Field(description="When it has to be answered: 30 days after it was asked.")
    confirmed_by: UUID | None
    found: dict[str, int] = Field(
        description="Rows by table that lead to the person.", examples=[{"contacts": 1, "messages": 12}]
    )
    quoted: dict[str, int] = Field(description="Rows by table that are about others and quote the person.")
    left_over: dict[str, int] = Field(description="What an erasure left of both; empty when it reached all.")
    held: dict[str, str] = Field(description="Tables that an erasure leaves, with the reason.")
    size_bytes: int | None = Field(description="Of the file of an export.")
    expires_at: datetime | None = Field(description="Until when the file is there.")
    finished_at: datetime | None


@router.get("", operation_id="list_privacy_requests", summary="List requests, the newest first")
async def list_requests(tx: ApiTx, cursor: Cursor = None, limit: Limit = 25) -> PageOut[PrivacyRequestOut]:
    return PageOut[PrivacyRequestOut].of(await queries.list_requests(tx, cursor=cursor, limit=limit))


@router.post(
    "",
    operation_id="create_privacy_request",
    summary="Ask for what is known about a person, or for their erasure",
    status_code=201,
    responses=problems(404, 409, *BODY),
)
async def create_request(tx: ApiTx, body: PrivacyRequestIn) -> PrivacyRequestOut:
    """What there is is counted first. A file is made then; an erasure waits for its confirmation."""
    made = await privacy.make_request(tx, body.kind, body.contact_id, body.why)
    return PrivacyRequestOut.model_validate(made)


@router.get(
    "/{privacy_request_id}",
    operation_id="get_privacy_request",
    summary="Read one request",
    responses=problems(404),
)
async def get_request(tx: ApiTx, privacy_request_id: PrivacyRequestId) -> PrivacyRequestOut:
    return PrivacyRequestOut.model_validate(await queries.get_request(tx, privacy_request_id))


@router.post(
    "/{privacy_request_id}/confirmation",
    operation_id="confirm_erasure",
    summary="Let an erasure begin; there is no way back",
    responses=problems(404, 409),
)
async def confirm_erasure(tx: ApiTx, privacy_request_id: PrivacyRequestId) -> PrivacyRequestOut:
    return PrivacyRequestOut.model_validate(await privacy.confirm_erasure(tx, privacy_request_id))


@router.post(
    "/{privacy_request_id}/allowance",
    operation_id="allow_erased_person",
    summary="Let imports bring back whoever was erased by a request",
    responses=problems(404, 409),
)
async def allow_again(tx: ApiTx, privacy_request_id: PrivacyRequestId) -> PrivacyRequestOut:
    return PrivacyRequestOut.model_validate(await privacy.allow_again(tx, privacy_request_id))


@router.post(
    "/{privacy_request_id}/cancellation",
    operation_id="cancel_privacy_request",
    summary="Give a request up that nothing was done for yet",
    responses=problems(404, 409),
)
async def cancel_request(tx: ApiTx, privacy_request_id: PrivacyRequestId) -> PrivacyRequestOut:
    return PrivacyRequestOut.model_validate(await privacy.cancel_request(tx, privacy_request_id))
