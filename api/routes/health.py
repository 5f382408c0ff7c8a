"""/healthz, /readyz and /metrics of the web process."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from redis.exceptions import RedisError

from api.deps import CurrentServices
from core.errors import Unavailable
from core.presence import is_alive

router = APIRouter(tags=["health"])


class Status(BaseModel):
    status: str


@router.get("/healthz", operation_id="get_liveness")
async def healthz() -> Status:
    """The process lives."""
    return Status(status="ok")


@router.get("/readyz", operation_id="get_readiness")
async def readyz(services: CurrentServices) -> Status:
    """Postgres is migrated and answers, Redis answers, and a worker is there; else 503 naming the part."""
    await services.db.require_migrated()
    try:
        has_worker = await is_alive(services.redis, "worker")
    except RedisError as err:
        raise Unavailable("Redis does not answer.", part="redis") from err
    if not has_worker:
        raise Unavailable("No worker is running; start one with `getsale worker`.", part="worker")
    return Status(status="ready")


@router.get("/metrics", operation_id="get_metrics", include_in_schema=False)
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
