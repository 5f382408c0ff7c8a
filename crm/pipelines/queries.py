"""Reading pipelines and stages."""

from uuid import UUID

from core.db import Tx
from crm.pipelines.models import Pipeline, Stage


async def list_pipelines(tx: Tx) -> list[Pipeline]:
    tx.principal.require("deals:read")
    return await tx.all(Pipeline, "SELECT id, name FROM pipelines ORDER BY name, id")


async def get_stage(tx: Tx, stage_id: UUID) -> Stage:
    """Raises: NotFound."""
    tx.principal.require("deals:read")
    return await tx.one(
        Stage,
        """
        SELECT id, pipeline_id, name, position, outcome
          FROM stages
         WHERE id = %(stage_id)s
        """,
        stage_id=stage_id,
    )


async def find_stage_by_name(tx: Tx, pipeline_id: UUID, name: str) -> Stage | None:
    """The stage of a pipeline with this name in any case, or None."""
    tx.principal.require("deals:read")
    return await tx.find(
        Stage,
        """
        SELECT id, pipeline_id, name, position, outcome
          FROM stages
         WHERE pipeline_id = %(pipeline_id)s
           AND lower(name) = lower(%(name)s)
         ORDER BY position
         LIMIT 1
        """,
        pipeline_id=pipeline_id,
        name=name.strip(),
    )


async def list_stages(tx: Tx, pipeline_id: UUID) -> list[Stage]:
    """The stages of one pipeline, the first one first."""
    tx.principal.require("deals:read")
    return await tx.all(
        Stage,
        """
        SELECT id, pipeline_id, name, position, outcome
          FROM stages
         WHERE pipeline_id = %(pipeline_id)s
         ORDER BY position
        """,
        pipeline_id=pipeline_id,
    )
