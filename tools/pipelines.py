"""A tool over pipelines: which stages there are, and what each asks for."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import JsonValue

from core.db import Tx
from crm.pipelines import queries
from crm.pipelines.models import Stage
from crm.pipelines.queries import find_stage_by_name, list_stages
from tools.base import Arguments, Risk, Source, ToolContext, ToolRetry, tool


@dataclass(frozen=True)
class StageView:
    """`entry_rules` must hold to come in, `exit_rules` to go on; `allowed` is what may be done there."""

    name: str
    outcome: str
    probability: int
    allowed: list[str]
    entry_rules: list[dict[str, JsonValue]]
    exit_rules: list[dict[str, JsonValue]]


@dataclass(frozen=True)
class PipelineView:
    id: UUID
    name: str
    stages: list[StageView]
    source: Source


@dataclass(frozen=True)
class PipelineList:
    pipelines: list[PipelineView]


class ListPipelines(Arguments):
    pass


@tool(scope="deals:read", risk=Risk.READ)
async def list_pipelines(ctx: ToolContext, args: ListPipelines) -> PipelineList:
    """The pipelines with their stages in order, the rules of each and what may be done there."""
    return PipelineList(
        [
            PipelineView(
                one.id,
                one.name,
                [_view(stage) for stage in await list_stages(ctx.tx, one.id)],
                Source("pipeline", one.id),
            )
            for one in await queries.list_pipelines(ctx.tx)
        ]
    )


def _view(stage: Stage) -> StageView:
    return StageView(
        stage.name,
        stage.outcome.value,
        stage.probability,
        list(stage.allowed_actions),
        stage.entry_rules,
        stage.exit_rules,
    )


async def stage_named(tx: Tx, pipeline_id: UUID, name: str) -> Stage:
    """Raises: ToolRetry with the names of the stages that there are."""
    stage = await find_stage_by_name(tx, pipeline_id, name)
    if stage is None:
        names = ", ".join(known.name for known in await list_stages(tx, pipeline_id))
        raise ToolRetry(f"There is no stage {name!r}; the stages are {names}.")
    return stage
