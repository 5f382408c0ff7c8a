"""Seats: who sits where, what an AI seat may do and use, and stopping it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Line, Out, PageOut, Text, Version, example
from api.nouns import Noun
from crm.bidi import actions as seats
from crm.bidi import day_limits, queries
from crm.bidi.day_limits import DayLimits
from crm.bidi.models import Autonomy, BidiEdit, BidiKind, NewBidi
from crm.language_models.actions import assign_language_model
from crm.runs import halting
from events.ids import BidiId, UserId

router = Noun(tags=["seats"])
_SEAT = "/seats/{bidi_id}"
Name = Annotated[Line, Field(min_length=1, max_length=100, examples=["Mira"])]
Languages = Annotated[
    list[Annotated[str, Field(pattern="^[a-z]{2}$")]],
    Field(max_length=20, description="Of the contacts that it takes; none is all.", examples=[["en", "ru"]]),
]
Names = Annotated[list[Annotated[str, Field(pattern=r"^[a-z_:]{1,50}$")]], Field(max_length=100)]
Accounts = Annotated[
    list[UUID],
    Field(max_length=100, description="Channel accounts that are its own; an account has one seat."),
]
Hours = Annotated[
    dict[str, list[str]],
    Field(
        description="A weekday to the hours it begins and ends; none is always.",
        json_schema_extra={"propertyNames": {"enum": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}},
        examples=[{"mon": ["09:00", "18:00"]}],
    ),
]
Zone = Annotated[str, Field(pattern=r"^[A-Za-z0-9_+\-/]{0,64}$", description="Empty: the organization's.")]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Positive = Annotated[int, Field(ge=1, le=1_000_000_000)]
Seconds = Annotated[int, Field(ge=1, le=3600)]


class SeatPatch(In):
    """New values for some fields: what is left out stays as it is, null takes a limit away."""

    model_config = example(version=1, capacity=20, languages=["en"])

    version: Version
    name: Name = Field(default_factory=str)
    persona: Text = Field(default_factory=str, description="How it writes; part of its prompts.")
    languages: Languages = Field(default_factory=list)
    responsible_user_id: UserId = Field(
        default_factory=lambda: UserId(UUID(int=0)),
        description="Who answers for it; it may do no more than them.",
    )
    autonomy: Autonomy = Autonomy.SUGGEST
    scopes: Names = Field(default_factory=list, description="Which tools it may call, by what they need.")
    model: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="The name of a language model; null is the organization's."
    )
    account_ids: Accounts = Field(default_factory=list)
    capacity: Positive | None = Field(default=None, description="How many open conversations it may hold.")
    working_hours: Hours = Field(default_factory=dict)
    time_zone: Zone = ""
    daily_cap: Count = Field(default=20, description="How many replies a day it may send by itself.")
    max_steps: Positive = Field(default=40, description="Model and tool calls of one run.")
    max_tokens: Positive = Field(default=60_000, description="Of one run.")
    max_cost_usd_micros: Count = Field(default=500_000, description="Of one run.")
    max_seconds: Seconds = Field(default=120, description="Of one run.")
    max_runs_a_day: Count | None = None
    max_tokens_a_day: Count | None = None
    max_cost_usd_micros_a_day: Count | None = None


class SeatIn(In):
    model_config = example(
        kind="ai", name="Mira", agent="inbox", responsible_user_id="01931b5e-7c00-7000-8000-000000000001"
    )

    kind: BidiKind
    name: Name
    agent: str | None = Field(default=None, max_length=50, description="Of an AI seat.", examples=["inbox"])
    user_id: UserId | None = Field(default=None, description="The member who sits on any other seat.")
    responsible_user_id: UserId | None = Field(default=None, description="Who answers for an AI seat.")
    persona: Text = ""


class SeatOut(Out):
    id: BidiId
    kind: BidiKind
    name: str = Field(examples=["Mira"])
    user_id: UserId | None
    responsible_user_id: UserId | None
    agent: str | None
    persona: str
    languages: list[str]
    autonomy: Autonomy
    scopes: list[str]
    model: str | None
    account_ids: list[UUID]
    capacity: int | None
    working_hours: dict[str, list[str]]
    time_zone: str
    autopilot_intents: list[str] = Field(description="What it answers by itself; it has earned each.")
    daily_cap: int
    max_steps: int
    max_tokens: int
    max_cost_usd_micros: int
    max_seconds: int
    max_runs_a_day: int | None
    max_tokens_a_day: int | None
    max_cost_usd_micros_a_day: int | None
    is_paused: bool
    archived_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class DayLimitsIn(In):
    """Of all seats together; null is no limit."""

    model_config = example(
        max_runs_a_day=500, max_tokens_a_day=50_000_000, max_cost_usd_micros_a_day=20_000_000
    )

    max_runs_a_day: Count | None
    max_tokens_a_day: Count | None
    max_cost_usd_micros_a_day: Count | None


class DayLimitsOut(Out):
    max_runs_a_day: int | None
    max_tokens_a_day: int | None
    max_cost_usd_micros_a_day: int | None


class HaltOut(Out):
    paused: list[BidiId] = Field(description="The seats that were at work until now.")


@router.get("/seats", operation_id="list_seats", summary="List seats, the newest first")
async def list_seats(
    tx: ApiTx, kind: BidiKind | None = None, cursor: Cursor = None, limit: Limit = 25
) -> PageOut[SeatOut]:
    return PageOut[SeatOut].of(await queries.list_seats(tx, kind=kind, cursor=cursor, limit=limit))


@router.post(
    "/seats",
    operation_id="create_seat",
    summary="Make a seat",
    status_code=201,
    responses=problems(409, *BODY),
)
async def create_seat(tx: ApiTx, new: SeatIn) -> SeatOut:
    """An AI seat begins with the scopes of its agent and suggests only; change the rest afterwards."""
    wanted = NewBidi(new.kind, new.name, new.agent, new.user_id, new.responsible_user_id)
    made = await seats.create_bidi(tx, wanted, BidiEdit(persona=new.persona))
    return SeatOut.model_validate(made)


@router.post("/seats/pause", operation_id="pause_agents", summary="Stop every agent at once")
async def pause_agents(tx: ApiTx) -> HaltOut:
    """Pauses all AI seats. What they do stops within two seconds; their drafts stay and wait for a person."""
    return HaltOut(paused=await halting.pause_agents(tx))


@router.get(
    "/seats/day-limits",
    operation_id="get_day_limits",
    summary="See what all seats together may use in a day",
)
async def get_day_limits(tx: ApiTx) -> DayLimitsOut:
    return DayLimitsOut.model_validate(await day_limits.get_day_limits(tx))


@router.put(
    "/seats/day-limits",
    operation_id="set_day_limits",
    summary="Say what all seats together may use in a day",
    responses=problems(*BODY),
)
async def set_day_limits(tx: ApiTx, limits: DayLimitsIn) -> DayLimitsOut:
    """A run that would go beyond one of them hands its conversation to a person; each seat has its own limits besides."""
    return DayLimitsOut.model_validate(await day_limits.set_day_limits(tx, DayLimits(**limits.model_dump())))


@router.get(_SEAT, operation_id="get_seat", summary="Read one seat", responses=problems(404))
async def get_seat(tx: ApiTx, bidi_id: BidiId) -> SeatOut:
    return SeatOut.model_validate(await queries.get_bidi(tx, bidi_id))


@router.patch(
    _SEAT, operation_id="update_seat", summary="Change a seat", responses=problems(404, 409, 412, *BODY)
)
async def update_seat(tx: ApiTx, bidi_id: BidiId, patch: SeatPatch) -> SeatOut:
    """Runs that have begun go on with what they began with. A supervisor may change the persona, and nothing else."""
    values = patch.model_dump(exclude={"version", "model"}, exclude_unset=True)
    await seats.update_bidi(tx, bidi_id, BidiEdit(**values), version=patch.version)
    if "model" in patch.model_fields_set:
        await assign_language_model(tx, bidi_id, patch.model)
    return SeatOut.model_validate(await queries.get_bidi(tx, bidi_id))


@router.post(f"{_SEAT}/pause", operation_id="pause_seat", summary="Stop a seat", responses=problems(404, 409))
async def pause_seat(tx: ApiTx, bidi_id: BidiId) -> SeatOut:
    """What it does stops within two seconds, what is queued never begins; its drafts stay and wait for a person."""
    await halting.pause_seat(tx, bidi_id)
    return SeatOut.model_validate(await queries.get_bidi(tx, bidi_id))


@router.post(
    f"{_SEAT}/resume",
    operation_id="resume_seat",
    summary="Let a seat work again",
    responses=problems(404, 409),
)
async def resume_seat(tx: ApiTx, bidi_id: BidiId) -> SeatOut:
    return SeatOut.model_validate(await seats.resume_bidi(tx, bidi_id))


@router.post(
    f"{_SEAT}/archive",
    operation_id="archive_seat",
    summary="Close a seat for good",
    responses=problems(404, 409),
)
async def archive_seat(tx: ApiTx, bidi_id: BidiId) -> SeatOut:
    """It stops as if it were paused; what it did and wrote stays."""
    await halting.archive_seat(tx, bidi_id)
    return SeatOut.model_validate(await queries.get_bidi(tx, bidi_id))
