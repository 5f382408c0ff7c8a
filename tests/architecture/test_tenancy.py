"""Every table belongs to a tenant under forced policies, or is on a short written list with its reason."""

import pytest

from core.db import Database
from core.errors import Unavailable
from core.principal import Principal, system
from infra.embedded import Urls

# table -> why it has no tenant
WITHOUT_A_TENANT = {
    "users": "a person may belong to several organizations; readable columns are granted one by one",
    "second_factors": "a person's, like the password; seen by the organizations that they are a member of, sealed",
    "identities": "a person's, like the password; one of an organization's own issuer is seen by that organization only",
    "recovery_codes": "a person's, like the password; seen by the organizations that they are a member of, hashed",
    "alembic_version": "the schema's own version",
    "checkpoint_migrations": "the checkpointer's schema version",
}

TABLES = """
    SELECT c.relname AS name, c.relrowsecurity AS is_enabled, c.relforcerowsecurity AS is_forced,
           EXISTS (SELECT FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attname = 'organization_id' AND a.attnotnull) AS has_tenant,
           ARRAY(SELECT DISTINCT r.rolname::text FROM pg_policy p
                   JOIN pg_roles r ON r.oid = ANY(p.polroles)
                  WHERE p.polrelid = c.oid) AS roles
      FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace
       AND c.relkind IN ('r', 'p', 'm')
"""


async def test_every_table_is_a_tenants_or_on_the_list(database: Database) -> None:
    async with database.across_tenants("test") as connection:
        tables = await (await connection.execute(TABLES)).fetchall()

    open_tables = [
        table["name"] for table in tables if table["name"] not in WITHOUT_A_TENANT and not _is_secured(table)
    ]

    assert len(tables) > 30
    assert open_tables == []


def _is_secured(table: dict[str, object]) -> bool:
    roles = table["roles"]
    assert isinstance(roles, list)
    named = {"getsale_app", "getsale_worker", "getsale_migrator", "getsale_support"} <= set(roles)
    return bool(table["is_enabled"] and table["is_forced"] and table["has_tenant"] and named)


async def test_no_login_is_above_the_policies(database: Database) -> None:
    async with database.across_tenants("test") as connection:
        cursor = await connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'getsale%%' AND (rolsuper OR rolbypassrls)"
        )
        assert await cursor.fetchall() == []


async def test_events_cannot_be_changed_or_removed(database: Database) -> None:
    async with database.across_tenants("test") as connection:
        cursor = await connection.execute(
            """
            SELECT has_table_privilege(role, 'events', right_name) AS may
              FROM unnest(ARRAY['getsale_app', 'getsale_worker']) AS roles (role),
                   unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS rights (right_name)
            """
        )
        assert not any(row["may"] for row in await cursor.fetchall())


async def test_another_tenants_rows_are_not_there(
    database: Database, organization: Principal, other_organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        mine = await tx.value("SELECT count(*) FROM organizations")
        theirs = await tx.value(
            "SELECT count(*) FROM members WHERE organization_id = %(id)s",
            id=other_organization.organization_id,
        )

    assert (mine, theirs) == (1, 0)


async def test_without_a_tenant_nothing_is_visible(database: Database, organization: Principal) -> None:
    async with database.across_tenants("test") as connection:
        cursor = await connection.execute("SELECT count(*) AS rows FROM members")
        row = await cursor.fetchone()

    assert row == {"rows": 0}


async def test_a_superuser_login_is_refused(migrated: Urls) -> None:
    superuser = migrated.database_url.replace("getsale_app", "postgres")
    assert superuser != migrated.database_url

    with pytest.raises(Unavailable, match="superuser"):
        await Database(superuser, size=1).open()


async def test_the_tenant_does_not_stay_on_a_pooled_connection(
    migrated: Urls, organization: Principal
) -> None:
    db = await Database(migrated.database_url, size=1).open()
    async with db.transaction(system(organization.organization_id), "test") as tx:
        assert await tx.value("SELECT count(*) FROM members") == 1

    async with db.across_tenants("test") as connection:
        row = await (await connection.execute("SELECT count(*) AS rows FROM members")).fetchone()
    await db.close()

    assert row == {"rows": 0}
