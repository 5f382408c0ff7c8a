"""Making pipelines."""

from collections.abc import Sequence

from core.db import Tx
from core.errors import Unprocessable
from core.ids import uuid7
from crm.pipelines.models import DEFAULT_STAGES, Outcome, Pipeline


async def create_pipeline(
    tx: Tx, name: str, stages: Sequence[tuple[str, Outcome]] = DEFAULT_STAGES
) -> Pipeline:
    """Make a pipeline with its stages in the given order.

    Raises: Unprocessable when it has no stage that a deal could start in.
    """
    tx.principal.require("pipelines:write")
    if not any(outcome is Outcome.OPEN for _, outcome in stages):
        raise Unprocessable("A pipeline needs at least one open stage for deals to start in.", field="stages")
    pipeline = await tx.one(
        Pipeline,
        """
        INSERT INTO pipelines (organization_id, id, name)
        VALUES (%(organization_id)s, %(id)s, %(name)s)
        RETURNING id, name
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        name=name,
    )
    await tx.execute_many(
        """
        INSERT INTO stages (organization_id, id, pipeline_id, name, position, outcome)
        VALUES (%(organization_id)s, %(id)s, %(pipeline_id)s, %(name)s, %(position)s, %(outcome)s)
        """,
        [
            {
                "organization_id": tx.organization_id,
                "id": uuid7(),
                "pipeline_id": pipeline.id,
                "name": stage,
                "position": position,
                "outcome": outcome.value,
            }
            for position, (stage, outcome) in enumerate(stages)
        ],
    )
    return pipeline
