"""The CRM with a million contacts in two hundred organizations, beside raw SQL over the same rows."""

import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import quote

import httpx2
import psycopg
from pydantic import JsonValue
from redis.asyncio import Redis

from core.db import Database, Tx
from core.filters import Filter, ValueKind, parse_filter
from core.ids import uuid7
from core.presence import beat
from core.principal import Principal, PrincipalKind
from core.sql import ListQuery, Sort, count_rows
from crm.api_keys.actions import create_api_key
from crm.contacts.fields import contact_listing
from crm.contacts.queries import list_contacts
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import NewCustomField
from crm.identity.actions import create_organization, create_user
from crm.identity.models import Role, member_principal
from crm.search.queries import search
from events.ids import OrganizationId, RecordKind, UserId
from infra import embedded
from infra.bench import Report, _crm_imports, percentile
from infra.bench import _crm_data as data
from infra.bench._crm_data import Size, Tenant
from infra.embedded import Urls
from infra.fleet import running_fleet
from infra.migrate import migrate
from infra.servers.processes import free_port

ROUNDS = 100
OF_A_REP = 500
PAGE = 50
_PROBE = Size(4500, 900, 1350)


@dataclass(frozen=True)
class Owner:
    """Somebody of an organization of the bench, and a key of theirs."""

    principal: Principal
    key: str


def run(scale: float = 1.0) -> Report:
    """Measure; at full scale generating takes many minutes. Needs nothing running."""
    with (
        tempfile.TemporaryDirectory(prefix="getsale-bench-") as folder,
        embedded.start(Path(folder)) as servers,
    ):
        migrate(servers.urls.database_url_migrator)
        return asyncio.run(_measure(Path(folder), servers.urls, scale))


async def _measure(folder: Path, urls: Urls, scale: float) -> Report:
    report = Report("crm")
    db = await Database(urls.database_url, size=4).open()
    superuser = urls.database_url.replace("getsale_app", "postgres")
    with psycopg.connect(superuser, autocommit=True) as admin:
        probe = await _organization(db, "probe")
        alone = data.fill(admin, probe.principal.organization_id, _PROBE, seed=1)
        admin.execute("VACUUM (ANALYZE)")
        before = await _questions(db, probe, alone)
        largest, tenant = await _fill(db, admin, scale, report)
        for name, took in (await _questions(db, probe, alone)).items():
            ratio = percentile(took, 0.5) / percentile(before[name], 0.5)
            report.add(f"{name}_growth_ratio", ratio, "x", len(took), aim=1.5)
        await _lists(db, admin, largest, tenant, report)
        await _searches(db, admin, largest, tenant, report)
        await _of_a_rep(db, admin, largest, tenant, report)
    async with await psycopg.AsyncConnection.connect(superuser, autocommit=True) as unbound:
        await _policies(db, unbound, largest, tenant, report)
    await _pages(folder, urls, largest, tenant, report)
    await _crm_imports.measure(db, folder, urls, await _organization(db, "imports"), scale, report)
    await db.close()
    return report


async def _organization(db: Database, slug: str) -> Owner:
    principal = Principal(PrincipalKind.SYSTEM, uuid7(), uuid7(), scopes=frozenset({"*"}))
    async with db.transaction(principal, "bench") as tx:
        await create_organization(tx, slug=slug, name=slug, locale="en", time_zone="UTC")
        user_id = await create_user(
            tx,
            email=f"{slug}@bench.example",
            name="Anna",
            password="a password for a bench",
            role=Role.OWNER,
            locale="en",
        )
        key = await create_api_key(tx, UserId(user_id))
        await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "Score", ValueKind.NUMBER))
    return Owner(principal, key.secret)


async def _fill(
    db: Database, admin: psycopg.Connection, scale: float, report: Report
) -> tuple[Owner, Tenant]:
    """Every organization of the bench, the largest one first; returns that one."""
    began, wanted = time.perf_counter(), data.sizes(scale)
    largest, first = await _organization(db, "largest"), None
    for number, size in enumerate(wanted):
        owner = largest if number == 0 else await _organization(db, f"other-{number}")
        filled = data.fill(admin, owner.principal.organization_id, size, seed=100 + number)
        first = first or filled
        print(f"organization {number + 1} of {len(wanted)} is filled", file=sys.stderr)
    assert first is not None
    admin.execute("VACUUM (ANALYZE)")
    report.add("contacts", sum(size.contacts for size in wanted), "rows", len(wanted))
    report.add("contacts_of_the_largest", wanted[0].contacts, "rows", 1)
    report.add("generated_in", time.perf_counter() - began, "s", 1)
    return largest, first


Step = Callable[[Tx], Awaitable[object]]


async def _timed(db: Database, owner: Owner, steps: Sequence[Step]) -> list[float]:
    """Milliseconds of each step in a transaction of its own, beginning and end included."""
    took = []
    for step in steps:
        began = time.perf_counter()
        async with db.transaction(owner.principal, "bench") as tx:
            await step(tx)
        took.append((time.perf_counter() - began) * 1000)
    return took


async def _kept(tx: Tx) -> Filter:
    """A filter over columns of the contact, of the company and of a custom field."""
    tree: JsonValue = {
        "all": [
            {"field": "title", "op": "contains", "value": "manager"},
            {"field": "company_city", "op": "any_of", "value": ["Oslo", "Томск"]},
            {"field": "custom.score", "op": "gt", "value": 20},
        ]
    }
    listing = await contact_listing(tx)
    return parse_filter(tree, listing.kinds)


async def _list(tx: Tx) -> object:
    query = ListQuery(filter=await _kept(tx), sort=(Sort("updated_at", is_descending=True),), limit=PAGE)
    return await list_contacts(tx, query)


async def _count(tx: Tx) -> object:
    return await count_rows(tx, await contact_listing(tx), await _kept(tx))


def _search(text: str) -> Step:
    async def ask(tx: Tx) -> object:
        return await search(tx, text, limit=20)

    return ask


async def _questions(db: Database, owner: Owner, tenant: Tenant) -> dict[str, list[float]]:
    """The same questions in the same organization, whoever else is there."""
    asked = list(data.queries(tenant, ROUNDS, seed=3))
    steps: dict[str, list[Step]] = {
        "list": [_list] * ROUNDS,
        "segment_count": [_count] * ROUNDS,
        "search": [_search(text) for text in asked],
    }
    for some in steps.values():
        await _timed(db, owner, some[:10])  # whatever is loaded late is loaded now
    return {name: await _timed(db, owner, some) for name, some in steps.items()}


RAW_LIST: LiteralString = """
    SELECT c.id, c.name, c.title, c.company_id, c.custom, c.updated_at, o.name AS company
      FROM contacts c
      LEFT JOIN companies o ON o.organization_id = c.organization_id AND o.id = c.company_id
     WHERE c.organization_id = %(organization_id)s
       AND c.deleted_at IS NULL
       AND strpos(lower(c.title), 'manager') > 0
       AND lower(o.city) IN ('oslo', 'томск')
       AND (c.custom->>'score')::numeric > 20
     ORDER BY c.updated_at DESC, c.id DESC
     LIMIT 51
"""
RAW_COUNT: LiteralString = """
    SELECT count(*)
      FROM contacts c
      LEFT JOIN companies o ON o.organization_id = c.organization_id AND o.id = c.company_id
     WHERE c.organization_id = %(organization_id)s
       AND c.deleted_at IS NULL
       AND strpos(lower(c.title), 'manager') > 0
       AND lower(o.city) IN ('oslo', 'томск')
       AND (c.custom->>'score')::numeric > 20
"""
RAW_READ: LiteralString = """
    SELECT id, name, title, company_id, language, note, version
      FROM contacts
     WHERE organization_id = %(organization_id)s
       AND id = %(id)s
"""
RAW_SEARCH: LiteralString = """
    SELECT id, name
      FROM contacts
     WHERE organization_id = %(organization_id)s
       AND deleted_at IS NULL
       AND name ILIKE '%%' || %(text)s || '%%'
     LIMIT 20
"""


def _raw(admin: psycopg.Connection, query: LiteralString, params: Sequence[dict[str, object]]) -> list[float]:
    """Milliseconds of a statement as somebody whom no policy binds."""
    took = []
    for values in params:
        began = time.perf_counter()
        admin.execute(query, values).fetchall()
        took.append((time.perf_counter() - began) * 1000)
    return took


async def _lists(
    db: Database, admin: psycopg.Connection, owner: Owner, tenant: Tenant, report: Report
) -> None:
    """A list and a segment in the largest organization."""
    of: list[dict[str, object]] = [{"organization_id": tenant.id}] * ROUNDS
    for name, step, raw, aim in (
        ("list", _list, RAW_LIST, 50.0),
        ("segment_count", _count, RAW_COUNT, None),
    ):
        ours, theirs = await _timed(db, owner, [step] * ROUNDS), _raw(admin, raw, of)
        report.add(f"{name}_p50", percentile(ours, 0.5), "ms", ROUNDS)
        report.add(f"{name}_p95", percentile(ours, 0.95), "ms", ROUNDS, aim=aim)
        report.add(f"{name}_raw_sql_p50", percentile(theirs, 0.5), "ms", ROUNDS)


async def _searches(
    db: Database, admin: psycopg.Connection, owner: Owner, tenant: Tenant, report: Report
) -> None:
    """Everything that people type, in the largest organization."""
    asked = list(data.queries(tenant, 2 * ROUNDS, seed=5))
    ours = await _timed(db, owner, [_search(text) for text in asked])
    theirs = _raw(admin, RAW_SEARCH, [{"organization_id": tenant.id, "text": text} for text in asked])
    report.add("search_p50", percentile(ours, 0.5), "ms", len(asked))
    report.add("search_p95", percentile(ours, 0.95), "ms", len(asked), aim=100)
    report.add("search_raw_ilike_of_names_p50", percentile(theirs, 0.5), "ms", len(asked))


async def _of_a_rep(
    db: Database, admin: psycopg.Connection, owner: Owner, tenant: Tenant, report: Report
) -> None:
    """The same for a member who sees only the contacts that are assigned to them, asked for people of their own."""
    organization_id = owner.principal.organization_id
    async with db.transaction(owner.principal, "bench") as tx:
        user_id = await create_user(
            tx,
            email="rep@bench.example",
            name="Rep",
            password="a password for a bench",
            role=Role.BIDI,
            locale="en",
        )
    dice = random.Random(19)
    own = dice.sample(range(len(tenant.contact_ids)), min(OF_A_REP, len(tenant.contact_ids)))
    admin.execute(
        """
        UPDATE contacts AS c
           SET owner_id = m.id
          FROM members m
         WHERE (m.organization_id, m.user_id) = (%s, %s)
           AND c.organization_id = m.organization_id
           AND c.id = ANY(%s)
        """,
        (organization_id, user_id, [tenant.contact_ids[place] for place in own]),
    )
    admin.execute("VACUUM (ANALYZE) contacts")
    rep = Owner(member_principal(UserId(user_id), OrganizationId(organization_id), Role.BIDI), "")
    theirs = Tenant(
        tenant.id, [tenant.contact_ids[place] for place in own], [tenant.names[place] for place in own]
    )
    asked = list(data.queries(theirs, 2 * ROUNDS, seed=23))
    report.add("rep_contacts", len(own), "rows", 1)
    for name, steps, aim in (
        ("rep_list", [_list] * ROUNDS, 50.0),
        ("rep_search", [_search(text) for text in asked], 100.0),
    ):
        await _timed(db, rep, steps[:10])
        took = await _timed(db, rep, steps)
        report.add(f"{name}_p50", percentile(took, 0.5), "ms", len(took))
        report.add(f"{name}_p95", percentile(took, 0.95), "ms", len(took), aim=aim)


async def _policies(
    db: Database,
    free_connection: psycopg.AsyncConnection[Any],
    owner: Owner,
    tenant: Tenant,
    report: Report,
) -> None:
    """The same statements with row level security and without, in turn; each ratio and the worst."""
    dice = random.Random(11)
    ids = [dice.choice(tenant.contact_ids) for _ in range(ROUNDS)]
    worst = 0.0
    for name, query, params in (
        ("read", RAW_READ, [{"organization_id": tenant.id, "id": id} for id in ids]),
        ("list", RAW_LIST, [{"organization_id": tenant.id}] * ROUNDS),
        ("segment_count", RAW_COUNT, [{"organization_id": tenant.id}] * ROUNDS),
    ):
        bound, free = [], []
        for values in params:
            async with db.transaction(owner.principal, "bench") as tx:
                began = time.perf_counter()
                await (await tx.connection.execute(query, values)).fetchall()
                bound.append((time.perf_counter() - began) * 1000)
            await free_connection.execute("BEGIN")
            began = time.perf_counter()
            await (await free_connection.execute(query, values)).fetchall()
            free.append((time.perf_counter() - began) * 1000)
            await free_connection.execute("COMMIT")
        ratio = percentile(bound, 0.5) / percentile(free, 0.5)
        report.add(f"{name}_row_security_ratio", ratio, "x", len(bound), aim=1.2)
        worst = max(worst, ratio)
    report.add("row_security_ratio", worst, "x", 3, aim=1.2)


async def _pages(folder: Path, urls: Urls, owner: Owner, tenant: Tenant, report: Report) -> None:
    """The same through the running web process: one record beside a bare endpoint, a page of a list, the palette."""
    dice = random.Random(13)
    ids = [dice.choice(tenant.contact_ids) for _ in range(3 * ROUNDS)]
    wide = {"API_KEY_PER_MINUTE": "1000000", "API_PERSON_PER_MINUTE": "1000000", "LOG_LEVEL": "warning"}
    async with (
        _seeming_worker(urls),
        running_fleet(folder, urls, "http://127.0.0.1:1", ("api",), **wide) as fleet,
        _bare(urls) as bare,
        httpx2.AsyncClient(timeout=60) as client,
    ):
        key = {"Authorization": f"Bearer {owner.key}"}
        ours, theirs = [], []
        for id in ids:
            ours.append(await _get(client, f"{fleet.base}/api/v1/contacts/{id}", key))
            theirs.append(await _get(client, f"{bare}/contacts/{tenant.id}/{id}", {}))
        report.add("read_p50", percentile([took for took, _ in ours], 0.5), "ms", len(ours))
        report.add("read_bare_fastapi_p50", percentile([took for took, _ in theirs], 0.5), "ms", len(theirs))
        ratio = percentile([took for took, _ in ours], 0.5) / percentile([took for took, _ in theirs], 0.5)
        report.add("read_ratio", ratio, "x", len(ours), aim=1.5)
        await _list_pages(client, fleet.base, key, report)
        words = [
            await _get(client, f"{fleet.base}/api/v1/search?q={quote(text)}", key)
            for text in data.queries(tenant, ROUNDS, seed=17)
        ]
        report.add("search_api_p50", percentile([took for took, _ in words], 0.5), "ms", len(words))
        report.add("search_api_p95", percentile([took for took, _ in words], 0.95), "ms", len(words), aim=100)


@asynccontextmanager
async def _seeming_worker(urls: Urls) -> AsyncIterator[None]:
    """The web process is ready only while some worker lives; here nothing is to be worked on."""
    redis = Redis.from_url(urls.redis_url)
    alive = asyncio.create_task(beat(redis, "worker"))
    try:
        yield
    finally:
        alive.cancel()
        await redis.aclose()


async def _list_pages(client: httpx2.AsyncClient, base: str, key: dict[str, str], report: Report) -> None:
    """Page after page of the contacts, as the API gives them: what follows the first load."""
    took, sizes, cursor = [], [], ""
    for _ in range(ROUNDS):
        began = time.perf_counter()
        address = f"{base}/api/v1/contacts?limit={PAGE}" + (f"&cursor={quote(cursor)}" if cursor else "")
        answer = await client.get(address, headers=key)
        took.append((time.perf_counter() - began) * 1000)
        sizes.append(len(answer.content) / 1000)
        cursor = answer.json()["next_cursor"] or ""
    report.add("list_page_p50", percentile(took, 0.5), "ms", len(took))
    report.add("list_page_p95", percentile(took, 0.95), "ms", len(took), aim=80)
    report.add("list_page_size_p95", percentile(sizes, 0.95), "kB", len(sizes), aim=30)


async def _get(client: httpx2.AsyncClient, address: str, headers: dict[str, str]) -> tuple[float, int]:
    """Milliseconds and bytes of an answer."""
    began = time.perf_counter()
    answer = await client.get(address, headers=headers)
    answer.raise_for_status()
    return (time.perf_counter() - began) * 1000, len(answer.content)


@asynccontextmanager
async def _bare(urls: Urls) -> AsyncIterator[str]:
    """A process with the bare endpoint, over a login that no policy binds."""
    port = free_port()
    superuser = urls.database_url.replace("getsale_app", "postgres")
    command = [sys.executable, "-m", "uvicorn", "infra.bench._bare_fastapi:app", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(
        *command, "--log-level", "error", "--no-access-log", env={**os.environ, "BARE_URL": superuser}
    )
    try:
        async with httpx2.AsyncClient() as client, asyncio.timeout(30):
            while not await _answers(client, f"http://127.0.0.1:{port}/openapi.json"):  # noqa: ASYNC110 (it tells nobody)
                await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _answers(client: httpx2.AsyncClient, address: str) -> bool:
    try:
        return (await client.get(address)).status_code == 200
    except httpx2.TransportError:
        return False
