"""The promise: who sees only what is assigned to them never meets what is somebody else's, by no door."""

from collections.abc import AsyncIterator

import pytest
from psycopg import sql

from crm.identity import models
from tests.support.figures import FIGURE, Record
from tests.support.isolation.probes import run
from tests.support.isolation.sight import (
    FOR_EVERYBODY,
    LIMITED,
    Doors,
    Sight,
    limited_tables,
    open_doors,
    open_sight,
    sql_probes,
)

# one worker builds the theatre once
pytestmark = pytest.mark.xdist_group("isolation")


@pytest.fixture(scope="session")
async def sight(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sight]:
    async with open_sight(tmp_path_factory.mktemp("sight")) as opened:
        yield opened


@pytest.fixture(scope="session")
async def doors(sight: Sight) -> AsyncIterator[Doors]:
    async with open_doors(sight) as opened:
        yield opened


async def test_every_table_is_limited_or_for_everybody_with_a_reason(sight: Sight) -> None:
    tables = {table.name for table in sight.catalogue.tenant_tables}

    assert not LIMITED & FOR_EVERYBODY.keys()
    assert tables == LIMITED | FOR_EVERYBODY.keys(), "list it in tests/support/isolation/sight.py"
    assert await limited_tables(sight.admin) == LIMITED


async def test_the_second_member_has_rows_in_every_limited_table(sight: Sight) -> None:
    rows = await sight.victims_rows()

    assert [table for table, text in rows.items() if not text] == []


async def test_the_first_member_sees_rows_of_their_own(sight: Sight) -> None:
    for table in (
        "contacts",
        "companies",
        "leads",
        "deals",
        "conversations",
        "messages",
        "drafts",
        "facts",
        "runs",
    ):
        assert sight.attacker.ids.get(table), table


async def test_no_probe_meets_the_second_members_rows(doors: Doors, record_property: Record) -> None:
    outcome = await run(doors.sight, doors.probes(depth=1))
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in outcome.counts.items())
    record_property(
        FIGURE,
        f"sight: {outcome.total:,} probes by one member ({kinds}), {len(outcome.findings)} met another's rows",
    )

    assert not outcome.findings, "\n".join(outcome.told)
    assert outcome.total >= 1000


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("http", "GET /contacts"),
        ("http", "GET /contacts/{record_id}"),
        ("http", "GET /api/v1/conversations"),
        ("http", "GET /search"),
        ("stream", "GET /live/changes"),
        ("mcp", "get_contact"),
    ],
)
async def test_a_member_who_is_taken_for_a_supervisor_is_found(
    doors: Doors, monkeypatch: pytest.MonkeyPatch, kind: str, subject: str
) -> None:
    """The probes are no blanks: by each door they meet the rows once nothing keeps them away."""
    monkeypatch.setattr(models, "ASSIGNED_ONLY", frozenset())

    probes = [one for one in doors.probes(depth=1) if (one.kind, one.subject) == (kind, subject)]

    assert (await run(doors.sight, probes)).findings


@pytest.mark.parametrize("table", sorted(LIMITED))
async def test_a_table_without_its_policy_is_found(sight: Sight, table: str) -> None:
    policy = sql.Identifier(f"{table}_sight")
    definition = await _definition(sight, table)
    await sight.admin.execute(sql.SQL("DROP POLICY {} ON {}").format(policy, sql.Identifier(table)))
    try:
        planted = await run(sight, [probe for probe in sql_probes(sight) if probe.subject == table])
    finally:
        await sight.admin.execute(definition)

    assert planted.findings, table


async def _definition(sight: Sight, table: str) -> sql.Composed:
    """The statement that makes the policy of a table again."""
    found = await (
        await sight.admin.execute(
            """
            SELECT p.polcmd::text AS command, pg_get_expr(p.polqual, p.polrelid) AS condition
              FROM pg_policy p
             WHERE p.polname = %(name)s
            """,
            {"name": f"{table}_sight"},
        )
    ).fetchone()
    assert found is not None
    return sql.SQL(
        "CREATE POLICY {name} ON {table} AS RESTRICTIVE FOR {command} TO getsale_app, getsale_worker USING ({condition})"
    ).format(
        name=sql.Identifier(f"{table}_sight"),
        table=sql.Identifier(table),
        command=sql.SQL("ALL" if found["command"] == "*" else "SELECT"),
        condition=sql.SQL(found["condition"]),
    )
