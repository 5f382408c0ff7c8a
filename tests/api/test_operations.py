"""Every operation of the API: it works, it is refused to who may not, and it knows no strange ids."""

from uuid import uuid4

import httpx2
import pytest

from api.main import create_app
from core.db import Database
from core.principal import Principal
from crm.identity.models import Role
from tests.api.conftest import Callers
from tests.support.callers import Caller
from tests.support.desk import Desk
from tests.support.entries import entries_since, last_event, untold
from tests.support.operations import BY_NAME, OPERATIONS, PUBLIC, Operation

every = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
ABOUT_ONE = [one for one in OPERATIONS if one.is_about_one]


async def _do(caller: Caller, operation: Operation, ids: dict[str, object]) -> httpx2.Response:
    body = operation.body and {name: _filled(value, ids) for name, value in operation.body.items()}
    return await caller.call(operation.method, operation.at(ids), body)


def _filled(value: object, ids: dict[str, object]) -> object:
    """A value of a body with ids of the desk where it names them."""
    if isinstance(value, list):
        return [_filled(one, ids) for one in value]
    return value.format(**ids) if isinstance(value, str) else value


def test_every_operation_of_the_document_has_a_case_here() -> None:
    paths = create_app().openapi()["paths"]

    documented = {
        details["operationId"]: (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in paths.items()
        if path.startswith("/api/v1/")
        for method, details in methods.items()
    }

    assert {one.name: (one.method, one.path) for one in OPERATIONS} | PUBLIC == documented


# What changes nothing that anybody has to answer for, and why.
WITHOUT_ENTRY = {
    "create_ws_ticket": "a ticket is good once and for a minute, for what its maker may see anyway",
    "preview_merge": "looks what would come of it",
    "try_assignment": "looks who would get it",
    "set_autopilot": "the same as before; what it takes to give more is in tests/web/test_autopilot.py",
    "verify_audit": "it is being verified already; tests/isolation/test_audit.py asks anew",
}


@every
async def test_an_operation_works_and_is_on_record_if_it_changes_something(
    api: Caller, desk: Desk, database: Database, organization: Principal, operation: Operation
) -> None:
    for earlier in operation.first:
        await _do(api, BY_NAME[earlier], dict(desk.ids))
    async with database.transaction(organization, "test") as tx:
        last = await last_event(tx)

    answer = await _do(api, operation, dict(desk.ids))

    async with database.transaction(organization, "test") as tx:
        entries = await entries_since(tx, last)
    # what the seat of a program does is told beside it
    doors = {(one.actor_id, one.via, one.credential_id) for one in entries if one.actor_kind != "bidi"}
    is_changing = operation.method != "GET" and operation.name not in WITHOUT_ENTRY
    assert answer.status_code == operation.status, answer.text
    assert doors == ({(organization.id, "api", api.key.id)} if is_changing else set())
    assert untold(entries) == []


async def test_somebody_who_may_only_look_is_refused_what_changes_something(
    callers: Callers, organization: Principal, desk: Desk
) -> None:
    viewer = await callers.member(organization, Role.VIEWER)

    answers = {one.name: await _do(viewer, one, dict(desk.ids)) for one in OPERATIONS if not one.is_managed}

    refused = {name: answer.json()["scope"] for name, answer in answers.items() if answer.status_code == 403}
    assert refused == {one.name: one.scope for one in OPERATIONS if one.scope}
    assert {answer.status_code for name, answer in answers.items() if name not in refused} <= {200, 201}


async def test_nobody_is_let_in_without_a_key(callers: Callers, desk: Desk) -> None:
    stranger = await callers.stranger()

    answers = [
        await stranger.request(one.method, "/api/v1" + desk.path(one.path), json=one.body)
        for one in OPERATIONS
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {'Bearer realm="getsale"'}
    assert {answer.headers["Content-Type"] for answer in answers} == {"application/problem+json"}


async def test_an_unknown_id_is_not_found(api: Caller, desk: Desk) -> None:
    ids: dict[str, object] = {name: uuid4() for name in desk.ids}

    answers = {one.name: await _do(api, one, ids) for one in ABOUT_ONE}

    assert {name for name, answer in answers.items() if answer.status_code != 404} == set()
    assert {answer.headers["Content-Type"] for answer in answers.values()} == {"application/problem+json"}


async def test_another_organizations_id_is_as_unknown(
    callers: Callers, other_organization: Principal, api: Caller, desk: Desk
) -> None:
    neighbour = await callers.of(other_organization)
    strange: dict[str, object] = {name: uuid4() for name in desk.ids}

    foreign = {one.name: (await _do(neighbour, one, dict(desk.ids))).text for one in ABOUT_ONE}
    unknown = {one.name: (await _do(neighbour, one, strange)).text for one in ABOUT_ONE}

    assert foreign == unknown
    assert all("not_found" in text for text in foreign.values())
    assert (await api.get(desk.path("/drafts/{draft_id}"))).json()["status"] == "pending"


NOT_A_LIST = (
    "search", "list_api_keys", "list_tools", "get_reassignment", "get_day_limits", "list_audit_entries",
    "get_audit_chain",
    "list_permissions", "list_members", "list_invitations", "get_organization", "list_teams", "get_identity_provider",
    "get_organization_deletion", "list_commissions", "list_partners",
)  # fmt: skip


@pytest.mark.parametrize(
    "operation",
    # whoever asks has a key and has done something; tools are the same for everybody
    [
        one
        for one in OPERATIONS
        if one.method == "GET" and not one.is_about_one and one.name not in NOT_A_LIST
    ],
    ids=lambda operation: operation.name,
)
async def test_a_list_holds_ones_own_only(
    callers: Callers, other_organization: Principal, api: Caller, desk: Desk, operation: Operation
) -> None:
    neighbour = await callers.of(other_organization)

    mine, theirs = (await api.get(operation.path)).json(), (await neighbour.get(operation.path)).json()

    assert len(mine["items"]) == operation.listed
    assert theirs == {"items": [], "next_cursor": None}
