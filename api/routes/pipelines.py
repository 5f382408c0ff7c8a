"""Pipelines and their stages, with the rules that a record has to keep to come in or to go on."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import In, Line, Out, PageOut, Version, example
from api.nouns import Noun
from core.money import MOST_MINOR
from core.pagination import Page
from crm.pipelines import actions as pipelines
from crm.pipelines import queries
from crm.pipelines.models import Action, NewStage, Outcome, Stage, StageEdit
from crm.pipelines.rules import MOST_RULES, Rule, RuleKind

router = Noun(prefix="/pipelines", tags=["pipelines"])
stages_router = Noun(prefix="/stages", tags=["pipelines"])
Name = Annotated[Line, Field(min_length=1, examples=["Proposal"])]
Percent = Annotated[int, Field(ge=0, le=100, examples=[60])]
Hours = Annotated[int, Field(ge=0, le=87840, description="How long a record may stay; 0 for no limit.")]


class RuleIn(In):
    """`field` with a field, `stakeholder` with a role, `minimum_amount` with an amount, or `no_open_tasks`."""

    model_config = example(rule="field", field="close_date")

    rule: RuleKind
    field: Annotated[Line, Field(description="As in `close_date`, or `custom.` with a field's key.")] = ""
    role: Line = ""
    amount_minor: Annotated[int, Field(ge=0, le=MOST_MINOR)] = 0
    currency: Annotated[str, Field(pattern="^([A-Z]{3})?$")] = ""

    def rule_of(self) -> Rule:
        return Rule(self.rule, self.field, self.role, self.amount_minor, self.currency)


Rules = Annotated[list[RuleIn], Field(max_length=MOST_RULES)]


class StageIn(In):
    model_config = example(
        name="Pilot", probability=50, entry_rules=[{"rule": "field", "field": "close_date"}]
    )

    name: Name
    outcome: Outcome = Outcome.OPEN
    probability: Percent = 0
    limit_hours: Hours = 0
    allowed_actions: list[Action] = Field(default=list(Action), max_length=20)
    entry_rules: Rules = Field(default=[])
    exit_rules: Rules = Field(default=[])

    def stage(self) -> NewStage:
        return NewStage(
            self.name,
            self.outcome,
            self.probability,
            self.limit_hours or None,
            tuple(self.allowed_actions),
            tuple(one.rule_of() for one in self.entry_rules),
            tuple(one.rule_of() for one in self.exit_rules),
        )


class StagePatch(In):
    """New values for some fields; what is left out or null stays as it is."""

    model_config = example(probability=65)

    name: Name | None = None
    probability: Percent | None = None
    limit_hours: Hours | None = None
    allowed_actions: Annotated[list[Action], Field(max_length=20)] | None = None
    entry_rules: Rules | None = None
    exit_rules: Rules | None = None


class PipelineIn(In):
    model_config = example(name="Partners")

    name: Name
    stages: list[StageIn] = Field(default=[], max_length=50, description="The usual stages when left out.")


class PipelinePatch(In):
    model_config = example(version=1, name="Partners")

    version: Version
    name: Name


class OrderIn(In):
    model_config = example(stage_ids=["01931b5e-7c00-7000-8000-000000000001"])

    stage_ids: Annotated[list[UUID], Field(max_length=50, description="Every stage once, in the new order.")]


class RemovalIn(In):
    model_config = example(move_to="01931b5e-7c00-7000-8000-000000000001")

    move_to: UUID | None = Field(default=None, description="Where the records that stand in the stage go.")


class StageOut(Out):
    id: UUID
    pipeline_id: UUID
    name: str = Field(examples=["Proposal"])
    position: int
    outcome: Outcome
    probability: int
    limit_hours: int | None
    allowed_actions: list[str]
    entry_rules: list[dict[str, Any]]
    exit_rules: list[dict[str, Any]]


class PipelineOut(Out):
    id: UUID
    name: str = Field(examples=["Sales"])
    version: int


@router.get("", operation_id="list_pipelines", summary="List the pipelines, the oldest first")
async def list_pipelines(tx: ApiTx) -> PageOut[PipelineOut]:
    """All of them: there is one page."""
    return PageOut[PipelineOut].of(Page(await queries.list_pipelines(tx), None))


@router.post(
    "",
    operation_id="create_pipeline",
    summary="Make a pipeline",
    status_code=201,
    responses=problems(*BODY),
)
async def create_pipeline(tx: ApiTx, new: PipelineIn) -> PipelineOut:
    given = [stage.stage() for stage in new.stages]
    made = await (
        pipelines.create_pipeline(tx, new.name, given) if given else pipelines.create_pipeline(tx, new.name)
    )
    return PipelineOut.model_validate(made)


@router.get(
    "/{pipeline_id}", operation_id="get_pipeline", summary="Read one pipeline", responses=problems(404)
)
async def get_pipeline(tx: ApiTx, pipeline_id: UUID) -> PipelineOut:
    return PipelineOut.model_validate(await queries.get_pipeline(tx, pipeline_id))


@router.patch(
    "/{pipeline_id}",
    operation_id="rename_pipeline",
    summary="Rename a pipeline",
    responses=problems(404, 412, *BODY),
)
async def rename_pipeline(tx: ApiTx, pipeline_id: UUID, patch: PipelinePatch) -> PipelineOut:
    renamed = await pipelines.rename_pipeline(tx, pipeline_id, patch.name, version=patch.version)
    return PipelineOut.model_validate(renamed)


@router.get(
    "/{pipeline_id}/stages",
    operation_id="list_stages",
    summary="List the stages of a pipeline in their order",
    responses=problems(404),
)
async def list_stages(tx: ApiTx, pipeline_id: UUID) -> list[StageOut]:
    await queries.get_pipeline(tx, pipeline_id)
    return [_out(stage) for stage in await queries.list_stages(tx, pipeline_id)]


@router.post(
    "/{pipeline_id}/stages",
    operation_id="add_stage",
    summary="Add a stage to a pipeline",
    status_code=201,
    responses=problems(404, *BODY),
)
async def add_stage(tx: ApiTx, pipeline_id: UUID, new: StageIn) -> StageOut:
    """It comes before the closed stages."""
    return _out(await pipelines.add_stage(tx, pipeline_id, new.stage()))


@router.post(
    "/{pipeline_id}/order",
    operation_id="reorder_stages",
    summary="Put the stages of a pipeline into another order",
    responses=problems(404, *BODY),
)
async def reorder_stages(tx: ApiTx, pipeline_id: UUID, order: OrderIn) -> list[StageOut]:
    return [_out(one) for one in await pipelines.reorder_stages(tx, pipeline_id, order.stage_ids)]


@stages_router.patch(
    "/{stage_id}",
    operation_id="update_stage",
    summary="Change some fields of a stage",
    responses=problems(404, *BODY),
)
async def update_stage(tx: ApiTx, stage_id: UUID, patch: StagePatch) -> StageOut:
    edit = StageEdit(
        patch.name,
        patch.probability,
        patch.limit_hours,
        None if patch.allowed_actions is None else tuple(patch.allowed_actions),
        None if patch.entry_rules is None else tuple(one.rule_of() for one in patch.entry_rules),
        None if patch.exit_rules is None else tuple(one.rule_of() for one in patch.exit_rules),
    )
    return _out(await pipelines.update_stage(tx, stage_id, edit))


@stages_router.post(
    "/{stage_id}/removal",
    operation_id="remove_stage",
    summary="Take a stage out of its pipeline",
    status_code=204,
    responses=problems(404, 409, *BODY),
)
async def remove_stage(tx: ApiTx, stage_id: UUID, removal: RemovalIn) -> None:
    """A stage in which records stand is removed only with another stage for them, whose rules they keep."""
    await pipelines.remove_stage(tx, stage_id, move_to=removal.move_to)


def _out(stage: Stage) -> StageOut:
    return StageOut.model_validate(stage)
