"""One organization's rows as they were at the beginning, to go back to before each call."""

from dataclasses import dataclass
from uuid import UUID

from psycopg import sql

from tests.support.isolation.catalogue import Admin, Catalogue, Table


@dataclass(frozen=True)
class Kept:
    """A copy of an organization's rows, and of its people, in a schema that no login of the product reads."""

    admin: Admin
    tables: tuple[Table, ...]
    organization_id: UUID

    async def go_back(self) -> None:
        """Put every row back as it was; triggers and references look away meanwhile."""
        statements: list[sql.Composable] = [sql.SQL("BEGIN; SET LOCAL session_replication_role = replica")]
        for table in self.tables:
            names = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
            statements.append(
                sql.SQL("DELETE FROM {table} WHERE {whose}").format(
                    table=sql.Identifier(table.name), whose=_whose(table, self.organization_id)
                )
            )
            statements.append(
                sql.SQL(
                    "INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM kept.{table}"
                ).format(table=sql.Identifier(table.name), names=names)
            )
        statements.append(sql.SQL("COMMIT"))
        await self.admin.execute(sql.SQL("; ").join(statements))

    async def end(self) -> None:
        """Go back for the last time."""
        await self.go_back()
        await self.admin.execute("DROP SCHEMA kept CASCADE")


async def keep(admin: Admin, catalogue: Catalogue, organization_id: UUID) -> Kept:
    tables = (*catalogue.tenant_tables, catalogue.tables["users"])
    await admin.execute("CREATE SCHEMA kept")
    for table in tables:
        await admin.execute(
            sql.SQL("CREATE TABLE kept.{table} AS SELECT * FROM public.{table} WHERE {whose}").format(
                table=sql.Identifier(table.name), whose=_whose(table, organization_id)
            )
        )
        # what the owner is about to send was read just now
        if any(column.name == "version" and column.type == "int4" for column in table.columns):
            await admin.execute(sql.SQL("UPDATE kept.{} SET version = 1").format(sql.Identifier(table.name)))
    return Kept(admin, tables, organization_id)


def _whose(table: Table, organization_id: UUID) -> sql.Composed:
    """Users belong to no organization by their columns, but by their membership."""
    own = sql.Literal(str(organization_id))
    if table.name == "users":
        return sql.SQL("id IN (SELECT user_id FROM members WHERE organization_id = {})").format(own)
    return sql.SQL("organization_id = {}").format(own)
