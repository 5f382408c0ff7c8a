"""Role x permission over every route, page, stream and tool: each answers each role as the declared table says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from api.permissions import API
from crm.identity.models import Role
from tests.support.isolation import http, tools
from tests.support.isolation.harness import Harness
from tests.support.isolation.http import NOBODY, Ask, Caller
from tests.support.isolation.surface import Operation
from web.permissions import PAGES

# one worker builds the theatre once
pytestmark = pytest.mark.xdist_group("isolation")

# Where an open door is not all: what the action refuses further on, to whom, and why.
REFUSED_FURTHER = {
    **dict.fromkeys(
        ("POST /api/v1/merges", "POST /merges", "POST /api/v1/bulk-edits", "POST /bulk-edits"),
        ({Role.BIDI}, "reaches rows that they do not see"),
    ),
    "POST /api/v1/companies": ({Role.BIDI}, "makes it for somebody else, who alone would see it"),
    "PUT /api/v1/members/{member_id}/role": (
        {Role.ADMIN},
        "asks for an owner, which is above an administrator",
    ),
    "POST /settings/members/{member_id}/role": ({Role.ADMIN}, "asks for an owner"),
    "PATCH /api/v1/seats/{bidi_id}": ({Role.SUPERVISOR}, "only what an agent is told, docs/decisions"),
    "POST /seats/{bidi_id}": ({Role.SUPERVISOR}, "only what an agent is told"),
    "POST /api/v1/api-keys": (
        {Role.SUPERVISOR, Role.BIDI, Role.VIEWER},
        "the key asks for more than its maker holds",
    ),
}
# What changes something and is open to those who only look, and why.
OWN_THINGS = {
    "POST /api/v1/api-keys": "a key holds no more than its maker",
    "POST /api/v1/api-keys/{api_key_id}/revocation": "one's own key",
    "POST /settings/api-keys": "a key holds no more than its maker",
    "POST /settings/api-keys/{api_key_id}/revocation": "one's own key",
    "POST /api/v1/notifications/reading": "what one was told oneself",
    "POST /api/v1/notifications/{notification_id}/reading": "what one was told oneself",
    "POST /notifications/reading": "what one was told oneself",
    "POST /notifications/{notification_id}/reading": "what one was told oneself",
    "POST /api/v1/assignment-rules/trial": "looks who would get it",
    "POST /api/v1/merge-previews": "looks what would come of it",
    "POST /api/v1/tool-calls": "each tool asks for its own permission",
    "POST /api/v1/ws-tickets": "each topic asks for its own permission",
    "POST /mcp": "each tool asks for its own permission",
    "POST /copilot": "one's own chat; the copilot may do no more than its asker",
    "POST /copilot/{chat_id}/questions": "one's own chat",
    "POST /copilot/{chat_id}/removal": "one's own chat",
    "POST /copilot/questions/{question_id}/cancellation": "one's own question",
    "POST /organizations": "an organization of one's own",
    "POST /organizations/{organization_id}/entry": "an organization that one is a member of",
    "POST /join/{secret}": "an invitation of one's own",
    "POST /join/{secret}/account": "an invitation, by somebody new",
    "POST /profile/identities": "one's own way in",
    "POST /profile/identities/{identity_id}/removal": "one's own way in",
    "POST /session/issuer": "off to an issuer",
    "POST /session/issuer/link": "whoever has the link of a mail",
    "POST /preferences": "one's own language and theme",
    "POST /session": "signing in",
    "POST /session/end": "signing out",
    "POST /api/v1/auth/tokens": "signing in",
    "POST /api/v1/auth/refresh": "signing in",
    "POST /api/v1/auth/sign-out": "signing out",
    "POST /sign-up": "an organization of one's own",
    "POST /sign-up/confirmation": "an organization of one's own",
    "POST /password/forgotten": "one's own password",
    "POST /password/new": "one's own password",
    "POST /profile": "one's own name and time zone",
    "POST /profile/password": "one's own password",
    "POST /profile/second-factor": "one's own second factor",
    "POST /profile/second-factor/confirmation": "one's own second factor",
    "POST /profile/second-factor/recovery-codes": "one's own second factor",
    "POST /profile/second-factor/removal": "one's own second factor",
    "POST /session/code": "signing in",
    "POST /sessions/revocation": "one's own sessions",
    "POST /sessions/{session_id}/revocation": "one's own session",
    "POST /api/v1/sessions/{session_id}/revocation": "one's own session",
    "POST /webhooks/telegram/{account_id}": "Telegram, which proves itself by its secret",
}

# Where 401 says that a password or a token is wrong, whoever brings it.
SIGNING_IN = frozenset({"POST /session", "POST /api/v1/auth/tokens", "POST /api/v1/auth/refresh"})


@dataclass(frozen=True)
class Door:
    """What the declared table says of one route."""

    scopes: tuple[str, ...]
    is_public: bool

    def opens_to(self, role: str) -> bool:
        if role == NOBODY:
            return self.is_public
        return not self.scopes or any(Role(role).may(scope) for scope in self.scopes)


def _door(operation: Operation) -> Door:
    doors = API if operation.name in API.needs else PAGES
    return Door(doors.needs[operation.name], operation.name in doors.public)


def test_every_route_is_in_a_table_and_no_line_is_left_over(harness: Harness) -> None:
    routes = {operation.name for operation in harness.surface.operations}

    assert routes - API.needs.keys() - PAGES.needs.keys() == set(), (
        "name it in api/permissions.py or web/permissions.py"
    )
    assert (API.needs.keys() | PAGES.needs.keys()) - routes == set(), "there is no such route any more"


def test_who_only_looks_is_let_into_nothing_that_changes_something(harness: Harness) -> None:
    changing = [one for one in harness.surface.operations if one.method not in ("GET", "HEAD")]

    assert len(changing) > 250
    assert {one.name for one in changing if _door(one).opens_to(Role.VIEWER)} == set(OWN_THINGS)


async def test_every_route_answers_every_role_as_the_table_says(harness: Harness) -> None:
    people = await _people(harness)
    asked, wrong = 0, []
    # what takes a row away comes after what looks for it, and whoever may less knocks first
    for operation in sorted(harness.surface.operations, key=lambda operation: operation.method == "DELETE"):
        for person in sorted(people, key=_power):
            # what would end the one who asks is asked by those it is closed to
            is_last = operation.name in http.ENDING and _door(operation).opens_to(person.role)
            if operation.name not in http.ENDLESS and not is_last:
                asked += 1
                await harness.theatre.welcome_back()
                wrong += await _knock(harness, person, operation)

    assert not wrong, "\n".join(wrong)
    assert asked > 2500


async def _people(harness: Harness) -> list[Caller]:
    """One of each role, and somebody who is not signed in and has the page's own form before them."""
    people = [person for person in harness.people if person.role in list(Role)]
    nobody = next(person for person in harness.people if person.role == NOBODY)
    return [replace(nobody, csrf=await http.csrf_of(nobody.client, "/session/new")), *people]


def _power(person: Caller) -> int:
    return -1 if person.role == NOBODY else -list(Role).index(Role(person.role)) + 10


async def _knock(harness: Harness, person: Caller, operation: Operation) -> list[str]:
    own = http.own_ids(harness.theatre, http.slots_of(harness.theatre, operation))
    answer = await http.send(harness.theatre, person, Ask(operation, own))
    return _judge(person, operation, answer.status, answer.raw)


def _judge(person: Caller, operation: Operation, status: int, text: str) -> list[str]:
    """What is wrong with an answer; whoever is not signed in is led to the door or told so."""
    door = _door(operation)
    is_open = door.opens_to(person.role) and person.role not in REFUSED_FURTHER.get(operation.name, ((),))[0]
    if person.role == NOBODY and not door.is_public:
        is_right = status in (401, 403) or (status == 303 and "location: /session/new" in text)
    else:
        is_right = (status not in (401, 403)) is is_open
        is_right = is_right or (operation.name in SIGNING_IN and status == 401)
    told = "is open to" if is_open else "is closed to"
    return (
        [] if is_right else [f"{operation.name} {told} {person.role}, and answered {status}: {text[-200:]!r}"]
    )


async def test_every_event_stream_opens_as_the_table_says(harness: Harness) -> None:
    wrong = []
    for operation in (one for one in harness.surface.operations if one.name in http.ENDLESS):
        own = http.own_ids(harness.theatre, http.slots_of(harness.theatre, operation))
        for person in (one for one in harness.people if one.role == NOBODY or one.role in list(Role)):
            path = operation.path.format(**own)
            query = {"kind": "contact"} if operation.path == "/live/records" else {}
            async with person.client.stream("GET", path, params=query) as answer:
                wrong += _judge(
                    person, operation, answer.status_code, f"location: {answer.headers.get('location')}"
                )

    assert not wrong, "\n".join(wrong)


async def test_every_tool_is_offered_and_open_to_the_roles_that_hold_its_permission(harness: Harness) -> None:
    # whoever may stop the agents has stopped them all in another test
    await harness.theatre.admin.execute("UPDATE bidi SET is_paused = false, archived_at = NULL")
    wrong: list[str] = []
    for person in (one for one in harness.people if one.role in list(Role)):
        offered = {tool["name"] for tool in (await person.client.get("/api/v1/tools")).json()}
        expected = {tool.name for tool in harness.tools if Role(person.role).may(tool.scope)} - {"recall"}
        if offered != expected:
            wrong.append(f"{person.role} is offered {sorted(offered ^ expected)} otherwise")
        closed = [tool for tool in harness.tools if tool.name not in expected | {"recall"}]
        wrong += await _call_closed(harness, person, [tool.name for tool in closed])

    assert not wrong, "\n".join(wrong)


async def _call_closed(harness: Harness, person: Caller, names: Sequence[str]) -> list[str]:
    """A tool that is not offered is refused to who names it anyway."""
    wrong = []
    for tool in (one for one in harness.tools if one.name in names):
        own = http.own_ids(harness.theatre, tools.slots_of(harness.theatre, tool))
        call = {"tool": tool.name, "arguments": tools.arguments_of(harness.theatre, tool, own)}
        answer = await person.client.post(
            "/api/v1/tool-calls", json=call, headers={"X-CSRF-Token": person.csrf}
        )
        if answer.json().get("code") != "forbidden":
            wrong.append(f"{tool.name} as {person.role}: {answer.text[:200]}")
    return wrong
