"""Assignment: the rules that give new conversations and leads to seats, and trying them."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Line, Out, PageOut, Version, example
from api.nouns import Noun
from crm.assignment import queries, rules
from crm.assignment.models import Assigned, Case, NewRule, RuleEdit, Unassigned, Verdict, Way
from crm.contacts.queries import get_contact
from events.ids import AssignmentRuleId, BidiId, ChannelAccountId, ContactId, SegmentId

router = Noun(prefix="/assignment-rules", tags=["seats"])
Name = Annotated[Line, Field(min_length=1, max_length=100, examples=["Prices in Russian"])]
Seats = Annotated[
    list[BidiId], Field(min_length=1, max_length=100, description="Who takes what the rule gives.")
]
Channel = Annotated[
    str, Field(pattern="^(|telegram|email|webchat)$", description="Over which channel; empty is any.")
]
Place = Annotated[int, Field(ge=1, le=1000, description="Rules are asked in this order, from 1.")]
Segment = Annotated[
    SegmentId | None, Field(description="Only contacts who are in this segment; null is everybody.")
]


class AssignmentRuleIn(In):
    model_config = example(
        record_kind="conversation",
        name="Everything",
        way="least_loaded",
        bidi_ids=["01931b5e-7c00-7000-8000-000000000002"],
    )

    record_kind: Assigned
    name: Name
    way: Way = Field(description="Whose turn it is, or who has the least in hand.")
    bidi_ids: Seats
    segment_id: Segment = None
    channel: Channel = ""


class AssignmentRulePatch(In):
    """New values for some fields: what is left out stays as it is."""

    model_config = example(version=1, position=1)

    version: Version
    name: Name = Field(default_factory=str)
    way: Way = Way.LEAST_LOADED
    bidi_ids: Seats = Field(default_factory=list)
    segment_id: Segment = None
    channel: Channel = ""
    is_enabled: bool = True
    position: Place = 1


class AssignmentRuleOut(Out):
    id: AssignmentRuleId
    record_kind: Assigned
    name: str
    position: int
    segment_id: SegmentId | None
    channel: str
    way: Way
    bidi_ids: list[BidiId]
    is_enabled: bool
    created_at: datetime
    updated_at: datetime
    version: int


class AssignmentTrialIn(In):
    model_config = example(record_kind="conversation", contact_id="01931b5e-7c00-7000-8000-000000000003")

    record_kind: Assigned
    contact_id: ContactId
    channel: Channel = ""
    channel_account_id: ChannelAccountId | None = None
    is_for_person: bool = Field(default=False, description="As if an agent had handed it off.")


class ConsideredSeatOut(Out):
    bidi_id: BidiId
    name: str
    load: int = Field(description="Open conversations, or open leads, that it has in hand.")
    why_not: str = Field(
        description="Why it does not take this: archived, paused, left, agent, observes, language, account, hours "
        "or full; empty when it could."
    )


class AskedRuleOut(Out):
    assignment_rule_id: AssignmentRuleId
    name: str
    skipped: str = Field(
        description="Why the rule is not about this: off, channel, segment or broken; empty when it is."
    )
    considered: list[ConsideredSeatOut]


class AssignmentTrialOut(Out):
    bidi_id: BidiId | None = Field(description="Who would get it now.")
    assignment_rule_id: AssignmentRuleId | None
    why: Unassigned | None = Field(description="Why nobody would.")
    asked: list[AskedRuleOut]


class ReassignmentBody(In):
    model_config = example(reassigns_paused=True)

    reassigns_paused: bool = Field(description="Whether what a seat holds goes to others when it is paused.")


class ReassignmentOut(Out):
    reassigns_paused: bool


@router.get(
    "", operation_id="list_assignment_rules", summary="List rules in the order in which they are asked"
)
async def list_assignment_rules(
    tx: ApiTx, cursor: Cursor = None, limit: Limit = 25
) -> PageOut[AssignmentRuleOut]:
    """Those of conversations come first."""
    return PageOut[AssignmentRuleOut].of(await queries.page_rules(tx, cursor=cursor, limit=limit))


@router.post(
    "",
    operation_id="create_assignment_rule",
    summary="Add a rule behind the others",
    status_code=201,
    responses=problems(409, *BODY),
)
async def create_assignment_rule(tx: ApiTx, new: AssignmentRuleIn) -> AssignmentRuleOut:
    """A rule that is about something but has no seat free leaves it to the next one."""
    wanted = NewRule(new.record_kind, new.name, new.way, tuple(new.bidi_ids), new.segment_id, new.channel)
    return AssignmentRuleOut.model_validate(await rules.create_rule(tx, wanted))


@router.post(
    "/trial",
    operation_id="try_assignment",
    summary="See who would get something now, and why",
    responses=problems(404, *BODY),
)
async def try_assignment(tx: ApiTx, trial: AssignmentTrialIn) -> AssignmentTrialOut:
    """Nothing is assigned."""
    tx.principal.require("crm:read")
    contact = await get_contact(tx, trial.contact_id)
    case = Case(
        trial.record_kind,
        contact.id,
        contact.language,
        trial.channel,
        trial.channel_account_id,
        is_for_person=trial.is_for_person,
    )
    return _tried(await queries.judge(tx, case))


@router.get(
    "/reassignment",
    operation_id="get_reassignment",
    summary="See whether what a seat holds goes to others when it is paused",
)
async def get_reassignment(tx: ApiTx) -> ReassignmentOut:
    return ReassignmentOut(reassigns_paused=await queries.reassigns_paused(tx))


@router.put(
    "/reassignment",
    operation_id="set_reassignment",
    summary="Say whether what a seat holds goes to others when it is paused",
    responses=problems(*BODY),
)
async def set_reassignment(tx: ApiTx, wanted: ReassignmentBody) -> ReassignmentOut:
    await rules.set_reassigning(tx, wanted.reassigns_paused)
    return ReassignmentOut(reassigns_paused=wanted.reassigns_paused)


@router.get(
    "/{assignment_rule_id}",
    operation_id="get_assignment_rule",
    summary="Read one rule",
    responses=problems(404),
)
async def get_assignment_rule(tx: ApiTx, assignment_rule_id: AssignmentRuleId) -> AssignmentRuleOut:
    return AssignmentRuleOut.model_validate(await queries.get_rule(tx, assignment_rule_id))


@router.patch(
    "/{assignment_rule_id}",
    operation_id="update_assignment_rule",
    summary="Change a rule, or move it among the others",
    responses=problems(404, 412, *BODY),
)
async def update_assignment_rule(
    tx: ApiTx, assignment_rule_id: AssignmentRuleId, patch: AssignmentRulePatch
) -> AssignmentRuleOut:
    edit = RuleEdit(**patch.model_dump(exclude={"version"}, exclude_unset=True))
    changed = await rules.update_rule(tx, assignment_rule_id, edit, version=patch.version)
    return AssignmentRuleOut.model_validate(changed)


@router.delete(
    "/{assignment_rule_id}",
    operation_id="delete_assignment_rule",
    summary="Remove a rule",
    status_code=204,
    responses=problems(404),
)
async def delete_assignment_rule(tx: ApiTx, assignment_rule_id: AssignmentRuleId) -> None:
    """Who was given something by it keeps it."""
    await rules.delete_rule(tx, assignment_rule_id)


def _tried(verdict: Verdict) -> AssignmentTrialOut:
    return AssignmentTrialOut(
        bidi_id=verdict.seat.id if verdict.seat else None,
        assignment_rule_id=verdict.rule.id if verdict.rule else None,
        why=verdict.why,
        asked=[
            AskedRuleOut(
                assignment_rule_id=one.rule.id,
                name=one.rule.name,
                skipped=one.skipped,
                considered=[
                    ConsideredSeatOut(
                        bidi_id=seen.seat.id, name=seen.seat.name, load=seen.load, why_not=seen.why_not
                    )
                    for seen in one.considered
                ],
            )
            for one in verdict.asked
        ],
    )
