"""Earned autonomy: what a seat answers by itself, what it has earned, and the incidents that take it back."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import In, Out, Text, example
from api.nouns import Noun
from crm.bidi.history import list_turns
from crm.bidi.models import Bidi
from crm.bidi.queries import get_bidi
from crm.drafts import earning
from crm.drafts.incidents import list_incidents as incidents_of
from crm.drafts.models import IncidentKind
from crm.identity.queries import get_organization
from crm.runs import standing
from events.ids import BidiId, ConversationId, DraftId

router = Noun(tags=["seats"])
_SEAT = "/seats/{bidi_id}"
Intent = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[^\x00]*$", examples=["price"])]
Hindrance = Literal[
    "archived", "paused", "autonomy", "policy", "intents", "spent", "capped", "off_hours"
]  # as crm/runs/standing.py names them


class IntentOut(Out):
    intent: str = Field(description="What the contact wants, as triage names it.", examples=["price"])
    is_on_autopilot: bool
    decided: int = Field(description="Drafts that people decided about since the last incident.")
    accepted: int = Field(description="Those of them that were approved as they were written.")
    bound: float = Field(description="The lower end of Wilson's 95 % interval for the accepted share.")
    is_earned: bool
    to_go: int = Field(description="How many more drafts, each accepted unedited, would earn it.")
    last_incident_at: datetime | None


class AutopilotOut(Out):
    is_on: bool = Field(description="Whether it answers anything by itself now.")
    hindrances: list[Hindrance] = Field(description="What keeps it from that, the weightiest first.")
    sent_today: int
    daily_cap: int
    opens_at: datetime | None = Field(description="When its hours begin again, if they are over.")
    intents: list[IntentOut]


class AutopilotIn(In):
    model_config = example(intents=["price"])

    intents: list[Intent] = Field(max_length=50, description="All that it answers by itself from now on.")


class IncidentIn(In):
    model_config = example(kind="complained", note="They had asked for another model.")

    kind: IncidentKind
    note: Text = ""


class IncidentOut(Out):
    id: UUID
    draft_id: DraftId
    bidi_id: BidiId
    conversation_id: ConversationId
    contact_name: str
    kind: IncidentKind
    note: str
    intents: list[str]
    by_itself: bool = Field(description="Whether the seat had sent the reply without a person.")
    noted_by: UUID
    noter_name: str
    noted_at: datetime


class TurnOut(Out):
    id: UUID
    event: str = Field(examples=["bidi.updated"])
    at: datetime
    actor_kind: str
    actor_id: UUID
    actor_name: str
    changes: dict[str, list[Any]] = Field(description="Field to what it was and what it became.")


@router.get(
    f"{_SEAT}/autopilot",
    operation_id="get_autopilot",
    summary="See what a seat answers by itself, and why it does not answer more",
    responses=problems(404),
)
async def get_autopilot(tx: ApiTx, bidi_id: BidiId) -> AutopilotOut:
    return await _shown(tx, await get_bidi(tx, bidi_id))


@router.put(
    f"{_SEAT}/autopilot",
    operation_id="set_autopilot",
    summary="Say which intents a seat answers by itself",
    responses=problems(404, 409, *BODY),
)
async def set_autopilot(tx: ApiTx, bidi_id: BidiId, wanted: AutopilotIn) -> AutopilotOut:
    """An intent that is new here must be earned; taking one away is always possible, and counts from the next reply."""
    return await _shown(tx, await earning.choose_intents(tx, bidi_id, set(wanted.intents)))


async def _shown(tx: ApiTx, bidi: Bidi) -> AutopilotOut:
    now = await standing.get_autopilot(tx, bidi, await get_organization(tx))
    return AutopilotOut.model_validate(
        {
            "is_on": now.is_on,
            "hindrances": now.hindrances,
            "sent_today": now.sent_today,
            "daily_cap": bidi.daily_cap,
            "opens_at": now.opens_at,
            "intents": [
                {
                    "intent": one.intent,
                    "is_on_autopilot": one.is_on_autopilot,
                    "decided": one.record.decided,
                    "accepted": one.record.accepted,
                    "bound": one.record.bound,
                    "is_earned": one.record.is_earned,
                    "to_go": one.record.to_go,
                    "last_incident_at": one.last_incident_at,
                }
                for one in await standing.list_standings(tx, bidi)
            ],
        }
    )


@router.get(
    f"{_SEAT}/incidents",
    operation_id="list_seat_incidents",
    summary="List the latest replies of a seat that were taken back or complained about",
    responses=problems(404),
)
async def list_seat_incidents(tx: ApiTx, bidi_id: BidiId) -> list[IncidentOut]:
    await get_bidi(tx, bidi_id)
    return [IncidentOut.model_validate(one) for one in await incidents_of(tx, bidi_id)]


@router.get(
    f"{_SEAT}/history",
    operation_id="get_seat_history",
    summary="See who changed a seat, gave it an intent or took one back, and when",
    responses=problems(404),
)
async def get_seat_history(tx: ApiTx, bidi_id: BidiId) -> list[TurnOut]:
    await get_bidi(tx, bidi_id)
    return [TurnOut.model_validate(one) for one in await list_turns(tx, bidi_id)]


@router.post(
    "/drafts/{draft_id}/incident",
    operation_id="note_incident",
    summary="Say that a reply had to be taken back, or was complained about",
    status_code=201,
    responses=problems(404, 409, *BODY),
)
async def note_incident(tx: ApiTx, draft_id: DraftId, incident: IncidentIn) -> IncidentOut:
    """The seat loses the reply's intents at once, and earns them anew from decisions that come after it."""
    bidi_id = await earning.note_incident(tx, draft_id, incident.kind, incident.note.strip())
    noted = [one for one in await incidents_of(tx, bidi_id) if one.draft_id == draft_id]
    return IncidentOut.model_validate(noted[0])
