"""Merging two records and taking it back: nothing is lost, nothing is forgotten, later work stays."""

import random
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.db import Database, Tx
from core.errors import Conflict, Forbidden, NotFound, Unprocessable
from core.filters import ValueKind
from core.principal import Principal, PrincipalKind
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import NewCustomField
from crm.merges.actions import merge_records, undo_merge
from crm.merges.models import Side
from crm.merges.queries import list_merges, preview_merge
from crm.merges.references import MENTIONS, NOT_MOVED, SUBJECTS
from crm.merges.rows import read_journal
from events.ids import RecordKind
from tests.support.merging import World, dump, insert
from tests.support.organizations import make_organization

KINDS = (RecordKind.CONTACT, RecordKind.COMPANY)


async def _pair(tx: Tx, kind: RecordKind, seed: int) -> tuple[UUID, UUID]:
    """Two records of one kind that know each other, in a world of others."""
    world = World(tx, random.Random(seed))
    await world.build()
    make = world.contact if kind is RecordKind.CONTACT else world.company
    kept, merged = await make("Vera Lind"), await make("Вера Линд")
    await world.relate((kind, kept), (kind, merged))
    await world.link(kind, kept, merged)
    return kept, merged


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(KINDS), chooses=st.booleans())
async def test_undoing_a_merge_restores_every_row(
    database: Database, seed: int, kind: RecordKind, chooses: bool
) -> None:
    owner = await make_organization(database)
    async with database.transaction(owner, "test") as tx:
        kept, merged = await _pair(tx, kind, seed)
        fields = (await preview_merge(tx, kind, kept, merged)).fields
    before = await dump(database, owner)
    dice = random.Random(seed)
    sides = {field.field: dice.choice(list(Side)) for field in fields} if chooses else None

    async with database.transaction(owner, "test") as tx:
        merge = await merge_records(tx, kind, kept, merged, sides=sides)
    between = await dump(database, owner)
    async with database.transaction(owner, "test") as tx:
        undone = await undo_merge(tx, merge.id)

    assert between != before
    assert undone.left_alone == ()
    assert await dump(database, owner) == before


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(KINDS))
async def test_after_a_merge_nothing_leads_to_the_record_that_was_put_away(
    database: Database, seed: int, kind: RecordKind
) -> None:
    owner = await make_organization(database)
    async with database.transaction(owner, "test") as tx:
        kept, merged = await _pair(tx, kind, seed)
        await merge_records(tx, kind, kept, merged)

    leads = {
        (table, column)
        for table, rows in (await dump(database, owner)).items()
        for row in rows
        for column, value in row.items()
        if str(merged) in str(value) and not (table == SUBJECTS[kind].table and row["id"] == str(merged))
    }

    assert leads - NOT_MOVED.keys() == set()


async def test_the_property_tests_put_something_into_every_place_that_a_merge_moves(
    database: Database,
) -> None:
    journal: set[tuple[str, str]] = set()
    for kind in KINDS:
        for seed in range(6):
            owner = await make_organization(database)
            async with database.transaction(owner, "test") as tx:
                merge = await merge_records(tx, kind, *await _pair(tx, kind, seed))
                journal |= {
                    (change.table_name, column)
                    for change in await read_journal(tx, merge.id)
                    for column in (change.before or {})
                }

    moved = {(one.table, one.column) for subject in SUBJECTS.values() for one in subject.references}
    assert moved | {(one.table, one.column) for one in MENTIONS} <= journal


# What names a record and may not be forgotten by a merge --------------------------------------------------------------
# Columns of ids without a foreign key that never name a contact or a company, by what they name.
_OF_OTHERS: dict[str, set[tuple[str, str]]] = {
    "a member, a seat or a key": {
        ("approvals", "assignee_id"), ("bulk_edits", "made_by"), ("bulk_edits", "run_by"), ("approvals", "decided_by"), ("bidi", "responsible_user_id"),
        ("bidi", "user_id"), ("contact_consents", "recorded_by_id"), ("conversations", "holder_id"),
        ("document_versions", "uploaded_by"), ("drafts", "checked_by"), ("drafts", "edited_by"),
        ("events", "actor_id"), ("events", "credential_id"), ("audit_verifications", "asked_by"), ("events", "responsible_id"), ("files", "uploaded_by_id"), ("imports", "member_user_id"),
        ("meetings", "created_by_id"), ("merges", "merged_by"), ("merges", "undone_by"), ("messages", "approved_by"),
        ("notes", "author_id"), ("saved_answers", "caller_id"), ("segments", "made_by"), ("stage_visits", "actor_id"),
        ("tasks", "created_by_id"), ("views", "made_by"), ("policy_overrides", "set_by"), ("eval_runs", "started_by"), ("eval_judgings", "judged_by"),
        ("reply_incidents", "noted_by"), ("runs", "reverted_by"), ("run_replays", "asked_by"), ("suggestions", "decided_by"),
        ("tool_visits", "credential_id"), ("refresh_tokens", "child_id"), ("tool_visits", "user_id"),
        ("privacy_requests", "asked_by"), ("privacy_requests", "confirmed_by"), ("erased_handles", "allowed_by"),
        ("organizations", "deletion_asked_by"),
    },
    "a run, an event or a piece of work": {
        ("conversations", "handoff_run_id"), ("due_work", "subject_id"), ("events", "causation_id"),
        ("events", "correlation_id"), ("events", "run_id"), ("graph_projections", "token"),
        ("import_records", "chunk_id"), ("meetings", "run_id"), ("messages", "attempt_key"), ("notes", "run_id"),
        ("notifications", "event_id"), ("audit_verifications", "event_id"), ("runs", "trigger_id"), ("stage_visits", "run_id"), ("tasks", "run_id"),
        ("webhook_deliveries", "event_id"), ("eval_cases", "agent_run_id"),
        ("erased_handles", "request_id"),
    },
    "a message, a conversation or a document": {
        ("conversations", "last_message_id"), ("facts", "source_id"),
        ("memories", "source_id"), ("memories", "thread_id"), ("memory_terms", "thread_id"),
        ("search_entries", "thread_id"), ("search_postings", "thread_id"),
    },
    "a lead, a deal, a task, a meeting or a fact": {
        ("runs", "about_id"), ("stage_visits", "record_id"), ("notifications", "subject_id"), ("graph_edges", "fact_id"),
    },
}  # fmt: skip


async def test_every_column_of_ids_is_moved_or_has_a_reason(database: Database) -> None:
    """Foreign keys to other tables say themselves what they name."""
    async with database.across_tenants("test") as connection:
        cursor = await connection.execute(
            """
            SELECT c.relname::text AS "table", a.attname::text AS "column"
              FROM pg_class c
              JOIN pg_attribute a ON a.attrelid = c.oid
             WHERE c.relnamespace = 'public'::regnamespace
               AND c.relkind IN ('r', 'p')
               AND a.atttypid IN ('uuid'::regtype, 'uuid[]'::regtype)
               AND a.attname NOT IN ('organization_id', 'id')
               AND NOT EXISTS (
                   SELECT FROM pg_constraint f
                    WHERE f.conrelid = c.oid
                      AND f.contype = 'f'
                      AND a.attnum = ANY(f.conkey)
                      AND f.confrelid NOT IN ('contacts'::regclass, 'companies'::regclass))
            """
        )
        columns = {(row["table"], row["column"]) for row in await cursor.fetchall()}

    moved = {(one.table, one.column) for subject in SUBJECTS.values() for one in subject.references}
    assert moved <= columns
    assert columns - moved - NOT_MOVED.keys() == set().union(*_OF_OTHERS.values())


# JSON that tells what was, or that names neither a contact nor a company.
_JSON_OF_OTHERS = {
    "what was": {
        ("event_changes", "changes"), ("events", "data"), ("events", "trace"), ("tool_calls", "arguments"),
        ("tool_calls", "result"), ("checkpoints", "checkpoint"), ("checkpoints", "metadata"),
        ("import_records", "before"), ("import_rows", "reasons"), ("merge_rows", "key"), ("merge_rows", "before"),
        ("merge_rows", "after"), ("bulk_edits", "changes"), ("bulk_edit_records", "changes"), ("approvals", "marks"), ("approvals", "records"),
        ("copilot_questions", "citations"), ("suggestions", "calls"), ("suggestions", "evidence"), ("run_replays", "calls"), ("model_exchanges", "messages"), ("model_exchanges", "answer"), ("eval_cases", "trace"), ("eval_cases", "scores"),
    },
    "other things": {
        ("company_matches", "why"), ("contact_matches", "why"), ("custom_fields", "choices"), ("drafts", "flags"), ("run_replays", "flags"), ("run_replays", "prompts"), ("stages", "entry_rules"),
        ("stages", "exit_rules"), ("table_imports", "layout"), ("table_imports", "sample"),
        ("table_imports", "mapping"), ("table_imports", "options"), ("table_imports", "fault"),
        ("triggers", "conditions"), ("triggers", "actions"), ("bidi", "working_hours"), ("organizations", "working_hours"), ("eval_runs", "prompts"),
        ("eval_runs", "figures"), ("eval_cases", "definition"), ("eval_judgings", "prompts"), ("eval_judgings", "figures"),
        ("privacy_requests", "found"), ("privacy_requests", "quoted"), ("privacy_requests", "left_over"), ("privacy_requests", "held"),
    },
}  # fmt: skip


async def test_every_json_column_is_looked_through_or_has_a_reason(database: Database) -> None:
    async with database.across_tenants("test") as connection:
        cursor = await connection.execute(
            """
            SELECT c.relname::text AS "table", a.attname::text AS "column"
              FROM pg_class c
              JOIN pg_attribute a ON a.attrelid = c.oid
             WHERE c.relnamespace = 'public'::regnamespace
               AND c.relkind IN ('r', 'p')
               AND a.atttypid IN ('json'::regtype, 'jsonb'::regtype)
            """
        )
        columns = {(row["table"], row["column"]) for row in await cursor.fetchall()}

    assert columns - {(one.table, one.column) for one in MENTIONS} == set().union(*_JSON_OF_OTHERS.values())


# What a merge decides ---------------------------------------------------------------------------------------------------
async def _contacts(tx: Tx, one: dict[str, object], other: dict[str, object]) -> tuple[UUID, UUID]:
    kept = await insert(tx, "contacts", **({"name": "Vera Lind"} | one))
    return kept, await insert(tx, "contacts", **({"name": "Вера Линд"} | other))


async def test_an_empty_field_takes_the_other_records_value_and_a_choice_is_kept(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        kept, merged = await _contacts(tx, {"note": "old"}, {"note": "new", "title": "CEO"})

        await merge_records(tx, RecordKind.CONTACT, kept, merged, sides={"note": Side.MERGED})

        row = await tx.value("SELECT to_jsonb(c) FROM contacts c WHERE id = %(id)s", id=kept)
        assert (row["name"], row["note"], row["title"], row["version"]) == ("Vera Lind", "new", "CEO", 2)


async def test_the_stricter_consent_holds(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        kept, merged = await _contacts(tx, {}, {"telegram_consent": False})
        for contact, is_given in ((merged, False), (kept, True)):
            await insert(
                tx, "contact_consents", contact_id=contact, channel="email", is_given=is_given, source="form",
                recorded_by_kind="user", recorded_by_id=organization.id,
            )  # fmt: skip

        await merge_records(tx, RecordKind.CONTACT, kept, merged)

        latest = await tx.value(
            "SELECT is_given FROM contact_consents WHERE contact_id = %(id)s ORDER BY given_at DESC, id DESC LIMIT 1",
            id=kept,
        )
        telegram = await tx.value("SELECT telegram_consent FROM contacts WHERE id = %(id)s", id=kept)
        assert (latest, telegram) == (False, False)


async def test_what_was_changed_since_stays_and_is_named(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        kept, merged = await _contacts(tx, {}, {"title": "CEO"})
        handle = await insert(tx, "contact_handles", contact_id=merged, kind="email", value="v@x.example")
        merge = await merge_records(tx, RecordKind.CONTACT, kept, merged)
        await tx.execute("UPDATE contacts SET title = 'CFO' WHERE id = %(id)s", id=kept)
        await insert(tx, "contact_handles", contact_id=kept, kind="link", value="https://x.example")

        undone = await undo_merge(tx, merge.id)

        owners = await tx.value("SELECT array_agg(contact_id ORDER BY kind) FROM contact_handles")
        assert undone.left_alone == (("contacts", "title"),)
        assert await tx.value("SELECT title FROM contacts WHERE id = %(id)s", id=kept) == "CFO"
        assert await tx.value("SELECT contact_id FROM contact_handles WHERE id = %(id)s", id=handle) == merged
        assert owners == [merged, kept]


async def test_a_merge_is_undone_once(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        merge = await merge_records(tx, RecordKind.CONTACT, *await _contacts(tx, {}, {}))
        await undo_merge(tx, merge.id)

        with pytest.raises(Conflict, match="already undone"):
            await undo_merge(tx, merge.id)


async def test_the_later_of_two_merges_is_undone_first(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        kept, merged = await _contacts(tx, {}, {})
        third = await insert(tx, "contacts", name="V. Lind")
        first = await merge_records(tx, RecordKind.CONTACT, kept, merged)
        second = await merge_records(tx, RecordKind.CONTACT, third, kept)

        with pytest.raises(Conflict, match="undo that merge first"):
            await undo_merge(tx, first.id)
        await undo_merge(tx, second.id)
        await undo_merge(tx, first.id)

        assert await tx.value("SELECT count(*) FROM contacts WHERE deleted_at IS NULL") == 3


async def test_a_domain_that_was_taken_since_stops_the_undo(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        kept = await insert(tx, "companies", name="Lind", domain="lind.example")
        merged = await insert(tx, "companies", name="Lind AB", domain="lind-ab.example")
        merge = await merge_records(tx, RecordKind.COMPANY, kept, merged)
        await insert(tx, "companies", name="New", domain="lind-ab.example")

        with pytest.raises(Conflict, match="took a place"):
            await undo_merge(tx, merge.id)

        assert (await list_merges(tx)).items[0].undone_at is None


async def test_what_cannot_be_merged_is_refused(database: Database, organization: Principal) -> None:
    reader = Principal(
        PrincipalKind.USER, organization.id, organization.organization_id, scopes=frozenset({"contacts:read"})
    )
    async with database.transaction(organization, "test") as tx:
        kept, merged = await _contacts(tx, {}, {})

        with pytest.raises(Conflict, match="itself"):
            await merge_records(tx, RecordKind.CONTACT, kept, kept)
        with pytest.raises(Unprocessable, match="no field"):
            await merge_records(tx, RecordKind.CONTACT, kept, merged, sides={"shoe": Side.KEPT})
        with pytest.raises(Unprocessable, match="cannot be merged"):
            await merge_records(tx, RecordKind.DEAL, kept, merged)
        with pytest.raises(NotFound):
            await merge_records(tx, RecordKind.COMPANY, kept, merged)
    async with database.transaction(reader, "test") as tx:
        with pytest.raises(Forbidden):
            await merge_records(tx, RecordKind.CONTACT, kept, merged)


async def test_a_preview_says_what_links_lead_to(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        link = NewCustomField(RecordKind.CONTACT, "Partner", ValueKind.RECORD, target_kind=RecordKind.COMPANY)
        await create_custom_field(tx, link)
        firms = [await insert(tx, "companies", name=name) for name in ("Acme", "Orbit")]
        kept, merged = [
            await insert(tx, "contacts", name="Vera", custom={"partner": str(firm)}) for firm in firms
        ]

        preview = await preview_merge(tx, RecordKind.CONTACT, kept, merged)

    (choice,) = [one for one in preview.fields if one.field == "custom.partner"]
    assert (choice.kept, choice.merged) == ("Acme", "Orbit")
