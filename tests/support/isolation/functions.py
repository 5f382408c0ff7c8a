"""Functions of the database, called by the attacker with the victim's ids and values."""

from collections.abc import Iterator
from functools import partial
from itertools import product

import psycopg
from psycopg import sql

from tests.support.isolation.arguments import UnknownParameter, meaning_of
from tests.support.isolation.catalogue import Function
from tests.support.isolation.probes import Probe
from tests.support.isolation.sql import run_undone
from tests.support.isolation.theatre import ROLES, Theatre

# SECURITY DEFINER functions see every tenant: who calls them, and what an answer may hold for the victim's own key.
DEFINERS: dict[str, tuple[str, frozenset[str]]] = {
    "login_account": (
        "sign-in checks a password before a tenant is known; the caller names the email",
        frozenset({"user_id", "password_hash", "organization_id"}),
    ),
    "session_account": (
        "whoever holds the token is the person",
        frozenset(
            {
                "session_id",
                "user_id",
                "organization_id",
                "member_id",
                "role",
                "name",
                "email",
                "locale",
                "time_zone",
                "is_confined",
            }
        ),
    ),
    "identity_account": (
        "an issuer vouches for whoever comes back from it",
        frozenset({"email", "user_id", "password_hash", "organization_id"}),
    ),
    "closing_organizations": (
        "the worker claims no work of what is closed; ids only",
        frozenset({"closing_organizations"}),
    ),
    "remove_organization_rows": ("due work removes the transaction's own organization", frozenset()),
    "api_key_account": (
        "whoever holds the key is the person",
        frozenset({"key_id", "user_id", "organization_id", "role", "scopes", "last_used_at"}),
    ),
    "credentials_in_force": (
        "open sockets of a process ask which of their own credentials still hold",
        frozenset({"credential_id", "user_id", "organization_id", "role", "scopes"}),
    ),
    "refresh_token_holder": (
        "whoever holds the token is the person",
        frozenset({"token_id", "organization_id", "user_id"}),
    ),
    "organization_of_sign_up": ("a link of a mail names its sign-up", frozenset({"organization_of_sign_up"})),
    "organization_of_reset": ("a link of a mail names its reset", frozenset({"organization_of_reset"})),
    "organization_of_api_key": ("a command names a key", frozenset({"organization_of_api_key"})),
    "organization_of_account": ("a webhook names its account", frozenset({"organization_of_account"})),
    "organization_by_slug": ("commands name an organization", frozenset({"organization_by_slug"})),
    "invitation_by_token": (
        "whoever holds the link was invited",
        frozenset(
            {
                "invitation_id",
                "organization_id",
                "organization_name",
                "email",
                "role",
                "inviter",
                "expires_at",
            }
        ),
    ),
    "organizations_of_user": (
        "the switcher asks for whoever is signed in",
        frozenset({"organization_id", "slug", "name", "role"}),
    ),
    "refresh_statistics": ("an import tells the planner that tables have grown", frozenset()),
    **dict.fromkeys(
        (
            *("is_partner", "held_conversations", "met_contacts", "masked_handles"),
            *("own_member", "own_seats", "own_contacts", "own_runs", "seen_conversations", "seen_deals"),
            *("own_deals", "own_leads", "companies_of", "seen_findings"),
            *(
                "seen_leads",
                "seen_contacts",
                "seen_companies",
                "seen_records",
                "seen_accounts",
                "seen_meetings",
            ),
        ),
        ("the policies of sight ask them, within the tenant; ids only", frozenset[str]()),
    ),
    "all_organizations": ("the worker looks at each in turn; ids only", frozenset({"all_organizations"})),
}

# What an argument of a function means, where its name does not tell: a table of ids, or `table.column` of values.
ARGUMENTS = {
    "login_account.login_email": "users.email",
    "identity_account.wanted_provider": "organizations",
    "session_account.session_token_hash": "sessions.token_hash",
    "api_key_account.wanted_hash": "api_keys.key_hash",
    "refresh_token_holder.wanted_hash": "refresh_tokens.token_hash",
    "organization_of_sign_up.wanted_hash": "sign_ups.token_hash",
    "organization_of_reset.wanted_hash": "password_resets.token_hash",
    "credentials_in_force.wanted": "sessions",
    "organization_of_api_key.wanted": "api_keys",
    "invitation_by_token.wanted_hash": "invitations.token_hash",
    "organizations_of_user.wanted_user": "users",
    "organization_by_slug.wanted": "organizations.slug",
    "organization_of_account.account_id": "channel_accounts",
    "is_visible_thread.thread": "conversations",
    "masked_handles.wanted_contacts": "contacts",
    "companies_of.contacts": "contacts",
    "companies_of.deals": "deals",
    "graph_strongest.node": "graph_nodes",
    "graph_warm_path.target": "graph_nodes",
    "graph_warm_path.sources": "graph_nodes",
    "graph_expand.reached": "graph_nodes",
    "graph_cost.reached": "graph_nodes",
}
PLAIN = {
    "integer": "10",
    "bigint": "10",
    "real": "0",
    "timestamp with time zone": "2100-01-01",
    "text": "x",
    "regclass": "contacts",
    "boolean": "true",
}


class UnknownFunction(AssertionError):
    """A function that no probe knows how to call."""


def function_probes(theatre: Theatre) -> Iterator[Probe]:
    """Every function x role x the victim's values."""
    for function in theatre.catalogue.functions:
        choices = [_values(theatre, function, name, kind) for name, kind in function.arguments]
        for number, values in enumerate(product(*choices)):
            for role in ROLES:
                ask = partial(_call, theatre, role, function, values)
                yield Probe("function", function.name, f"values {number} as {role}", ask)


def _values(theatre: Theatre, function: Function, name: str, kind: str) -> list[str]:
    meaning = ARGUMENTS.get(f"{function.name}.{name}") or _table_of(theatre, name)
    if not meaning and kind in PLAIN:
        return [PLAIN[kind]]
    if not meaning:
        raise UnknownFunction(
            f"The function {function.name} takes {name} {kind}; say in tests/support/isolation/functions.py, "
            "ARGUMENTS, what it means."
        )
    table, _, column = meaning.partition(".")
    if column:
        value = theatre.canary_rows[table][column]
        return ["\\x" + value.hex() if isinstance(value, bytes) else str(value)]
    ids = theatre.victim.ids[table]
    match kind:
        case "uuid[]":
            return ["{" + ",".join(ids) + "}"]
        case "graph_reached[]":
            return ["{" + ",".join(f'"({id},1,,)"' for id in ids) + "}"]
        case _:
            return ids


def _table_of(theatre: Theatre, name: str) -> str:
    try:
        return meaning_of(name, {}, theatre.catalogue.tables, "a function") or ""
    except UnknownParameter:
        return ""


async def _call(theatre: Theatre, role: str, function: Function, values: tuple[str, ...]) -> list[str]:
    kinds = [kind for _, kind in function.arguments]
    call = sql.SQL("{}({})").format(
        sql.Identifier(function.name),
        sql.SQL(", ").join(
            sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(kind))
            for value, kind in zip(values, kinds, strict=True)
        ),
    )
    allowed = DEFINERS[function.name][1] if function.name in DEFINERS else frozenset()
    query = sql.SQL(
        "SELECT to_jsonb(answer) - {}::text[] AS answer FROM (SELECT * FROM {}) AS answer"
    ).format(sql.Literal(sorted(allowed)), call)
    try:
        _, text = await run_undone(theatre, role, query)
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported):
        return []
    except psycopg.Error as err:
        return [f"it could not be called: {err}"]
    return theatre.leaks(text, values)


def unexplained_definers(theatre: Theatre) -> list[str]:
    """SECURITY DEFINER functions without a case."""
    return [
        function.name
        for function in theatre.catalogue.functions
        if function.is_definer and function.name not in DEFINERS
    ]
