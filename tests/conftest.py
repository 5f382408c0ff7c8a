"""Fixtures over real servers. Each xdist worker has its own; each test takes a fresh organization."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from redis.asyncio import Redis

from core.db import Database
from core.principal import Principal
from core.settings import Settings
from infra.embedded import Servers, Urls
from infra.servers.neo4j import Neo4jConfig
from tests.support.figures import figure_lines
from tests.support.isolation.summary import closing_line
from tests.support.organizations import make_organization
from tests.support.outside import Outside, running_outside
from tests.support.planted import planted_line
from tests.support.servers import migrated_servers, shared_neo4j
from tests.support.stage import Stage, running_stage


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all xdist workers of this session share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


_shared: list[Urls] = []


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Embedded PostgreSQL (migrated) and Redis of this worker."""
    with migrated_servers(tmp_path_factory.mktemp("servers")) as running:
        _shared.append(running.urls)
        yield running


@pytest.fixture(scope="module", autouse=True)
def nothing_left_to_do() -> None:
    """What the tests of other files left for a worker is gone: whoever claims everything waits for none of it."""
    for urls in _shared:
        with psycopg.connect(urls.database_url.replace("getsale_app", "postgres")) as superuser:
            superuser.execute("DELETE FROM event_deliveries WHERE status = 'open'")
            superuser.execute("DELETE FROM due_work")


@pytest.fixture(scope="session")
def migrated(servers: Servers) -> Urls:
    """The URLs of a migrated database and of Redis."""
    return servers.urls


@pytest.fixture(scope="session")
def redis_url(migrated: Urls) -> str:
    return migrated.redis_url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """An empty Redis."""
    client = Redis.from_url(redis_url)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture(scope="session")
async def database(migrated: Urls) -> AsyncIterator[Database]:
    """The database as the login getsale_app."""
    opened = await Database(migrated.database_url, size=8).open()
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
async def worker_database(migrated: Urls) -> AsyncIterator[Database]:
    """The database as the login getsale_worker, which may claim work across tenants."""
    opened = await Database(migrated.database_url_worker, size=8).open()
    yield opened
    await opened.close()


@pytest.fixture
async def organization(database: Database) -> Principal:
    """The owner of a fresh organization; `organization.organization_id` is its id."""
    return await make_organization(database)


@pytest.fixture
async def other_organization(database: Database) -> Principal:
    """The owner of a second, unrelated organization."""
    return await make_organization(database, name="Other")


@pytest.fixture(scope="session")
def neo4j(session_folder: Path) -> Iterator[Neo4jConfig]:
    """The session's Neo4j: `uri`, `user`, `password`. Keep apart by organization."""
    with shared_neo4j(session_folder / "shared-neo4j") as config:
        yield config


@pytest.fixture
def settings(migrated: Urls, tmp_path: Path) -> Settings:
    """Settings over this worker's servers, with a data folder of the test's own."""
    return Settings(
        database_url=migrated.database_url,
        database_url_worker=migrated.database_url_worker,
        database_url_migrator=migrated.database_url_migrator,
        redis_url=migrated.redis_url,
        data=tmp_path,
        secret_key="a key for tests only, 32 bytes long",
    )


@pytest.fixture(scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The session's processes with an organization in them, for flows and browsers."""
    async with running_stage(tmp_path_factory.mktemp("fleet"), SHOW_MAILS="true") as running:
        yield running


@pytest.fixture(scope="session")
async def outside(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outside]:
    """Mail servers around the stage; a test that wants them is one of the stage's."""
    async with running_outside(stage, tmp_path_factory.mktemp("mail")) as running:
        yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever shares a fleet, or the isolation theatre, runs on one xdist worker, one test after the other."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "stage" in fixtures:
            item.add_marker(pytest.mark.xdist_group("fleet"))
        if "modelled" in fixtures:
            item.add_marker(pytest.mark.xdist_group("models"))
        if "theatre" in fixtures:
            item.add_marker(pytest.mark.xdist_group("isolation"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures of the isolation harness, of planted regressions and of other tests, whichever worker measured them."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, ())]
    for line in (closing_line(reports), planted_line(reports), *figure_lines(reports)):
        if line is not None:
            terminalreporter.write_line(line)
