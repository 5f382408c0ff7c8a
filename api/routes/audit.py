"""The audit: who did what, when and from where, and whether the record of it is whole."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field, JsonValue

from api.deps import ApiTx
from api.errors import problems
from api.fields import Cursor, Limit, Moment, Out, PageOut
from api.nouns import Noun
from core.principal import Via
from crm.audit import actions as audit
from crm.audit import queries
from crm.audit.models import EntryFilter
from crm.audit.verifying import Fault
from events.ids import AuditVerificationId

router = Noun(prefix="/audit", tags=["audit"])


class EntryOut(Out):
    id: UUID
    at: datetime
    type: str = Field(description="The name of the event.", examples=["contact.updated"])
    actor_kind: str = Field(description="`user`, `bidi` or `system`.", examples=["user"])
    actor_id: UUID
    actor_name: str | None
    responsible_id: UUID | None = Field(
        description="Who answers for the AI seat that did it, or whom it works for."
    )
    responsible_name: str | None
    run_id: UUID | None = Field(description="The run of the agent that did it.")
    subject_kind: str = Field(examples=["contact"])
    subject_id: UUID
    subject_name: str | None = Field(description="What the subject is called by now; null once it is gone.")
    via: Via | None = Field(description="The door; null where the product did it by itself.")
    credential_id: UUID | None = Field(description="The session or the API key.")
    credential_name: str | None
    address: str | None = Field(
        description="The address it came from, until it is erased.", examples=["192.0.2.7"]
    )
    agent: str | None = Field(description="The program, as it calls itself.")
    changes: dict[str, list[JsonValue]] = Field(
        description="Fields with what they held before and after, until they are erased."
    )
    position: int | None = Field(description="Its place in the sealed chain; null until it has one.")


class ChainOut(Out):
    sealed: int = Field(description="How many events the chain holds.")
    waiting: int = Field(description="How many are to be sealed yet.")
    sealed_at: datetime | None


class VerificationOut(Out):
    id: AuditVerificationId
    asked_by: UUID
    asked_at: datetime
    ended_at: datetime | None = Field(description="Null while the chain is walked over.")
    sealed: int
    anchors: int
    erased: int
    fault: Fault | None = Field(
        description="What is wrong at the first broken place; null when all is whole."
    )
    position: int | None
    event_id: UUID | None
    line: int | None = Field(description="The line of the anchors.")


@router.get("/entries", operation_id="list_audit_entries", summary="List what happened, the newest first")
async def list_entries(
    tx: ApiTx,
    who: Annotated[UUID | None, Query(description="A person, a seat or an API key, by id.")] = None,
    type: Annotated[str | None, Query(max_length=100, description="The name of an event.")] = None,
    subject_kind: Annotated[str | None, Query(max_length=100)] = None,
    subject_id: UUID | None = None,
    run_id: UUID | None = None,
    via: Via | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    cursor: Cursor = None,
    limit: Limit = 25,
) -> PageOut[EntryOut]:
    wanted = EntryFilter(who, type, subject_kind, subject_id, run_id, via, None, since, until)
    return PageOut[EntryOut].of(await queries.list_entries(tx, wanted, cursor=cursor, limit=limit))


@router.get(
    "/entries/{event_id}",
    operation_id="get_audit_entry",
    summary="Read one entry",
    responses=problems(404),
)
async def get_entry(tx: ApiTx, event_id: UUID) -> EntryOut:
    return EntryOut.model_validate(await queries.get_entry(tx, event_id))


@router.get("/chain", operation_id="get_audit_chain", summary="Say how far the sealed chain has come")
async def get_chain(tx: ApiTx) -> ChainOut:
    return ChainOut.model_validate(await queries.get_chain_state(tx))


@router.post(
    "/verifications",
    operation_id="verify_audit",
    summary="Have the whole chain walked over",
    status_code=201,
)
async def verify_audit(tx: ApiTx) -> VerificationOut:
    """One that is going on already is returned instead of a second one."""
    return VerificationOut.model_validate(await audit.ask_verification(tx))


@router.get(
    "/verifications/{audit_verification_id}",
    operation_id="get_audit_verification",
    summary="Read what a walk over the chain found",
    responses=problems(404),
)
async def get_verification(tx: ApiTx, audit_verification_id: AuditVerificationId) -> VerificationOut:
    return VerificationOut.model_validate(await queries.get_verification(tx, audit_verification_id))
