"""API keys: what a person's programs call with."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Line, Moment, Out, PageOut, example
from api.nouns import Noun
from crm.api_keys import actions as api_keys
from crm.api_keys import queries
from crm.identity.models import ALL_SCOPES
from events.ids import ApiKeyId, UserId

router = Noun(prefix="/api-keys", tags=["api keys"])
Scope = Annotated[str, Field(json_schema_extra={"enum": [*sorted(ALL_SCOPES)]}, examples=["contacts:read"])]


class ApiKeyIn(In):
    model_config = example(name="Nightly report", scopes=["contacts:read", "deals:read"])

    name: Line = Field(default="", description="What the key is for.")
    scopes: list[Scope] = Field(
        min_length=1, max_length=100, description="What it may do at most; never more than its maker may."
    )
    expires_at: Moment | None = Field(
        default=None, description="Until when it is good; until it is revoked when left out."
    )


class ApiKeyOut(Out):
    id: ApiKeyId
    user_id: UserId = Field(description="Whom it acts as.")
    name: str = Field(examples=["Nightly report"])
    prefix: str = Field(description="Its first letters, to tell it from others.", examples=["gsk_4kZr0aQx"])
    scopes: list[str] | None = Field(
        description="null: whatever its person may.", examples=[["contacts:read", "deals:read"]]
    )
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To five minutes.")
    revoked_at: datetime | None


class NewApiKeyOut(ApiKeyOut):
    secret: str = Field(
        description="The key itself; it is not shown again.",
        examples=["gsk_4kZr0aQxEXAMPLEdoNotUseThisKeyItIsNotOneAtAll"],
    )


@router.get("", operation_id="list_api_keys", summary="List API keys, the newest first")
async def list_api_keys(tx: ApiTx, cursor: Cursor = None, limit: Limit = 25) -> PageOut[ApiKeyOut]:
    """One's own; everybody's for who may manage them."""
    return PageOut[ApiKeyOut].of(await queries.list_api_key_page(tx, cursor=cursor, limit=limit))


@router.post(
    "",
    operation_id="create_api_key",
    summary="Make an API key for oneself",
    status_code=201,
    responses=problems(*BODY),
)
async def create_api_key(tx: ApiTx, new: ApiKeyIn) -> NewApiKeyOut:
    """The answer has the key, this once."""
    made = await api_keys.create_api_key(
        tx, UserId(tx.principal.id), name=new.name.strip(), scopes=new.scopes, expires_at=new.expires_at
    )
    shown = ApiKeyOut.model_validate(made.key)
    return NewApiKeyOut(**shown.model_dump(), secret=made.secret)


@router.get("/{api_key_id}", operation_id="get_api_key", summary="Read one API key", responses=problems(404))
async def get_api_key(tx: ApiTx, api_key_id: ApiKeyId) -> ApiKeyOut:
    return ApiKeyOut.model_validate(await queries.get_api_key(tx, api_key_id))


@router.post(
    "/{api_key_id}/revocation",
    operation_id="revoke_api_key",
    summary="Shut an API key off at once",
    responses=problems(404),
)
async def revoke_api_key(tx: ApiTx, api_key_id: ApiKeyId) -> ApiKeyOut:
    """Sockets that were opened with it close within five seconds."""
    return ApiKeyOut.model_validate(await api_keys.revoke_api_key(tx, api_key_id))
