"""Consents: what a contact agreed to be told over which channel, who says so, and since when."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import In, Line, Out, example
from api.nouns import Noun
from core.principal import PrincipalKind
from crm.contacts import actions as contacts
from crm.contacts import queries
from crm.contacts.models import ConsentChannel
from events.ids import ContactId

router = Noun(prefix="/contacts/{contact_id}/consents", tags=["contacts"])


class ConsentIn(In):
    model_config = example(channel="email", is_given=True, source="Form on the web site")

    channel: ConsentChannel
    is_given: bool = Field(description="false takes it back.", examples=[True])
    source: Annotated[
        Line, Field(min_length=1, description="Where this comes from.", examples=["Form on the web site"])
    ]


class ConsentOut(Out):
    channel: ConsentChannel
    is_given: bool
    source: str
    given_at: datetime


class ConsentStatementOut(ConsentOut):
    was_given: bool | None = Field(
        description="What held for this channel before; null where nobody had said anything."
    )
    recorded_by_kind: PrincipalKind = Field(description="`user`, `bidi` or `system`.")
    recorded_by_id: UUID
    recorded_by_name: str | None = Field(description="Null for the system, and for somebody who is gone.")


@router.get(
    "",
    operation_id="list_consents",
    summary="List what holds now, one line for each channel",
    responses=problems(404),
)
async def list_consents(tx: ApiTx, contact_id: ContactId) -> list[ConsentOut]:
    await queries.get_contact(tx, contact_id)
    return [ConsentOut.model_validate(one) for one in await queries.list_consents(tx, contact_id)]


@router.post(
    "",
    operation_id="record_consent",
    summary="Record that consent was given or taken back",
    status_code=201,
    responses=problems(404, *BODY),
)
async def record_consent(tx: ApiTx, contact_id: ContactId, said: ConsentIn) -> list[ConsentOut]:
    """Earlier statements stay on record; answers with what holds now."""
    await contacts.record_consent(tx, contact_id, said.channel, is_given=said.is_given, source=said.source)
    return [ConsentOut.model_validate(one) for one in await queries.list_consents(tx, contact_id)]


@router.get(
    "/history",
    operation_id="list_consent_history",
    summary="List everything that was said about consent, the latest first",
    responses=problems(404),
)
async def list_consent_history(tx: ApiTx, contact_id: ContactId) -> list[ConsentStatementOut]:
    """At most the last hundred statements, each with what held before and who wrote it down."""
    await queries.get_contact(tx, contact_id)
    return [
        ConsentStatementOut.model_validate(one) for one in await queries.list_consent_history(tx, contact_id)
    ]
