"""Leaks that are planted one by one, as somebody in a hurry would make them, and taken away again."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg import sql

import core.db
import core.pubsub
import graph.neo4j
import web.pages.contacts
import web.pages.drafts
import web.pages.inbox
import web.viewer
from api.hub import Hub
from api.rooms import Happening, Topic
from core.blobs import Blobs
from core.db import Database, Tx
from core.errors import Conflict, NotFound
from core.principal import Principal, system
from crm.conversations.models import Attachment
from crm.drafts import queries as draft_queries
from crm.drafts.models import Draft
from crm.identity.models import Organization
from crm.identity.queries import get_organization
from crm.tasks import actions as task_actions
from events.ids import AttachmentId, DraftId, TaskId
from memory import search
from tests.support.isolation.catalogue import read_catalogue
from tests.support.isolation.harness import Harness
from tests.support.isolation.theatre import POOL
from tools import registry
from tools.base import Tool, ToolContext
from tools.contacts import FindContacts, GetContact

Plant = Callable[[Harness], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """One leak: what somebody did wrong, how it is planted, and the door whose ordinary probes must find it."""

    name: str
    plant: Plant
    kind: str
    subjects: tuple[str, ...]


def _in_sql(plant: str, undo: str) -> Plant:
    """Statements of an administrator, and those that take them back."""

    @asynccontextmanager
    async def planted(harness: Harness) -> AsyncIterator[None]:
        theatre = harness.theatre
        before = theatre.catalogue
        for statement in filter(None, plant.split(";")):
            await theatre.admin.execute(statement.encode())
        theatre.catalogue = await read_catalogue(theatre.admin)
        try:
            yield
        finally:
            theatre.catalogue = before
            for statement in filter(None, undo.split(";")):
                await theatre.admin.execute(statement.encode())

    return planted


@asynccontextmanager
async def _replaced(place: Any, name: str, value: object) -> AsyncIterator[None]:
    before = getattr(place, name)
    setattr(place, name, value)
    try:
        yield
    finally:
        setattr(place, name, before)


async def _anybodys(harness: Harness, table: str, id: UUID) -> dict[str, Any] | None:
    """A row of any organization, as a look-up with a login above the policies finds it."""
    query = sql.SQL("SELECT * FROM {} WHERE id = %s").format(sql.Identifier(table))
    return await (await harness.theatre.admin.execute(query, (id,))).fetchone()


@asynccontextmanager
async def _setting_left_on_connections(harness: Harness) -> AsyncIterator[None]:
    """set_config(..., false): the tenant outlives the transaction."""

    def beginning(principal: Principal, turn: str = "", *, is_read_only: bool = False) -> sql.Composed:
        text = "BEGIN; SELECT set_config('app.organization_id', {}, false)"
        return sql.SQL(text).format(sql.Literal(str(principal.organization_id)))

    async with _replaced(core.db, "_beginning", beginning):
        yield
    await _clean_connections(harness)


@asynccontextmanager
async def _download_of_anybody(harness: Harness) -> AsyncIterator[None]:
    """The page finds a file by its id alone, and the storage by its key alone."""

    async def get_attachment(tx: Tx, attachment_id: AttachmentId) -> Attachment:
        row = await _anybodys(harness, "attachments", attachment_id)
        if row is None:
            raise NotFound("No such file.")
        return Attachment(**{name: row[name] for name in Attachment.__dataclass_fields__})

    async def get(blobs: Blobs, organization_id: UUID, key: str) -> bytes:
        for path in harness.theatre.settings.data.glob(f"blobs/*/*/{key}"):
            return path.read_bytes()
        raise NotFound("No such file.")

    async with _replaced(web.pages.contacts, "get_attachment", get_attachment), _replaced(Blobs, "get", get):
        yield


@asynccontextmanager
async def _cache_without_the_organization(harness: Harness) -> AsyncIterator[None]:
    """The first organization that anybody asks for is kept for everybody."""
    kept: list[Organization] = []
    look_up = get_organization

    async def keep_organization(tx: Tx) -> Organization:
        if not kept:
            kept.append(await look_up(tx))
        return kept[0]

    async with _replaced(web.viewer, "get_organization", keep_organization):
        yield


@asynccontextmanager
async def _page_kept_by_its_id(harness: Harness) -> AsyncIterator[None]:
    """What a page shows about a conversation is kept under the conversation's id."""
    kept: dict[UUID | None, dict[str, Any]] = {}
    load = web.pages.inbox.load_context

    async def load_context(session: Any, list_view: Any, conversation_id: UUID | None) -> dict[str, Any]:
        if conversation_id not in kept:
            kept[conversation_id] = await load(session, list_view, conversation_id)
        return kept[conversation_id]

    async with _replaced(web.pages.inbox, "load_context", load_context):
        yield


@asynccontextmanager
async def _conflict_for_a_foreign_draft(harness: Harness) -> AsyncIterator[None]:
    """409 for what exists elsewhere, 404 for what exists nowhere."""
    look_up = draft_queries.get_draft

    async def get_draft(tx: Tx, draft_id: DraftId) -> Draft:
        row = await _anybodys(harness, "drafts", draft_id)
        if row is not None and row["organization_id"] != tx.organization_id:
            raise Conflict("This draft is not yours.")
        return await look_up(tx, draft_id)

    async with _replaced(web.pages.drafts, "get_draft", get_draft):
        yield


@asynccontextmanager
async def _error_that_names_the_owner(harness: Harness) -> AsyncIterator[None]:
    """A refusal that says too much."""
    look_up = draft_queries.get_draft

    async def get_draft(tx: Tx, draft_id: DraftId, **more: Any) -> Draft:
        row = await _anybodys(harness, "drafts", draft_id)
        if row is not None and row["organization_id"] != tx.organization_id:
            owner = await _anybodys(harness, "contacts", row["contact_id"])
            raise NotFound(f"The draft to {owner and owner['title']} is not yours.")
        return await look_up(tx, draft_id, **more)

    async with _replaced(draft_queries, "get_draft", get_draft):
        yield


@asynccontextmanager
async def _task_completed_for_anybody(harness: Harness) -> AsyncIterator[None]:
    """A form that writes by id alone."""

    async def complete_task(tx: Tx, task_id: TaskId) -> None:
        await harness.theatre.admin.execute("UPDATE tasks SET done_at = now() WHERE id = %s", (task_id,))

    async with _replaced(task_actions, "complete_task", complete_task):
        yield
    await harness.theatre.admin.execute("UPDATE tasks SET done_at = NULL")


@asynccontextmanager
async def _tool_without_the_tenant(harness: Harness) -> AsyncIterator[None]:
    """A tool with a connection of its own."""

    async def get_contact(ctx: ToolContext, args: GetContact) -> dict[str, str]:
        row = await _anybodys(harness, "contacts", args.contact_id)
        if row is None:
            raise NotFound("No such contact.")
        return {"name": row["name"], "note": row["note"]}

    async with _with_tool(harness, get_contact):
        yield


@asynccontextmanager
async def _search_over_all_tenants(harness: Harness) -> AsyncIterator[None]:
    """A search that forgets whose contacts it searches."""

    async def find_contacts(ctx: ToolContext, args: FindContacts) -> list[str]:
        query = "SELECT name, note FROM contacts WHERE name ILIKE '%%' || %s || '%%'"
        rows = await (await harness.theatre.admin.execute(query, (args.text,))).fetchall()
        return [f"{row['name']}: {row['note']}" for row in rows]

    async with _with_tool(harness, find_contacts):
        yield


@asynccontextmanager
async def _topic_for_everybody(harness: Harness) -> AsyncIterator[None]:
    """One topic for all organizations, and the reader sorts out what is its own."""
    async with _replaced(core.pubsub, "_topic", lambda organization_id, about: f"org:{about}"):
        yield


@asynccontextmanager
async def _past_of_any_topic(harness: Harness) -> AsyncIterator[None]:
    """A socket that trusts the topic it is asked for, and looks its past up as the system."""
    authorize, replay = Hub.authorize, Hub.replay

    async def allow(hub: Hub, principal: Principal, topic: Topic) -> UUID | None:
        return await authorize(hub, principal, Topic("organization", principal.organization_id))

    async def look_back(hub: Hub, principal: Principal, topic: Topic, after: UUID) -> list[Happening] | None:
        return await replay(hub, system(topic.id), topic, after)

    async with _replaced(Hub, "authorize", allow), _replaced(Hub, "replay", look_back):
        yield


@asynccontextmanager
async def _name_in_redis(harness: Harness) -> AsyncIterator[None]:
    """What was looked up for one request is kept in Redis under its kind alone."""
    look_up, redis = get_organization, harness.theatre.redis

    async def keep_organization(tx: Tx) -> Organization:
        found = await look_up(tx)
        await redis.set("page:organization", found.name)
        return found

    async with _replaced(web.viewer, "get_organization", keep_organization):
        yield
    await redis.delete("page:organization")


@asynccontextmanager
async def _graph_query_of_any_tenant(harness: Harness) -> AsyncIterator[None]:
    """A query that names the organization somewhere, to please the gateway, but does not look at it."""
    bound = " {organization_id: $organization_id}"
    query = graph.neo4j._NEIGHBOURHOOD.replace(bound, "").replace("organization_id: $organization_id, ", "")
    async with _replaced(graph.neo4j, "_NEIGHBOURHOOD", f"{query} // organization_id: $organization_id"):
        yield


@asynccontextmanager
async def _files_in_one_heap(harness: Harness) -> AsyncIterator[None]:
    """Storage that knows files by their content alone."""

    def path(blobs: Blobs, organization_id: UUID, key: str) -> Path:
        return next(iter(blobs._root.glob(f"*/*/{Path(key).name}")), blobs._root / "nothing")

    async with _replaced(Blobs, "_path", path):
        yield


@asynccontextmanager
async def _session_never_reset(harness: Harness) -> AsyncIterator[None]:
    """A connection for the checkpointer that goes back into the pool as it is."""

    @asynccontextmanager
    async def session(db: Database, principal: Principal) -> AsyncIterator[Any]:
        async with db._connection() as connection:
            query = "SELECT set_config('app.organization_id', %s, false)"
            await connection.execute(query, (str(principal.organization_id),))
            yield connection

    async with _replaced(Database, "session", session):
        yield
    await _clean_connections(harness)


@asynccontextmanager
async def _recall_of_another(harness: Harness) -> AsyncIterator[None]:
    """Candidates and texts are looked up in the organization that asked last, not in the asker's."""
    last, find, load = harness.theatre.victim.id, search.list_candidates, search.load_memories
    query = "SELECT set_config('app.organization_id', %(id)s, true)"

    async def list_candidates(tx: Tx, *args: Any, **more: Any) -> Any:
        await tx.execute(query, id=str(last))
        return await find(tx, *args, **more)

    async def load_memories(tx: Tx, ids: Any) -> Any:
        await tx.execute(query, id=str(last))
        return await load(tx, ids)

    async with (
        _replaced(search, "list_candidates", list_candidates),
        _replaced(search, "load_memories", load_memories),
    ):
        yield


async def _clean_connections(harness: Harness) -> None:
    for database in harness.theatre.databases.values():
        async with AsyncExitStack() as stack:
            for _ in range(POOL):  # all at once, so that none is left out
                connection = await stack.enter_async_context(database.across_tenants("probe"))
                await connection.execute("RESET ALL")


@asynccontextmanager
async def _with_tool(harness: Harness, function: Any) -> AsyncIterator[None]:
    broken: list[Tool[Any]] = [
        replace(tool, function=function) if tool.name == function.__name__ else tool
        for tool in registry.TOOLS
    ]
    async with _replaced(harness, "tools", broken):
        yield


FAULTS = (
    Fault(
        "a table whose policies are off",
        _in_sql(
            "ALTER TABLE contacts DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE contacts ENABLE ROW LEVEL SECURITY",
        ),
        "sql",
        ("contacts",),
    ),
    Fault(
        "a policy that checks nothing that is written",
        _in_sql(
            "CREATE POLICY planted ON deals FOR INSERT TO getsale_app WITH CHECK (true)",
            "DROP POLICY planted ON deals",
        ),
        "sql",
        ("deals",),
    ),
    Fault(
        "a policy that shows a worker everything",
        _in_sql(
            "CREATE POLICY planted ON messages FOR SELECT TO getsale_worker USING (true)",
            "DROP POLICY planted ON messages",
        ),
        "sql",
        ("messages",),
    ),
    Fault(
        "support staff who read every tenant's drafts",
        _in_sql(
            "CREATE POLICY planted ON drafts FOR SELECT TO getsale_support USING (true)",
            "DROP POLICY planted ON drafts",
        ),
        "sql",
        ("drafts",),
    ),
    Fault(
        "a view that runs as its owner",
        _in_sql(
            "CREATE VIEW planted AS SELECT id, body FROM messages; GRANT SELECT ON planted TO getsale_app",
            "DROP VIEW planted",
        ),
        "sql",
        ("view planted",),
    ),
    Fault(
        "a materialized view",
        _in_sql(
            "CREATE MATERIALIZED VIEW planted AS SELECT name FROM contacts; GRANT SELECT ON planted TO getsale_app",
            "DROP MATERIALIZED VIEW planted",
        ),
        "sql",
        ("view planted",),
    ),
    Fault(
        "a definer function that forgets the organization",
        _in_sql(
            "CREATE FUNCTION planted(company_id uuid) RETURNS SETOF companies LANGUAGE sql SECURITY DEFINER"
            " AS 'SELECT * FROM companies WHERE id = $1'",
            "DROP FUNCTION planted(uuid)",
        ),
        "function",
        ("planted",),
    ),
    Fault(
        "a foreign key without the organization",
        _in_sql(
            "CREATE UNIQUE INDEX planted ON contacts (id);"
            "ALTER TABLE deals DROP CONSTRAINT deals_organization_id_contact_id_fkey,"
            " ADD CONSTRAINT planted FOREIGN KEY (contact_id) REFERENCES contacts (id)",
            "ALTER TABLE deals DROP CONSTRAINT planted, ADD CONSTRAINT deals_organization_id_contact_id_fkey"
            " FOREIGN KEY (organization_id, contact_id) REFERENCES contacts (organization_id, id);"
            "DROP INDEX planted",
        ),
        "sql",
        ("deals",),
    ),
    Fault(
        "a unique key without the organization",
        _in_sql("CREATE UNIQUE INDEX planted ON pipelines (name)", "DROP INDEX planted"),
        "sql",
        ("pipelines",),
    ),
    Fault(
        "the right to truncate",
        _in_sql(
            "GRANT TRUNCATE ON event_changes TO getsale_app",
            "REVOKE TRUNCATE ON event_changes FROM getsale_app",
        ),
        "sql",
        ("event_changes",),
    ),
    Fault("a tenant that stays on a pooled connection", _setting_left_on_connections, "sql", ("contacts",)),
    Fault(
        "a download by the key of a file",
        _download_of_anybody,
        "http",
        ("GET /attachments/{attachment_id}",),
    ),
    Fault("a cache without the organization", _cache_without_the_organization, "http", ("GET /preferences",)),
    Fault("a cache of pages by their id", _page_kept_by_its_id, "http", ("GET /inbox/{conversation_id}",)),
    Fault(
        "409 where 404 is due",
        _conflict_for_a_foreign_draft,
        "http",
        ("POST /drafts/{draft_id}/approval",),
    ),
    Fault("an error that names the owner", _error_that_names_the_owner, "tool", ("withdraw_draft",)),
    Fault(
        "a form that writes by id alone",
        _task_completed_for_anybody,
        "http",
        ("POST /tasks/{task_id}/completion",),
    ),
    Fault("a tool with a connection of its own", _tool_without_the_tenant, "tool", ("get_contact",)),
    Fault("a search over all tenants", _search_over_all_tenants, "tool", ("find_contacts",)),
    Fault("a recall in another's name", _recall_of_another, "recall", ("memory.recall",)),
    Fault("one topic for everybody", _topic_for_everybody, "stream", ("GET /live", "redis topics")),
    Fault("a socket that looks back as the system", _past_of_any_topic, "stream", ("/ws",)),
    Fault("a Redis key without the organization", _name_in_redis, "store", ("redis",)),
    Fault("files that are known by their content alone", _files_in_one_heap, "store", ("files",)),
    Fault("a session that is not reset", _session_never_reset, "store", ("pool",)),
    Fault(
        "a graph query without the organization",
        _graph_query_of_any_tenant,
        "graph",
        ("neo4j neighbourhood",),
    ),
    Fault(
        "a copy of the graph whose policies are open",
        _in_sql(
            "CREATE POLICY planted ON graph_nodes FOR SELECT TO getsale_app USING (true)",
            "DROP POLICY planted ON graph_nodes",
        ),
        "graph",
        ("postgres snapshot",),
    ),
)
