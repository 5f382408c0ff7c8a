"""Our checkpointer beside LangGraph's own conformance suite, as a run uses it: one tenant, one connection."""

from collections.abc import AsyncGenerator

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.report import CapabilityReport
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

from agents import checkpoints
from core.db import Database
from core.principal import Principal


class Forgetful(AsyncPostgresSaver):
    """A checkpointer that loses what tasks wrote."""

    async def aput_writes(self, *_: object) -> None:
        """Nothing is kept."""


async def _report(db: Database, principal: Principal, kind: type[AsyncPostgresSaver]) -> CapabilityReport:
    @checkpointer_test(name=kind.__name__)
    async def ours() -> AsyncGenerator[BaseCheckpointSaver[str], None]:
        async with db.session(principal) as connection:
            saver = checkpoints.saver(connection, checkpoints.serializer(()))
            saver.__class__ = kind
            yield saver

    return await validate(ours)


async def test_the_checkpointer_does_all_that_langgraph_asks_of_one(
    database: Database, organization: Principal
) -> None:
    report = await _report(database, organization, AsyncPostgresSaver)

    assert {name: result.failures for name, result in report.results.items() if result.failures} == {}
    assert report.passed_all_base()
    assert sum(result.tests_passed for result in report.results.values()) >= 40


async def test_the_suite_finds_a_checkpointer_that_forgets(
    database: Database, organization: Principal
) -> None:
    report = await _report(database, organization, Forgetful)

    assert not report.results["put_writes"].passed
