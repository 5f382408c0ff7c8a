"""Where a person stands: every table that holds words, how it leads to a person, and what becomes of it.

This page is the one home from which export, erasure and their tests take their answer; a test compares it with the
database, so that a new table cannot be forgotten. Rows go in this order: what hangs on others before those.

A condition is about one row `t` and these ids of a person: `contacts` (the person, with those merged into them),
`conversations`, `leads`, `deals` (without a company: others are a company's), `runs` (of agents for them), `subjects`
(contacts, leads and deals), and `everything`: the ids of all rows that lead to them.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import LiteralString

_MESSAGES: LiteralString = "SELECT m.id FROM messages m WHERE m.conversation_id = ANY(%(conversations)s)"
_DRAFTS: LiteralString = "SELECT d.id FROM drafts d WHERE d.conversation_id = ANY(%(conversations)s)"
_CALLS: LiteralString = "SELECT c.id FROM tool_calls c WHERE c.run_id = ANY(%(runs)s)"
_PROMISES: LiteralString = "SELECT p.id FROM promises p WHERE p.conversation_id = ANY(%(conversations)s)"
_SUGGESTIONS: LiteralString = """
    SELECT s.id FROM suggestions s
     WHERE s.record_id = ANY(%(subjects)s) OR s.conversation_id = ANY(%(conversations)s) OR s.run_id = ANY(%(runs)s)
    """
_MERGES: LiteralString = (
    "SELECT j.id FROM merges j WHERE j.kept_id = ANY(%(contacts)s) OR j.merged_id = ANY(%(contacts)s)"
)
_FILES_OF_IMPORTS: LiteralString = """
    EXISTS (SELECT FROM import_rows r WHERE r.import_id = t.import_id AND r.record_id = ANY(%(subjects)s))
 OR EXISTS (SELECT FROM import_records r WHERE r.import_id = t.import_id AND r.record_id = ANY(%(subjects)s))
    """


class Store(StrEnum):
    """What a person is shown of: several tables each."""

    RECORD = "record"
    CONSENTS = "consents"
    CONVERSATIONS = "conversations"
    SALES = "sales"
    ACTIVITIES = "activities"
    FILES = "files"
    KNOWLEDGE = "knowledge"
    AGENTS = "agents"
    COPILOT = "copilot"
    HISTORY = "history"
    IMPORTS = "imports"
    INDEXES = "indexes"
    ELSEWHERE = "elsewhere"


class Fate(StrEnum):
    """What an erasure does with the rows that lead to a person."""

    REMOVED = "removed"
    EMPTIED = "emptied"
    # removed with a mark, so that the sealed chain still shows that nobody else took them away
    MARKED = "marked"
    # no longer leads to the person, and is otherwise as it was
    UNLINKED = "unlinked"
    # holds nothing of the person but ids, or is somebody else's
    KEPT = "kept"


@dataclass(frozen=True)
class Place:
    """A table with rows that lead to a person, or that may quote one.

    `shows` are the columns that an export gives; `quotes` those in which rows about others may quote the person, who
    is taken out of them; `empty` are the values that stay where a row is not removed; `blob` is the column that names
    a stored file, which lies in `folder`.
    """

    store: Store
    table: str
    leads: LiteralString = ""
    shows: tuple[str, ...] = ()
    fate: Fate = Fate.REMOVED
    empty: dict[str, LiteralString] = field(default_factory=dict)
    quotes: tuple[str, ...] = ()
    blob: str = ""
    folder: str = "blobs"


def _place(
    store: Store,
    table: str,
    leads: LiteralString = "",
    shows: str = "",
    *,
    quotes: str = "",
    blob: str = "",
    folder: str = "blobs",
) -> Place:
    """Rows that go whole."""
    return Place(
        store, table, leads, tuple(shows.split()), quotes=tuple(quotes.split()), blob=blob, folder=folder
    )


def _emptied(
    store: Store,
    table: str,
    leads: LiteralString,
    empty: dict[str, LiteralString],
    *,
    shows: str = "",
    quotes: str = "",
    blob: str = "",
    folder: str = "blobs",
) -> Place:
    """Rows that stay without their words: others rest on them, or they are figures of the organization."""
    shown, quoting = tuple(shows.split()), tuple(quotes.split())
    return Place(store, table, leads, shown, Fate.EMPTIED, empty, quoting, blob, folder)


_HUNG: LiteralString = "t.record_id = ANY(%(subjects)s)"
_OF_RUNS: LiteralString = "t.thread_id = ANY(%(runs)s::uuid[]::text[])"

PLACES: tuple[Place, ...] = (
    # what runs of agents for the person left behind ------------------------------------------------------------------
    _place(Store.AGENTS, "checkpoint_writes", _OF_RUNS),
    _place(Store.AGENTS, "checkpoint_blobs", _OF_RUNS),
    _place(Store.AGENTS, "checkpoints", _OF_RUNS),
    _place(
        Store.AGENTS,
        "model_exchanges",
        "t.call_id IN (SELECT c.id FROM model_calls c WHERE c.run_id = ANY(%(runs)s))",
        "call_id asked_at messages answer",
        quotes="messages answer",
    ),
    _place(Store.AGENTS, "model_calls", "t.run_id = ANY(%(runs)s)", "id run_id task model started_at"),
    _place(
        Store.AGENTS,
        "run_replays",
        "t.run_id = ANY(%(runs)s)",
        "id run_id asked_at body reason calls",
        quotes="body reason calls flags",
    ),
    _place(Store.AGENTS, "tool_visits", "t.run_id = ANY(%(runs)s)"),
    _place(
        Store.AGENTS,
        "approvals",
        "t.draft_id IN (" + _DRAFTS + ") OR t.tool_call_id IN (" + _CALLS + ") OR t.run_id = ANY(%(runs)s)"
        " OR t.suggestion_id IN (" + _SUGGESTIONS + ")",
        "id kind status why reason scope records created_at decided_at",
        quotes="why reason scope records marks",
    ),
    _place(
        Store.AGENTS,
        "tool_calls",
        "t.run_id = ANY(%(runs)s)",
        "id run_id tool arguments status result error started_at",
        quotes="arguments result error",
    ),
    _place(
        Store.AGENTS,
        "suggestions",
        "t.id IN (" + _SUGGESTIONS + ")",
        "id kind title why evidence calls status reason created_at",
        quotes="title why evidence calls reason",
    ),
    _place(
        Store.AGENTS,
        "promises",
        "t.id IN (" + _PROMISES + ")",
        "id conversation_id message_id is_ours quote due_at status noted_at",
        quotes="quote",
    ),
    _place(
        Store.AGENTS,
        "reply_incidents",
        "t.draft_id IN (" + _DRAFTS + ")",
        "id draft_id kind note noted_at",
        quotes="note",
    ),
    _place(
        Store.AGENTS,
        "draft_evidence",
        "t.draft_id IN (" + _DRAFTS + ")",
        "draft_id kind label quote statement occurred_at",
        quotes="label quote statement",
    ),
    # cases of an evaluation that were made from what people decided, and from the person's own talks
    _emptied(
        Store.AGENTS,
        "eval_cases",
        "t.key IN (SELECT d.id::text FROM drafts d WHERE d.conversation_id = ANY(%(conversations)s))"
        " OR t.key LIKE ANY (SELECT c::text || '.%%' FROM unnest(%(conversations)s::uuid[]) c)",
        {"definition": "'{}'", "trace": "NULL", "scores": "'{}'", "error": "''"},
        shows="id key definition scores trace error",
        quotes="definition trace scores error",
    ),
    _place(Store.AGENTS, "eval_judgements", quotes="failure"),
    _place(Store.AGENTS, "eval_judgings", quotes="figures"),
    # what was said --------------------------------------------------------------------------------------------------
    _emptied(
        Store.COPILOT,
        "copilot_chats",
        "EXISTS (SELECT FROM copilot_questions q WHERE q.chat_id = t.id"
        " AND (q.about_id = ANY(%(subjects)s) OR q.about_id = ANY(%(conversations)s)))",
        {"title": "'–'"},
        shows="id title created_at",
        quotes="title",
    ),
    _place(
        Store.COPILOT,
        "copilot_questions",
        "t.about_id = ANY(%(subjects)s) OR t.about_id = ANY(%(conversations)s) OR t.run_id = ANY(%(runs)s)",
        "id question answer citations reason asked_at answered_at",
        quotes="question answer citations reason",
    ),
    _place(
        Store.KNOWLEDGE,
        "memories",
        "t.contact_id = ANY(%(contacts)s) OR t.conversation_id = ANY(%(conversations)s)",
        "id kind conversation_id speaker is_ours title text trust occurred_at recorded_at",
        # what others said of the person is remembered anew from what is left of it
        quotes="speaker title text",
    ),
    _place(Store.KNOWLEDGE, "memory_speakers", "t.thread_id = ANY(%(conversations)s)"),
    _place(
        Store.KNOWLEDGE,
        "memory_terms",
        "t.memory_id IN (SELECT m.id FROM memories m"
        " WHERE m.contact_id = ANY(%(contacts)s) OR m.conversation_id = ANY(%(conversations)s))",
    ),
    Place(
        Store.KNOWLEDGE,
        "facts",
        "t.corrects_id IN (SELECT f.id FROM facts f WHERE f.subject_id = ANY(%(subjects)s)"
        " OR f.object_id = ANY(%(contacts)s) OR (f.source_kind = 'message' AND f.source_id IN ("
        + _MESSAGES
        + ")) OR (f.source_kind = 'conversation' AND f.source_id = ANY(%(conversations)s)))",
        fate=Fate.UNLINKED,
        empty={"corrects_id": "NULL"},
    ),
    _place(
        Store.KNOWLEDGE,
        "facts",
        "t.subject_id = ANY(%(subjects)s) OR t.object_id = ANY(%(contacts)s)"
        " OR (t.source_kind = 'message' AND t.source_id IN (" + _MESSAGES + "))"
        " OR (t.source_kind = 'conversation' AND t.source_id = ANY(%(conversations)s))",
        "id subject_kind predicate object_kind object_id text strength trust source_kind source_label valid_from valid_to"
        " recorded_at retracted_at",
        quotes="text source_label",
    ),
    _place(
        Store.CONVERSATIONS,
        "attachments",
        "t.message_id IN (" + _MESSAGES + ")",
        "id message_id name mime size_bytes status blob_key",
        quotes="name refusal",
        blob="blob_key",
    ),
    _place(
        Store.CONVERSATIONS,
        "mail_threads",
        "t.conversation_id = ANY(%(conversations)s)",
        "mail_id conversation_id",
    ),
    _place(
        Store.CONVERSATIONS,
        "inbound_receipts",
        "EXISTS (SELECT FROM messages m WHERE m.channel_account_id = t.channel_account_id"
        " AND m.external_id = t.external_id AND m.conversation_id = ANY(%(conversations)s))",
    ),
    _place(
        Store.CONVERSATIONS,
        "messages",
        "t.conversation_id = ANY(%(conversations)s)",
        "id conversation_id direction status subject body original_body full_text address kind author_kind occurred_at"
        " sent_at failure",
        quotes="body original_body full_text subject address failure",
    ),
    _place(
        Store.CONVERSATIONS,
        "drafts",
        "t.id IN (" + _DRAFTS + ")",
        "id conversation_id status body original_body language reason model created_at",
        quotes="body original_body reason flags",
    ),
    _place(
        Store.AGENTS,
        "runs",
        "t.id = ANY(%(runs)s)",
        "id agent status outcome reason feedback created_at finished_at",
        quotes="feedback reason outcome",
    ),
    _place(
        Store.CONVERSATIONS,
        "conversations",
        "t.id = ANY(%(conversations)s)",
        "id channel subject address status handoff_reason handoff_summary handoff_next_step created_at last_message_at",
        quotes="subject handoff_summary handoff_next_step",
    ),
    # what hangs on the person, their leads and deals -------------------------------------------------------------------
    _place(
        Store.ACTIVITIES,
        "notes",
        _HUNG,
        "id record_kind record_id body created_at edited_at removed_at",
        quotes="body",
    ),
    _place(
        Store.ACTIVITIES,
        "tasks",
        _HUNG,
        "id record_kind record_id title description due_at done_at created_at removed_at",
        quotes="title description",
    ),
    _place(
        Store.ACTIVITIES,
        "meeting_members",
        "t.meeting_id IN (SELECT m.id FROM meetings m WHERE m.record_id = ANY(%(subjects)s))",
    ),
    _place(
        Store.ACTIVITIES,
        "meeting_contacts",
        "t.contact_id = ANY(%(contacts)s)"
        " OR t.meeting_id IN (SELECT m.id FROM meetings m WHERE m.record_id = ANY(%(subjects)s))",
        "meeting_id contact_id",
    ),
    _place(
        Store.ACTIVITIES,
        "meetings",
        _HUNG,
        "id record_kind record_id title starts_at ends_at place link status outcome notes removed_at",
        quotes="title place link outcome notes",
    ),
    Place(
        Store.ACTIVITIES,
        "meetings",
        "t.id IN (SELECT p.meeting_id FROM meeting_contacts p WHERE p.contact_id = ANY(%(contacts)s))"
        " AND (t.record_id = ANY(%(subjects)s)) IS NOT TRUE",
        ("id", "title", "starts_at", "ends_at", "place", "link", "status"),
        Fate.KEPT,
    ),
    _place(
        Store.FILES,
        "files",
        _HUNG,
        "id record_kind record_id name mime size_bytes created_at removed_at blob_key",
        quotes="name",
        blob="blob_key",
    ),
    Place(
        Store.RECORD,
        "tags",
        "t.id IN (SELECT r.tag_id FROM record_tags r WHERE r.record_id = ANY(%(subjects)s))",
        ("id", "name"),
        Fate.KEPT,
    ),
    _place(Store.RECORD, "record_tags", _HUNG, "record_kind record_id tag_id"),
    _place(Store.IMPORTS, "external_ids", _HUNG, "record_kind source external_id record_id"),
    _place(Store.SALES, "stage_visits", _HUNG, "id record_kind record_id stage_id cause entered_at left_at"),
    _place(Store.SALES, "deal_stakeholders", "t.contact_id = ANY(%(contacts)s)", "deal_id contact_id role"),
    # a deal is a figure of the organization: without the person, and without words where it was only theirs
    _emptied(
        Store.SALES,
        "deals",
        "t.id = ANY(%(deals)s)",
        {
            "name": "'–'",
            "next_step": "''",
            "lost_reason": "''",
            "custom": "'{}'",
            "contact_id": "NULL",
            "lead_id": "NULL",
        },
        shows="id name amount_minor currency close_date next_step lost_reason custom created_at closed_at deleted_at",
        quotes="name next_step lost_reason custom",
    ),
    # a deal of a company is the company's
    Place(
        Store.SALES,
        "deals",
        "(t.contact_id = ANY(%(contacts)s) OR t.lead_id = ANY(%(leads)s)) AND NOT t.id = ANY(%(deals)s)",
        ("id", "name", "amount_minor", "currency", "close_date", "company_id", "created_at", "closed_at"),
        Fate.UNLINKED,
        {"contact_id": "NULL", "lead_id": "NULL"},
    ),
    _place(
        Store.SALES,
        "leads",
        "t.contact_id = ANY(%(contacts)s)",
        "id pipeline_id stage_id source next_step lost_reason created_at converted_at closed_at deleted_at",
        quotes="next_step lost_reason source",
    ),
    # files and rows that the person came from -----------------------------------------------------------------------
    _emptied(
        Store.IMPORTS,
        "table_imports",
        _FILES_OF_IMPORTS,
        # the whole file goes: it holds their row, and nothing is taken over from it any more
        {"blob_key": "NULL", "size_bytes": "0", "sample": "'[]'", "repeated": "'{}'"},
        shows="import_id record_kind mapping",
        quotes="sample repeated",
        blob="blob_key",
        folder="uploads",
    ),
    _place(
        Store.IMPORTS,
        "import_rows",
        "t.record_id = ANY(%(subjects)s)",
        "import_id number verdict label reasons",
        quotes="label reasons",
    ),
    _place(
        Store.IMPORTS,
        "import_records",
        "t.record_id = ANY(%(everything)s)",
        "import_id kind record_id before",
        quotes="before",
    ),
    _place(
        Store.HISTORY,
        "bulk_edit_records",
        "t.record_id = ANY(%(everything)s)",
        "bulk_edit_id record_id verdict label changes",
        quotes="label detail changes reason",
    ),
    _place(
        Store.HISTORY,
        "merge_rows",
        "t.merge_id IN (" + _MERGES + ")",
        "merge_id table_name before after",
        quotes="key before after",
    ),
    _place(
        Store.HISTORY,
        "merges",
        "t.id IN (" + _MERGES + ")",
        "id kept_name merged_name merged_at undone_at",
        quotes="kept_name merged_name",
    ),
    # what was told of it ---------------------------------------------------------------------------------------------
    _place(
        Store.HISTORY,
        "notifications",
        "t.subject_id = ANY(%(everything)s)",
        "id kind title created_at",
        quotes="title",
    ),
    _place(
        Store.HISTORY,
        "webhook_attempts",
        "t.delivery_id IN (SELECT w.id FROM webhook_deliveries w JOIN events e ON e.id = w.event_id"
        " WHERE e.subject_id = ANY(%(everything)s))",
        quotes="response_body error",
    ),
    _place(
        Store.HISTORY,
        "webhook_deliveries",
        "t.event_id IN (SELECT e.id FROM events e WHERE e.subject_id = ANY(%(everything)s))",
        "id event_type payload status created_at",
        quotes="payload",
    ),
    _place(Store.HISTORY, "saved_answers", quotes="content key"),
    # ids and times: who did what when stays on record, the values do not
    Place(
        Store.HISTORY,
        "events",
        "t.subject_id = ANY(%(everything)s) OR t.run_id = ANY(%(runs)s)",
        ("id", "type", "occurred_at", "actor_kind", "actor_id", "subject_kind", "subject_id", "run_id"),
        Fate.KEPT,
    ),
    Place(
        Store.HISTORY,
        "event_changes",
        "t.event_id IN (SELECT e.id FROM events e"
        " WHERE e.subject_id = ANY(%(everything)s) OR e.run_id = ANY(%(runs)s))",
        ("event_id", "changes"),
        Fate.MARKED,
        quotes=("changes",),
    ),
    # work that was still to be done for them; what has not been fanned out yet goes on, the audit waits for it
    _place(
        Store.HISTORY,
        "event_deliveries",
        "t.subject_id = ANY(%(everything)s) AND t.handler <> 'route'",
        quotes="last_error",
    ),
    _place(Store.HISTORY, "due_work", "t.subject_id = ANY(%(everything)s)", quotes="last_error"),
    # copies for finding and looking ----------------------------------------------------------------------------------
    _place(
        Store.INDEXES,
        "search_postings",
        "t.record_id = ANY(%(everything)s) OR t.thread_id = ANY(%(conversations)s)",
    ),
    _place(
        Store.INDEXES,
        "search_entries",
        "t.record_id = ANY(%(everything)s) OR t.thread_id = ANY(%(conversations)s)",
    ),
    _place(Store.INDEXES, "graph_edges", "t.src = ANY(%(contacts)s) OR t.dst = ANY(%(contacts)s)"),
    _place(Store.INDEXES, "graph_nodes", "t.id = ANY(%(contacts)s)", "id name"),
    _place(Store.INDEXES, "contact_match_keys", "t.contact_id = ANY(%(contacts)s)"),
    _place(
        Store.RECORD,
        "contact_matches",
        "t.contact_id = ANY(%(contacts)s) OR t.other_contact_id = ANY(%(contacts)s)",
        "id reason score status created_at",
        quotes="evidence",
    ),
    # where others may quote them --------------------------------------------------------------------------------------
    Place(
        Store.ELSEWHERE,
        "companies",
        "t.id IN (SELECT c.company_id FROM contacts c WHERE c.id = ANY(%(contacts)s))",
        ("id", "name", "domain", "city", "country"),
        Fate.KEPT,
        quotes=("about", "phone", "custom"),
    ),
    _place(Store.ELSEWHERE, "company_matches", quotes="why"),
    _place(Store.ELSEWHERE, "segments", quotes="name filter"),
    _place(Store.ELSEWHERE, "views", quotes="name filter"),
    Place(
        Store.IMPORTS,
        "imports",
        "t.id IN (SELECT r.import_id FROM import_rows r WHERE r.record_id = ANY(%(subjects)s)"
        " UNION SELECT r.import_id FROM import_records r WHERE r.record_id = ANY(%(everything)s))",
        ("id", "kind", "label", "started_at", "finished_at"),
        Fate.KEPT,
        quotes=("label",),
    ),
    _place(Store.ELSEWHERE, "mail_refusals", quotes="reason", blob="blob_key"),
    _place(Store.ELSEWHERE, "privacy_requests", quotes="why"),
    # the person, last: by then nothing leads to them any more ------------------------------------------------------
    _place(
        Store.CONSENTS,
        "contact_consents",
        "t.contact_id = ANY(%(contacts)s)",
        "id channel is_given source given_at recorded_by_kind recorded_by_id",
        quotes="source",
    ),
    _place(
        Store.RECORD,
        "contact_handles",
        "t.contact_id = ANY(%(contacts)s)",
        "id kind value label is_primary suppressed_at suppressed_reason created_at",
        quotes="suppressed_reason label",
    ),
    _place(
        Store.RECORD,
        "contacts",
        "t.id = ANY(%(contacts)s)",
        "id name title company_id language time_zone note telegram_consent suppressed_at suppressed_reason owner_id"
        " bidi_id custom created_at updated_at deleted_at merged_into_id",
        quotes="note suppressed_reason custom",
    ),
)

# Tables with words in which no person of the CRM stands, each with the reason.
NOBODY: dict[str, str] = {
    "api_keys": "of members",
    "assignment_rules": "set up by members",
    "audit_erasures": "what was erased, by keyed hashes",
    "audit_links": "keyed hashes",
    "audit_verifications": "of the audit itself",
    "bidi": "seats of the organization",
    "bulk_edits": "which field was set to what, for many at once",
    "channel_accounts": "of the organization",
    "checkpoint_migrations": "of the checkpointer itself",
    "company_match_keys": "of companies",
    "commissions": "what partners are owed",
    "custom_fields": "set up by members",
    "deletion_requests": "of the organization",
    "document_versions": "the organization's own papers: a person who stands in one is for a person to take out",
    "documents": "the organization's own papers",
    "erased_handles": "keyed hashes",
    "eval_runs": "figures over all cases",
    "event_origins": "from where members acted",
    "event_subjects": "numbers of events by id",
    "graph_projections": "how far a graph is",
    "identity_providers": "set up by members",
    "invitations": "of members",
    "language_models": "set up by members",
    "mail_folders": "numbers of mails",
    "mailboxes": "of the organization",
    "match_sweeps": "how far a look has come",
    "members": "of members",
    "organizations": "of the organization",
    "password_resets": "of members",
    "pipelines": "set up by members",
    "policy_overrides": "set up by members",
    "refresh_tokens": "of members",
    "search_grams": "pieces of words; those that nothing uses any more go with the index",
    "search_words": "words; those that nothing uses any more go with the index",
    "sessions": "of members",
    "sign_ups": "of members",
    "stage_transitions": "set up by members",
    "stages": "set up by members",
    "system_mails": "letters to members",
    "teams": "of members",
    "triggers": "set up by members",
    "webhooks": "set up by members",
}
