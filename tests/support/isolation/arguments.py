"""Arguments for any schema: every id slot is filled by the probe, everything else by something that is accepted."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from pydantic import JsonValue

from core import clock
from tests.support.isolation.theatre import Theatre

Schema = Mapping[str, Any]
# Tells what stands in an id slot.
Choose = Callable[[str], str]

# What a parameter identifies, where its name is not `<noun>_id` of a table; with its operation, where that matters.
MEANINGS: dict[str, str | None] = {
    "conversation": "conversations",
    "selected": "conversations",
    "account_id": "channel_accounts",
    "after": "events",
    "last-event-id": "events",
    "entity_id": "contacts",
    "target_id": "contacts",
    "into_id": "tags",
    "from_id": "contacts",
    "subject_id": "contacts",
    "privacy_export_id": "privacy_requests",
    "source_id": "messages",
    "assignee_id": "users",
    "holder_id": "users",
    "owner_id": "members",
    # whoever takes the one who asks out, proves nothing further
    "member_id": "members to spare",
    "to_member_id": "members who stay",
    "POST /api/v1/conversations/{conversation_id}/person member_id": "members",
    "POST /conversations/{conversation_id}/person member_id": "members",
    "POST /api/v1/teams member_id": "members",
    "PATCH /api/v1/teams/{team_id} member_id": "members",
    "POST /settings/teams/{team_id} member_id": "members",
    "POST /api/v1/teams lead_id": "members",
    "PATCH /api/v1/teams/{team_id} lead_id": "members",
    "responsible_user_id": "users",
    "member": "users",
    "handle_id": "contact_handles",
    "event_id": "events",
    **{
        f"GET {place} {name}": meaning
        for place in ("/audit", "/audit/entries.{form}")
        for name, meaning in {"who": "users", "subject_id": "contacts", "run_id": "runs"}.items()
    },
    "GET /api/v1/audit/entries who": "users",
    "pipeline": "pipelines",
    "GET /deals stage": "stages",
    "owner": "members",
    "stakeholder_id": "contacts",
    "to_stage_id": "stages",
    "move_to": "stages",
    "transition_id": "stage_transitions",
    "removed": "documents",
    "match_id": "contact_matches",
    "replay_id": "run_replays",
    # what an issuer calls us, and what somebody is called by an issuer: no tenant's
    "client_id": None,
    "partner_id": "bidi",
    "identity_id": None,
    "chat_id": "copilot_chats",
    "question_id": "copilot_questions",
    "replaces_id": "facts",
    "kept_id": "contacts",
    "merged_id": "contacts",
    "known": "messages",
    # the number of a row of the file
    "GET /imports/{import_id} after": None,
    "GET /api/v1/imports/{import_id}/rows after": None,
    "POST /api/v1/bulk-edits id": "contacts",
    "POST /bulk-edits id": "contacts",
    "GET /evaluations/{eval_run_id}/comparison before": "eval_runs",
    "add_tag": "tags",
    "remove_tag": "tags",
    **{
        f"GET {place} {name}": "views"
        for place in ("/contacts", "/companies", "/leads", "/deals/table")
        for name in ("removed", "view")
    },
    "GET /segments removed": "segments",
    # the position of a record in its edit
    "GET /bulk-edits/{bulk_edit_id} after": None,
    "GET /api/v1/bulk-edits/{bulk_edit_id}/records after": None,
    "GET /settings/privacy contact": None,
    "GET /mails/{message_id} message_id": "messages by mail",
    **{
        f"{method} /{path}/{{record_id}}{place} record_id": noun
        for path, noun in (
            ("contacts", "contacts"),
            ("companies", "companies"),
            ("leads", "leads"),
            ("deals", "deals"),
            ("deals/table", "deals"),
        )
        for method, place in (
            ("GET", "/row"),
            ("GET", "/cells/{name}"),
            ("POST", "/cells/{name}"),
            ("GET", ""),
            ("GET", "/fields/{name}"),
            ("POST", "/fields/{name}"),
            ("POST", "/tags"),
            ("POST", "/tags/{tag_id}/removal"),
            ("POST", "/facts/{fact_id}/confirmation"),
            ("POST", "/facts/{fact_id}/retraction"),
            ("POST", "/removal"),
            ("POST", "/restoration"),
            ("GET", "/move"),
            ("POST", "/move"),
        )
    },
    "record_id": "contacts",
    "GET /tasks done": "tasks",
    "GET /records/{record_kind}/{record_id}/{part} edit": "notes",
    "GET /api/v1/tasks assignee_id": "members",
    "POST /api/v1/tasks assignee_id": "members",
    "PATCH /api/v1/tasks/{task_id} assignee_id": "members",
}

# Values of parameters that are no ids, where the schema alone does not tell what is accepted.
VALUES: dict[str, JsonValue] = {
    "record_kind": "contact",
    "title": "Call",
    "starts": "2026-12-01T09:00",
    "stage": "Proposal",
    "predicate": "budget",
    "version": 1,
    "theme": "dark",
    "locale": "en",
    "back": "/inbox",
    "email": "nobody@nowhere.example",
    "language": "en",
    "part": "list",
    "url": "https://example.com/getsale",
    "scope": "contacts:read",
    "event_type": "contact.created",
    "days": 30,
    "body": "Hello",
    "feedback": "Shorter, please",
    "name": "name",
    "source": "a web form",
    "kind": "link",
    "value": "https://lind.example",
    "field": "amount",
    "rule": "no_open_tasks",
    "tool": "list_contacts",
}

# Objects of which the schema does not tell what may stand in them.
OBJECTS: dict[str, JsonValue] = {"arguments": {"title": "Call"}}

# Parameters that are searched for, in pages, REST and tools.
SEARCHED = frozenset({"q", "text", "question", "query"})

# Words of the victim: what everything that searches is asked for.
SEARCHES = ("contacts.name", "companies.name", "contact_handles.value", "memories.text", "documents.name",
            "search_words.word")  # fmt: skip

# Stands for an uploaded file.
FILE = "a file"

# Filled in even where they may be left out: without them the operation refuses before it looks at an id.
TELLING = frozenset(
    {"body", "feedback", "field", "name", "source", "kind", "value", "record_kind", "title", "starts"}
)


class UnknownParameter(AssertionError):
    """An id parameter of which nobody has said what it identifies."""


def meaning_of(name: str, schema: Schema, tables: Mapping[str, object], where: str) -> str | None:
    """The table whose ids a parameter takes, or None when it takes none."""
    for known in (f"{where} {name}", name):
        if known in MEANINGS:
            return MEANINGS[known]
    noun = name.removesuffix("_id")
    for plural in (noun, f"{noun}s", f"{noun.removesuffix('y')}ies"):
        if noun != name and plural in tables:
            return plural
    if schema.get("format") == "uuid" or noun != name:
        raise UnknownParameter(
            f"{where} takes {name}; say in tests/support/isolation/arguments.py, MEANINGS, what it identifies."
        )
    return None


class Filler:
    """Fills schemas of one operation; `slots` are the id parameters it met, as name -> table.

    `optional` are those among them that may be left out: then the probe chooses "".
    """

    def __init__(self, theatre: Theatre, where: str, definitions: Schema) -> None:
        self._tables = theatre.catalogue.tables
        self._where = where
        self._definitions = definitions
        self.slots: dict[str, str] = {}
        self.optional: set[str] = set()

    def fill(self, name: str, schema: Schema, choose: Choose) -> JsonValue:
        schema = self._resolve(schema)
        if name in OBJECTS:
            return OBJECTS[name]
        if schema.get("type") == "object" or "properties" in schema:
            return self._object(schema, choose)
        if schema.get("type") == "array":
            item = self._resolve(schema.get("items", {}))
            return [self.fill(name.removesuffix("s"), item, choose)]
        table = meaning_of(name.lower(), schema, self._tables, self._where)
        if table is not None:
            self.slots[name] = table
            return choose(name)
        return _plain(name, schema)

    def _object(self, schema: Schema, choose: Choose) -> JsonValue:
        required = schema.get("required", [])
        filled = {
            name: self.fill(name, inner, choose)
            for name, inner in schema.get("properties", {}).items()
            if name in required or self._is_worth_it(name, inner)
        }
        self.optional |= {name for name in filled if name in self.slots and name not in required}
        return {name: value for name, value in filled.items() if value != "" or name in required}

    def _is_worth_it(self, name: str, schema: Schema) -> bool:
        """Optional parameters are left out, unless they take an id or hold something that may."""
        inner = self._resolve(schema)
        if name in TELLING:
            return True
        if inner.get("type") in ("object", "array"):
            item = self._resolve(inner.get("items", inner))
            return "properties" in item or item.get("format") == "uuid"
        return meaning_of(name.lower(), inner, self._tables, self._where) is not None

    def _resolve(self, schema: Schema) -> Schema:
        while True:
            if "$ref" in schema:
                schema = self._definitions[str(schema["$ref"]).rsplit("/", 1)[-1]]
            elif "anyOf" in schema or "oneOf" in schema:
                choices = schema.get("anyOf") or schema.get("oneOf") or []
                schema = next(choice for choice in choices if choice.get("type") != "null")
            elif len(schema.get("allOf", [])) == 1:
                schema = schema["allOf"][0]
            else:
                return schema


def _plain(name: str, schema: Schema) -> JsonValue:
    if "contentMediaType" in schema or schema.get("format") == "binary":
        return FILE
    if "const" in schema:
        return schema["const"]  # type: ignore[no-any-return]
    if "enum" in schema:
        return schema["enum"][0]  # type: ignore[no-any-return]
    if name in VALUES:
        return VALUES[name]
    if "default" in schema:
        return schema["default"]  # type: ignore[no-any-return]
    match schema.get("type"):
        case "integer" | "number":
            return int(schema.get("minimum", 1))
        case "boolean":
            return False
        case _ if schema.get("format") == "date-time":
            return (clock.now() + timedelta(days=1)).isoformat()
        case _:
            return "Hello there"[: int(schema.get("maxLength", 100))]
