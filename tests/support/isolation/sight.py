"""Two members who each see only what is assigned to them, in one organization: what is one's must not reach the other.

The first asks as the attacker of the other probes does; the second's rows are those that hold canaries.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import LiteralString
from uuid import UUID

import httpx2
import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from redis.asyncio import Redis

from api.cookies import SESSION_COOKIE
from api.main import create_app
from api.routes.tools import TOOLS
from core.db import Database
from core.errors import AppError
from core.principal import Principal
from core.settings import Settings
from crm.identity.models import Role, member_principal
from events.ids import OrganizationId, UserId
from graph.postgres import PostgresGraph
from infra.embedded import Urls
from tests.support.isolation import graphs, http, mcp, recalls, streams
from tests.support.isolation import tools as tool_calls
from tests.support.isolation.canaries import Canaries
from tests.support.isolation.catalogue import Admin, Table, read_catalogue
from tests.support.isolation.completion import Row, complete
from tests.support.isolation.http import PROGRAM, Caller, csrf_of
from tests.support.isolation.probes import Probe
from tests.support.isolation.surface import Surface, read_surface
from tests.support.isolation.tenants import Tenant, build_tenant, ids_by_table
from tests.support.isolation.theatre import POOL, Theatre, as_role
from tests.support.servers import migrated_servers
from tests.support.site import running_app
from tools import registry

# Every table of a tenant that is limited by sight: it has the policy <table>_sight.
LIMITED = frozenset(
    {
        *("contacts", "contact_handles", "contact_consents", "contact_match_keys", "contact_matches"),
        *(
            "companies",
            "company_match_keys",
            "company_matches",
            "leads",
            "deals",
            "deal_stakeholders",
            "commissions",
        ),
        *("conversations", "messages", "attachments", "mail_threads", "promises"),
        *("drafts", "draft_evidence", "reply_incidents", "approvals", "suggestions"),
        *("notes", "files", "tasks", "meetings", "meeting_contacts", "meeting_members", "record_tags"),
        *("facts", "graph_nodes", "graph_edges", "memories", "memory_terms", "memory_speakers"),
        *(
            "search_entries",
            "search_postings",
            "search_words",
            "search_grams",
            "stage_visits",
            "external_ids",
            "merges",
            "merge_rows",
        ),
        *("runs", "tool_calls", "tool_visits", "model_calls", "model_exchanges", "run_replays"),
        *("checkpoints", "checkpoint_blobs", "checkpoint_writes"),
        *("copilot_chats", "copilot_questions", "notifications"),
        *("channel_accounts", "mailboxes", "mail_folders", "mail_refusals"),
        *("imports", "table_imports", "import_rows", "import_records", "bulk_edits", "bulk_edit_records"),
        *("events", "event_changes", "event_origins", "audit_verifications"),
        *("webhooks", "webhook_deliveries", "webhook_attempts", "system_mails", "privacy_requests"),
    }
)

_MACHINE = "what the machine works through: ids only"
_SETTING_UP = "how the organization is set up; no customer stands in it"
_COLLEAGUES = "who works here is known to everybody who does"
_DOORS = "asked before anybody is in, or for oneself, by the whole key"
_KNOWLEDGE = "the organization's own documents are for everybody who answers with them"
_EVALUATIONS = "made-up cases, and only who administers agents asks for them"
# Every other table, with why everybody may see all of it.
FOR_EVERYBODY = {
    **dict.fromkeys(("organizations", "members", "teams", "team_members", "bidi"), _COLLEAGUES),
    **dict.fromkeys(
        ("sessions", "api_keys", "refresh_tokens", "sign_ups", "password_resets", "invitations"), _DOORS
    ),
    **dict.fromkeys(("pipelines", "stages", "stage_transitions", "custom_fields", "tags"), _SETTING_UP),
    **dict.fromkeys(("segments", "views"), "what is looked for, and not who is found"),
    **dict.fromkeys(
        ("triggers", "assignment_rules", "assignment_rule_seats", "policy_overrides", "language_models"),
        _SETTING_UP,
    ),
    **dict.fromkeys(("documents", "document_versions"), _KNOWLEDGE),
    **dict.fromkeys(("eval_runs", "eval_cases", "eval_judgings", "eval_judgements"), _EVALUATIONS),
    **dict.fromkeys(
        ("event_subjects", "event_deliveries", "due_work", "graph_projections", "match_sweeps"), _MACHINE
    ),
    **dict.fromkeys(("audit_links", "audit_waiting", "audit_erasures"), "hashes and ids of events"),
    "identity_providers": _SETTING_UP,
    "saved_answers": "sealed, and opened for the key or session that it was an answer to",
    "erased_handles": "hashes of addresses that no new contact may have",
    "inbound_receipts": "which updates came in, by the numbers that the channel gives them",
}

# Where a copied row of the second member would go on hanging on the first one's: column -> whose canary row instead.
# A word in quotes, or NULL, is a value.
_HANGS: dict[str, dict[str, LiteralString]] = {
    **{
        table: {"record_id": "contacts", "record_kind": "'contact'"}
        for table in ("notes", "files", "record_tags", "tasks", "external_ids", "suggestions", "meetings")
    },
    "stage_visits": {"record_id": "deals", "record_kind": "'deal'"},
    "merges": {"kept_id": "contacts", "merged_id": "companies"},
    "facts": {
        "subject_kind": "'contact'",
        "subject_id": "contacts",
        "object_kind": "NULL",
        "object_id": "NULL",
    },
    "events": {"subject_kind": "'conversation'", "subject_id": "conversations"},
    "conversations": {"holder_kind": "'person'", "holder_id": "users"},
    "search_entries": {"kind": "'contact'", "record_id": "contacts", "thread_id": "NULL"},
    "search_postings": {"kind": "'contact'", "record_id": "contacts", "thread_id": "NULL"},
    "memories": {"thread_id": "conversations"},
    "memory_terms": {"thread_id": "conversations", "kind": "'turn'"},
    "graph_nodes": {"label": "'Person'"},
    "tool_visits": {"user_id": "users"},
    "imports": {"member_user_id": "users"},
    "bulk_edits": {"made_by": "users"},
    "runs": {"about_kind": "NULL", "about_id": "NULL"},
}


@dataclass
class Sight(Theatre):
    """The theatre of one organization: `attacker` is its first member, `victim` whatever is the second's.

    `places` says where the second's rows are: a row that is changed is somewhere else.
    """

    places: dict[str, list[str]] = field(default_factory=dict)

    @property
    def first(self) -> Principal:
        return self.attacker.owner

    async def victims_rows(self) -> dict[str, str]:
        """The second member's rows by table, as text."""
        return {
            table: "\n".join(await self._texts(table, "t.ctid = ANY(%s::tid[])", places))
            for table, places in self.places.items()
        }

    async def _texts(self, table: str, condition: LiteralString, value: object) -> list[str]:
        query = sql.SQL("SELECT to_jsonb(t)::text AS row FROM {} t WHERE " + condition + " ORDER BY 1")
        found = await self.admin.execute(query.format(sql.Identifier(table)), (value,))
        return [row["row"] for row in await found.fetchall()]

    def leaks(self, text: str, given: Collection[str] = ()) -> list[str]:
        """What of the second member's stands in a text; a canary of a table that is everybody's is none."""
        found = self.canaries.found_in(text, given)
        return [leak for leak in found if "canary of" not in leak or _table_of(leak) in LIMITED]

    async def take_stock(self) -> None:
        """Learn what the first member sees, and what is the second's."""
        for table in sorted(LIMITED):
            query = sql.SQL("SELECT t.ctid::text AS place FROM {} t WHERE t::text ~ %s")
            marks = _marks(self.canary_rows, table)
            found = await self.admin.execute(query.format(sql.Identifier(table)), (marks,))
            self.places[table] = [row["place"] for row in await found.fetchall()]
        self.victim.ids = ids_by_table(await self.victims_rows())
        self.canaries.add_ids(id for ids in self.victim.ids.values() for id in ids)
        seen = {table.name: await self._seen(table) for table in self.catalogue.tenant_tables}
        self.attacker.ids = ids_by_table(seen) | {"organizations": [str(self.attacker.id)]}

    async def _seen(self, table: Table) -> str:
        query = sql.SQL("SELECT to_jsonb(t)::text AS row FROM {} t WHERE t::text !~ 'canary'")
        async with self.db.transaction(self.first, "test") as tx:
            rows = await tx.connection.execute(query.format(sql.Identifier(table.name)))
            return "\n".join([row["row"] for row in await rows.fetchall()])


def _table_of(leak: str) -> str:
    return leak.removeprefix("the canary of ").partition(".")[0]


@asynccontextmanager
async def open_sight(folder: Path) -> AsyncIterator[Sight]:
    """Servers of its own, an organization in full that the first member works for, and rows that the second does."""
    with migrated_servers(folder / "servers") as servers:
        async with AsyncExitStack() as stack:
            yield await _build(stack, servers.urls, folder)


async def _build(stack: AsyncExitStack, urls: Urls, folder: Path) -> Sight:
    settings = Settings(
        database_url=urls.database_url,
        database_url_worker=urls.database_url_worker,
        database_url_migrator=urls.database_url_migrator,
        redis_url=urls.redis_url,
        data=folder,
        secret_key="a key for tests only, 32 bytes long",
        # a probe that is told to wait has learnt nothing
        api_key_per_minute=10**6,
        api_person_per_minute=10**6,
        api_organization_per_minute=10**6,
    )
    admin = await psycopg.AsyncConnection.connect(
        as_role(urls, "postgres"), autocommit=True, row_factory=dict_row
    )
    stack.push_async_callback(admin.close)
    roles = ("getsale_app", "getsale_worker")
    databases = {role: await Database(as_role(urls, role), size=POOL).open() for role in roles}
    for database in databases.values():
        stack.push_async_callback(database.close)
    redis = Redis.from_url(urls.redis_url)
    stack.push_async_callback(redis.aclose)
    tenant = await build_tenant(databases["getsale_app"], settings, "sight", lambda text: text)
    catalogue, canaries = await read_catalogue(admin), Canaries()
    rows = await complete(admin, catalogue, tenant.id, canaries, also=LIMITED)
    await _give_to_second(admin, rows)
    first = await _give_to_first(admin, tenant)
    sight = Sight(
        urls=urls,
        settings=settings,
        admin=admin,
        redis=redis,
        databases=databases,
        catalogue=catalogue,
        canaries=canaries,
        attacker=first,
        victim=Tenant(first.owner, tenant.world, tenant.blobs),
        canary_rows=rows,
    )
    await sight.take_stock()
    return sight


async def _give_to_second(admin: Admin, rows: dict[str, Row]) -> None:
    """Hang the canary rows on each other, and on the second member alone."""
    for table, hangs in _HANGS.items():
        values = [
            sql.SQL("{} = {}").format(
                sql.Identifier(column),
                sql.SQL(whose) if whose == "NULL" or "'" in whose else sql.Literal(rows[whose]["id"]),
            )
            for column, whose in hangs.items()
        ]
        query = sql.SQL("UPDATE {table} t SET {values} WHERE t::text ~ {marks}").format(
            table=sql.Identifier(table),
            values=sql.SQL(", ").join(values),
            marks=sql.Literal(_marks(rows, table)),
        )
        await admin.execute(query)
    member = {"id": rows["members"]["id"]}
    await admin.execute("UPDATE members SET role = 'bidi' WHERE id = %(id)s", member)
    # the second's contact is found by the word of its name
    word = str(rows["contacts"]["name"]).lower()
    for table in ("search_words", "search_postings"):
        query = sql.SQL("UPDATE {} t SET word = %s WHERE t::text ~ 'canary'").format(sql.Identifier(table))
        await admin.execute(query, (word,))
    # a setting that holds made-up words breaks the pages that obey it
    for table in (
        "assignment_rule_seats",
        "assignment_rules",
        "triggers",
        "policy_overrides",
        "language_models",
    ):
        await admin.execute(
            sql.SQL("DELETE FROM {} t WHERE t::text ~ {}").format(
                sql.Identifier(table), sql.Literal(_marks(rows, table) if table in rows else "canary")
            )
        )
    for table in ("custom_fields", "segments", "views"):
        await admin.execute(
            sql.SQL("DELETE FROM {} t WHERE t::text ~ 'canary'").format(sql.Identifier(table))
        )


def _marks(rows: dict[str, Row], table: str) -> str:
    """What tells the canary row of a table: its words, or the ids of canary rows in it."""
    ids = {row["id"] for name, row in rows.items() if "id" in row and name != "organizations"}
    return "|".join(
        [
            "canary",
            *sorted(str(value) for value in rows[table].values() if isinstance(value, UUID) and value in ids),
        ]
    )


async def _give_to_first(admin: Admin, tenant: Tenant) -> Tenant:
    """All that the product made belongs to the member with the role bidi, who asks."""
    person = tenant.people[Role.BIDI]
    first = member_principal(UserId(person.id), OrganizationId(tenant.id), Role.BIDI)
    for table, column in (
        ("contacts", "owner_id"),
        ("companies", "owner_id"),
        ("leads", "owner_id"),
        ("deals", "owner_id"),
        ("copilot_chats", "member_id"),
        ("notifications", "member_id"),
    ):
        query = sql.SQL(
            "UPDATE {table} t SET {column} = (SELECT id FROM members WHERE user_id = %s)"
            " WHERE t::text !~ 'canary' AND organization_id = %s"
        ).format(table=sql.Identifier(table), column=sql.Identifier(column))
        await admin.execute(query, (first.id, tenant.id))
    ctx = tenant.ctx
    assert ctx is not None
    seat = replace(ctx.principal, visibility=first.visibility, behalf_of=first.id)
    only = {Role.BIDI}
    return replace(
        tenant,
        owner=first,
        people={Role.BIDI: first},
        sessions={role: tenant.sessions[role] for role in only},
        keys={role: tenant.keys[role] for role in only},
        ctx=replace(ctx, principal=seat),
    )


@dataclass
class Doors:
    """All that the first member can ask: pages and routes, tools, streams, searches, the graph and memory."""

    sight: Sight
    surface: Surface
    browser: Caller
    program: Caller

    def probes(self, *, depth: int) -> Iterator[Probe]:
        sight, people = self.sight, [self.browser, self.program]
        graph = PostgresGraph(sight.db)
        yield from sql_probes(sight)
        yield from http.http_probes(sight, self.surface, people, depth=depth)
        yield from http.search_probes(sight, self.surface, people)
        # what writes the graph is the projector, which acts for the product
        yield from (
            one
            for one in graphs.graph_probes(sight, [graph], depth=depth)
            if not one.subject.endswith("apply")
        )
        yield from _followed(sight, self.browser)
        yield from _recalled(sight, graph, depth)
        yield from tool_calls.tool_probes(sight, graph, registry.TOOLS, depth=depth)
        yield from mcp.mcp_probes(sight, people, TOOLS, depth=depth)


@asynccontextmanager
async def open_doors(sight: Sight) -> AsyncIterator[Doors]:
    """The web process with the first member in it, by browser and by a program of theirs."""
    app = create_app(sight.settings)
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(running_app(app))
        client = httpx2.AsyncClient(base_url=site, timeout=20)
        client.cookies.set(SESSION_COOKIE, sight.attacker.sessions[Role.BIDI])
        key = {"Authorization": f"Bearer {sight.attacker.keys[Role.BIDI]}"}
        program = Caller(PROGRAM, httpx2.AsyncClient(base_url=site, headers=key, timeout=20))
        browser = Caller(Role.BIDI, client, await csrf_of(client))
        for caller in (browser, program):
            stack.push_async_callback(caller.client.aclose)
        yield Doors(sight, read_surface(app), browser, program)


def sql_probes(sight: Sight) -> Iterator[Probe]:
    """Every limited table x login x statement."""
    for name in sorted(LIMITED):
        for role in sight.databases:
            yield Probe("sql", name, f"read as {role}", partial(_read, sight, role, name))
            for verb in ("UPDATE", "DELETE", "FOR UPDATE"):
                yield Probe("sql", name, f"{verb} as {role}", partial(_touch, sight, role, name, verb))


class _Undo(Exception):
    """Nothing that a probe did stays."""


async def _read(sight: Sight, role: str, table: str) -> list[str]:
    query = sql.SQL("SELECT to_jsonb(t)::text FROM {} t").format(sql.Identifier(table))
    async with sight.databases[role].transaction(sight.first, "probe") as tx:
        rows = await (await tx.connection.execute(query)).fetchall()
    text = str(rows)
    named = [f"the row {mark}" for mark in sight.victim.ids.get(table, []) if mark in text]
    return sight.leaks(text) + named


_TOUCHES = {
    "UPDATE": "UPDATE {} t SET organization_id = organization_id WHERE t::text ~ %s",
    "DELETE": "DELETE FROM {} t WHERE t::text ~ %s",
    "FOR UPDATE": "SELECT FROM {} t WHERE t::text ~ %s FOR UPDATE",
}


async def _touch(sight: Sight, role: str, table: str, verb: str) -> list[str]:
    query = sql.SQL(_TOUCHES[verb]).format(sql.Identifier(table))
    marks = "|".join(["canary", *sight.victim.ids.get(table, [])])
    count = 0
    try:
        async with sight.databases[role].transaction(sight.first, "probe") as tx:
            count = (await tx.connection.execute(query, (marks,))).rowcount
            raise _Undo
    except _Undo:
        return [f"{verb} touched {count} rows"] if count else []
    except psycopg.IntegrityError as err:
        return [f"{verb} reached them: {type(err).__name__}"]
    except AppError:
        # what a login may not do at all, such as changing an event
        return []


def _followed(sight: Sight, browser: Caller) -> Iterator[Probe]:
    """Every stream and its fillings; the socket is asked in tests/api/test_ws.py, where a seat follows itself only."""
    for name, queries in streams.STREAMS.items():
        for query in queries:
            filled = query.format(
                conversation=sight.victim.ids["conversations"][0], event=sight.victim.ids["events"][0]
            )
            path = name.removeprefix("GET ").format(chat_id=sight.victim.ids["copilot_chats"][0])
            ask = partial(streams.follow, sight, browser, path, filled)
            yield Probe("stream", name, query or "bare", ask)


def _recalled(sight: Sight, graph: PostgresGraph, depth: int) -> Iterator[Probe]:
    """As the member: nobody else is here."""
    for probe in recalls.recall_probes(sight, graph, depth=depth):
        if probe.name.endswith(f"as {Role.BIDI}"):
            yield probe


async def limited_tables(admin: Admin, *, by: Sequence[str] = ("getsale_app", "getsale_worker")) -> set[str]:
    """The tables that a restrictive policy limits by sight for both logins."""
    found = await admin.execute(
        """
        SELECT c.relname::text AS name
          FROM pg_policy p
          JOIN pg_class c ON c.oid = p.polrelid
         WHERE NOT p.polpermissive
           AND p.polname = c.relname || '_sight'
           AND p.polcmd IN ('*', 'r')
           AND p.polroles::regrole[]::text[] @> %(roles)s
           AND pg_get_expr(p.polqual, p.polrelid) LIKE '%%app.visibility%%'
        """,
        {"roles": list(by)},
    )
    return {row["name"] for row in await found.fetchall()}
