"""LangGraph's checkpoints in Postgres: one saver per run, on one connection that is bound to one tenant."""

from collections.abc import Iterable
from typing import Any

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from psycopg import AsyncConnection

from events.ids import RunId

# Whatever the thread wrote except its newest checkpoint and the blobs that this one names.
_PRUNE = """
WITH newest AS (
    SELECT checkpoint_id, checkpoint
      FROM checkpoints
     WHERE thread_id = %(thread_id)s
       AND checkpoint_ns = ''
     ORDER BY checkpoint_id DESC
     LIMIT 1
), older AS (
    DELETE FROM checkpoints
     WHERE thread_id = %(thread_id)s
       AND checkpoint_id <> (SELECT checkpoint_id FROM newest)
), writes AS (
    DELETE FROM checkpoint_writes
     WHERE thread_id = %(thread_id)s
)
DELETE FROM checkpoint_blobs AS b
 WHERE b.thread_id = %(thread_id)s
   AND b.version IS DISTINCT FROM (SELECT checkpoint -> 'channel_versions' ->> b.channel FROM newest)
"""


def serializer(types: Iterable[type]) -> JsonPlusSerializer:
    """Strict msgpack: the named types come back as themselves, nothing else is ever built from a row."""
    return JsonPlusSerializer(allowed_msgpack_modules=[(kind.__module__, kind.__name__) for kind in types])


def saver(connection: AsyncConnection[dict[str, Any]], serde: JsonPlusSerializer) -> AsyncPostgresSaver:
    """The checkpointer of one run, on a connection of `Database.session`: it sees that tenant only."""
    return AsyncPostgresSaver(connection, serde=serde)


async def prune(checkpoints: AsyncPostgresSaver, run_id: RunId) -> None:
    """Keep the newest checkpoint of a run that has ended."""
    async with checkpoints.lock, checkpoints.conn.cursor() as cursor:  # type: ignore[union-attr]
        await cursor.execute(_PRUNE, {"thread_id": str(run_id)})
