"""Keys by REST: scopes that hold, ends that come, and never more than the maker may."""

from datetime import timedelta

import httpx2
import pytest

from core import clock
from core.db import Database
from core.principal import Principal
from crm.identity.models import ALL_SCOPES, SCOPES, Role
from tests.api.conftest import Callers
from tests.support.callers import Caller

READS = ["contacts:read"]


async def _make(maker: Caller, *scopes: str, **more: object) -> httpx2.Response:
    return await maker.post("/api-keys", {"scopes": list(scopes), **more})


async def _with(callers: Callers, made: httpx2.Response) -> httpx2.AsyncClient:
    """A program that calls with the key of this answer; paths are whole."""
    assert made.status_code == 201, made.text
    program = await callers.stranger()
    program.headers["Authorization"] = f"Bearer {made.json()['secret']}"
    return program


async def test_a_key_does_what_its_scopes_say_and_nothing_else(api: Caller, callers: Callers) -> None:
    program = await _with(callers, await _make(api, "contacts:read"))

    read = await program.get("/api/v1/contacts")
    write = await program.post("/api/v1/contacts", json={"name": "Vera"})
    other = await program.get("/api/v1/conversations")

    assert (read.status_code, write.status_code, other.status_code) == (200, 403, 403)
    assert write.json()["scope"] == "contacts:write"


async def test_the_secret_is_shown_once(api: Caller) -> None:
    made = (await _make(api, "contacts:read", name="Report")).json()

    read = await api.get(f"/api-keys/{made['id']}")
    listed = await api.get("/api-keys")

    assert made["secret"].startswith(made["prefix"])
    assert made["secret"] not in read.text + listed.text
    assert (read.json()["name"], read.json()["scopes"]) == ("Report", READS)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.BIDI])
async def test_nobody_gives_a_key_more_than_they_have(
    callers: Callers, organization: Principal, role: Role
) -> None:
    member = await callers.member(organization, role)
    lacking = sorted(ALL_SCOPES - SCOPES[role])

    refused = [await _make(member, scope) for scope in lacking]
    allowed = await _make(member, *SCOPES[role])

    assert len(refused) > 3
    assert {answer.status_code for answer in refused} == {403}
    assert [answer.json()["scope"] for answer in refused] == lacking
    assert allowed.status_code == 201


async def test_a_key_makes_no_key_that_may_more(api: Caller, callers: Callers) -> None:
    maker = await _with(callers, await _make(api, "contacts:read", "api_keys:write"))
    reader = await _with(callers, await _make(api, "contacts:read"))

    same = await maker.post("/api/v1/api-keys", json={"scopes": ["contacts:read"]})
    more = await maker.post("/api/v1/api-keys", json={"scopes": ["contacts:read", "contacts:write"]})
    none = await reader.post("/api/v1/api-keys", json={"scopes": ["contacts:read"]})

    assert [answer.status_code for answer in (same, more, none)] == [201, 403, 403]


async def test_a_key_shrinks_with_the_role_of_its_person(
    callers: Callers, organization: Principal, database: Database
) -> None:
    rep = await callers.member(organization, Role.BIDI)
    program = await _with(callers, await _make(rep, "contacts:read", "contacts:write"))
    before = await program.post("/api/v1/contacts", json={"name": "Vera"})
    async with database.transaction(organization, "test") as tx:
        await tx.execute(
            "UPDATE members SET role = 'viewer' WHERE user_id = %(user_id)s", user_id=rep.person.id
        )

    after = await program.post("/api/v1/contacts", json={"name": "Tomas"})

    assert (before.status_code, after.status_code) == (201, 403)


async def test_a_key_ends_when_it_said_it_would(
    api: Caller, callers: Callers, organization: Principal, database: Database
) -> None:
    made = await _make(api, "contacts:read", expires_at=(clock.now() + timedelta(days=1)).isoformat())
    program = await _with(callers, made)
    before = await program.get("/api/v1/contacts")
    async with database.transaction(organization, "test") as tx:
        await tx.execute(
            "UPDATE api_keys SET expires_at = %(now)s WHERE id = %(id)s",
            now=clock.now(),
            id=made.json()["id"],
        )

    after = await program.get("/api/v1/contacts")

    assert (before.status_code, after.status_code) == (200, 401)


async def test_a_revoked_key_is_out_at_once(api: Caller, callers: Callers) -> None:
    made = await _make(api, "contacts:read")
    program = await _with(callers, made)
    revoked = await api.post(f"/api-keys/{made.json()['id']}/revocation")

    assert revoked.json()["revoked_at"] is not None
    assert (await program.get("/api/v1/contacts")).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": ["*"]},
        {"scopes": READS, "expires_at": "2020-01-01T00:00:00Z"},
        {},
    ],
)
async def test_what_cannot_be_is_refused_by_name(api: Caller, body: dict[str, object]) -> None:
    refused = await api.post("/api-keys", body)

    assert refused.status_code == 422
    assert "scopes" in refused.text or "expires_at" in refused.text


async def test_members_see_their_own_keys_and_managers_everybodys(
    callers: Callers, organization: Principal
) -> None:
    owner = await callers.of(organization)
    rep = await callers.member(organization, Role.BIDI)
    theirs, own = f"/api-keys/{rep.key.id}", f"/api-keys/{owner.key.id}"

    listed = [{key["id"] for key in (await one.get("/api-keys")).json()["items"]} for one in (rep, owner)]

    assert listed == [{str(rep.key.id)}, {str(rep.key.id), str(owner.key.id)}]
    assert (await rep.get(own)).status_code == 404
    assert (await rep.post(f"{own}/revocation")).status_code == 404
    assert (await owner.post(f"{theirs}/revocation")).status_code == 200


async def test_keys_of_another_organization_are_not_listed(
    callers: Callers, organization: Principal, other_organization: Principal
) -> None:
    mine, neighbour = await callers.of(organization), await callers.of(other_organization)

    listed = (await neighbour.get("/api-keys")).json()["items"]

    assert [key["id"] for key in listed] == [str(neighbour.key.id)]
    assert (await neighbour.get(f"/api-keys/{mine.key.id}")).status_code == 404
