"""Checkpoints belong to one tenant, whatever thread id somebody asks for."""

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import empty_checkpoint

from agents import checkpoints
from core.db import Database
from core.ids import uuid7
from core.principal import Principal
from events.ids import RunId

SERDE = checkpoints.serializer(())


async def _put(db: Database, principal: Principal, thread_id: str) -> RunnableConfig:
    config: RunnableConfig = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}
    async with db.session(principal) as connection:
        return await checkpoints.saver(connection, SERDE).aput(config, empty_checkpoint(), {}, {})


async def test_another_organization_does_not_see_a_thread(
    database: Database, organization: Principal, other_organization: Principal
) -> None:
    config = await _put(database, organization, str(uuid7()))

    async with database.session(organization) as connection:
        assert await checkpoints.saver(connection, SERDE).aget_tuple(config) is not None
    async with database.session(other_organization) as connection:
        assert await checkpoints.saver(connection, SERDE).aget_tuple(config) is None


async def test_a_connection_without_a_tenant_sees_nothing(
    database: Database, organization: Principal
) -> None:
    await _put(database, organization, str(uuid7()))

    async with database.across_tenants("test") as connection:
        cursor = await connection.execute("SELECT count(*) AS seen FROM checkpoints")
        row = await cursor.fetchone()
    assert row is not None
    assert row["seen"] == 0


async def test_pruning_keeps_the_newest_checkpoint_of_that_thread_only(
    database: Database, organization: Principal
) -> None:
    run_id, other = RunId(uuid7()), str(uuid7())
    await _put(database, organization, other)
    for _ in range(3):
        newest = await _put(database, organization, str(run_id))

    async with database.session(organization) as connection:
        saver = checkpoints.saver(connection, SERDE)
        await checkpoints.prune(saver, run_id)
        left = [found.config async for found in saver.alist({"configurable": {"thread_id": str(run_id)}})]
        kept = [found async for found in saver.alist({"configurable": {"thread_id": other}})]

    assert left == [newest]
    assert len(kept) == 1
