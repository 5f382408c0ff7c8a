"""The schema on the real server: forward only, repeatable, and every tenant's rows apart."""

import psycopg
import pytest
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

from core.db import Database
from core.ids import uuid7
from core.principal import Principal, system
from infra.embedded import Urls
from infra.migrate import head, migrate, prepare

NOT_A_TENANTS = {"alembic_version", "checkpoint_migrations"}


def test_migrating_again_changes_nothing(migrated: Urls) -> None:
    migrate(migrated.database_url_migrator)

    with psycopg.connect(migrated.database_url) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(head(),)]


def test_every_tenant_table_forces_row_level_security(migrated: Urls) -> None:
    with psycopg.connect(migrated.database_url) as connection:
        tables = connection.execute(
            """
            SELECT relname, relrowsecurity AND relforcerowsecurity
              FROM pg_class
             WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
            """
        ).fetchall()

    assert {name for name, is_forced in tables if not is_forced} == NOT_A_TENANTS


def test_no_temporary_table_comes_before_those_that_a_definer_function_reads(migrated: Urls) -> None:
    with psycopg.connect(migrated.database_url) as connection:
        paths = connection.execute(
            """
            SELECT proname, array_to_string(proconfig, ';')
              FROM pg_proc
             WHERE prosecdef AND pronamespace = 'public'::regnamespace
            """
        ).fetchall()

    assert {name for name, path in paths if not str(path).endswith(", pg_temp")} == set()
    assert len(paths) >= 8


def test_no_login_is_beyond_row_level_security(migrated: Urls) -> None:
    with psycopg.connect(migrated.database_url) as connection:
        roles = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'getsale%' AND (rolsuper OR rolbypassrls)"
        ).fetchall()

    assert roles == []


@pytest.mark.parametrize("login", ["database_url", "database_url_worker", "database_url_migrator"])
async def test_without_a_tenant_no_row_is_visible(
    organization: Principal, migrated: Urls, login: str
) -> None:
    with psycopg.connect(getattr(migrated, login)) as connection:
        assert connection.execute("SELECT count(*) FROM organizations").fetchone() == (0,)


async def test_a_tenant_sees_its_own_rows_only(
    database: Database, organization: Principal, other_organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        visible = await tx.value("SELECT array_agg(organization_id) FROM organizations")

    assert visible == [organization.organization_id]


async def test_writing_into_another_tenant_is_refused(
    database: Database, organization: Principal, other_organization: Principal
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.transaction(organization, "test") as tx:
            await tx.execute(
                "INSERT INTO companies (organization_id, id, name) VALUES (%(other)s, %(id)s, 'Stolen')",
                other=other_organization.organization_id,
                id=uuid7(),
            )


async def test_a_row_cannot_point_into_another_tenant(
    database: Database, organization: Principal, other_organization: Principal
) -> None:
    company_id = uuid7()
    async with database.transaction(other_organization, "test") as tx:
        await tx.execute(
            "INSERT INTO companies (organization_id, id, name) VALUES (%(organization_id)s, %(id)s, 'Theirs')",
            organization_id=tx.organization_id,
            id=company_id,
        )

    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        async with database.transaction(organization, "test") as tx:
            await tx.execute(
                """
                INSERT INTO contacts (organization_id, id, name, company_id)
                VALUES (%(organization_id)s, gen_random_uuid(), 'Ours', %(company_id)s)
                """,
                organization_id=tx.organization_id,
                company_id=company_id,
            )


@pytest.mark.parametrize(
    "statement", ["UPDATE events SET type = 'x'", "DELETE FROM events", "TRUNCATE events"]
)
@pytest.mark.parametrize("login", ["database_url", "database_url_worker"])
def test_events_cannot_be_changed(migrated: Urls, login: str, statement: str) -> None:
    with (
        psycopg.connect(getattr(migrated, login)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


def test_password_hashes_are_not_readable(migrated: Urls) -> None:
    with (
        psycopg.connect(migrated.database_url) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SELECT password_hash FROM users")


async def test_the_checkpointer_finds_its_tables_as_it_wants_them(
    worker_database: Database, organization: Principal
) -> None:
    async with worker_database.session(organization) as connection:
        newest = len(AsyncPostgresSaver.MIGRATIONS) - 1
        cursor = await connection.execute("SELECT max(v) AS v FROM checkpoint_migrations")

        assert await cursor.fetchone() == {"v": newest}


async def test_checkpoints_belong_to_their_tenant(
    worker_database: Database, organization: Principal, other_organization: Principal
) -> None:
    thread_id = str(uuid7())
    async with worker_database.session(organization) as connection:
        saver = AsyncPostgresSaver(connection)
        await saver.aput(
            {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}},
            {"v": 4, "id": str(uuid7()), "ts": "2026-01-01T00:00:00Z", "channel_values": {"a": ["b"]},
             "channel_versions": {"a": "1"}, "versions_seen": {}, "updated_channels": None},
            {}, {"a": "1"},
        )  # fmt: skip
        mine = await saver.aget_tuple({"configurable": {"thread_id": thread_id}})
    async with worker_database.session(system(other_organization.organization_id)) as connection:
        theirs = await AsyncPostgresSaver(connection).aget_tuple({"configurable": {"thread_id": thread_id}})

    assert mine is not None
    assert theirs is None


def test_an_administrator_makes_roles_database_and_passwords_once(migrated: Urls) -> None:
    admin = migrated.database_url.replace("getsale_app@/getsale", "postgres@/postgres")
    mine = migrated.database_url.replace("@/getsale", ":secret@/prepared")
    urls = [
        mine,
        mine.replace("getsale_app", "getsale_worker"),
        mine.replace("getsale_app", "getsale_migrator"),
    ]

    for _ in range(2):
        prepare(admin, urls)
        migrate(urls[2])

    with psycopg.connect(admin) as connection:
        secured = connection.execute(
            "SELECT rolname FROM pg_authid WHERE rolpassword IS NOT NULL ORDER BY 1"
        ).fetchall()
    assert secured == [("getsale_app",), ("getsale_migrator",), ("getsale_worker",)]
