"""Programs that sign in: access tokens, refresh tokens that rotate, and forgeries of both."""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from core import access_tokens, clock, crypto
from core.access_tokens import AccessToken
from core.db import Database
from core.errors import Unauthorized
from core.ids import uuid7
from core.principal import Principal
from core.settings import Settings
from crm.identity import refreshing
from crm.identity.refreshing import Refresh
from crm.identity.sessions import Sighting, list_open_sessions
from tests.api.conftest import Callers
from tests.support.desk import SECRET
from tests.support.figures import FIGURE, Record
from tests.support.organizations import PASSWORD, give_password

DERIVE = refreshing.derive_with(SECRET)


@dataclass
class Program:
    """A program that signed in with its person's password."""

    client: httpx2.AsyncClient
    person: Principal
    tokens: dict[str, Any]

    async def call(self, access_token: str = "") -> httpx2.Response:
        bearer = access_token or self.tokens["access_token"]
        return await self.client.get("/api/v1/contacts", headers={"Authorization": f"Bearer {bearer}"})

    async def refresh(self, token: str = "") -> httpx2.Response:
        carried = token or self.tokens["refresh_token"]
        return await self.client.post("/api/v1/auth/refresh", json={"refresh_token": carried})


@pytest.fixture
async def program(callers: Callers, database: Database, organization: Principal) -> Program:
    client = await callers.stranger()
    email = await give_password(database, organization)
    answer = await client.post("/api/v1/auth/tokens", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return Program(client, organization, answer.json())


async def test_a_program_signs_in_and_calls(program: Program) -> None:
    answer = await program.call()

    assert answer.status_code == 200
    assert program.tokens["expires_in"] == 900


async def test_a_wrong_password_and_an_unknown_account_get_the_same_answer(
    callers: Callers, database: Database, organization: Principal
) -> None:
    client = await callers.stranger()
    email = await give_password(database, organization)

    answers = [
        await client.post("/api/v1/auth/tokens", json={"email": who, "password": "not this one at all"})
        for who in (email, "nobody@nowhere.example")
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1


async def test_a_refresh_gives_a_new_pair_and_both_access_tokens_work(program: Program) -> None:
    answer = await program.refresh()

    assert answer.status_code == 200
    assert answer.json()["refresh_token"] != program.tokens["refresh_token"]
    assert (await program.call(answer.json()["access_token"])).status_code == 200
    assert (await program.call()).status_code == 200


async def test_parallel_refreshes_of_one_token_get_the_same_child(program: Program) -> None:
    answers = await asyncio.gather(*(program.refresh() for _ in range(8)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


async def test_a_token_that_comes_again_after_the_leeway_ends_the_session(
    program: Program, database: Database
) -> None:
    child = (await program.refresh()).json()
    await _age(database, program.person)

    late = await program.refresh()

    assert late.status_code == 401
    assert (await program.refresh(child["refresh_token"])).status_code == 401
    assert (await program.call(child["access_token"])).status_code == 401
    assert await _events(database, program.person, "session.reused") == 1


async def test_signing_out_ends_the_access_token_too(program: Program) -> None:
    answer = await program.client.post(
        "/api/v1/auth/sign-out", json={"refresh_token": program.tokens["refresh_token"]}
    )

    assert answer.json() == {"is_signed_out": True}
    assert (await program.call()).status_code == 401
    assert (await program.refresh()).status_code == 401


async def test_another_sites_page_cannot_sign_a_program_in(callers: Callers) -> None:
    client = await callers.stranger()

    answer = await client.post(
        "/api/v1/auth/tokens",
        json={"email": "a@b.example", "password": "whatever it is"},
        headers={"Origin": "https://evil.example"},
    )

    assert answer.status_code == 403


# forgeries --------------------------------------------------------------------------------------------------------
Forge = Callable[["Forger"], str]


@dataclass
class Forger:
    """Somebody who has a good token, knows how ours are made, and lacks the key; `settings` are another house's."""

    good: str
    claims: dict[str, Any]
    header: dict[str, Any]
    settings: Settings

    def signed(self, key: Any, algorithm: str = "HS256", /, *, header: Any = None, **claims: Any) -> str:
        return jwt.encode(self.claims | claims, key, algorithm, headers=header or self._kid())

    def ours(
        self, /, *, header: dict[str, Any] | None = None, algorithm: str = "HS256", **claims: Any
    ) -> str:
        """Signed by our own key, with claims that we would not write."""
        key = bytes.fromhex(crypto.sign(SECRET, "access tokens"))
        return jwt.encode(self.claims | claims, key, algorithm, headers=self._kid() | (header or {}))

    def without_signature(self, algorithm: str) -> str:
        parts = [self.header | {"alg": algorithm}, self.claims]
        encoded = [
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts
        ]
        return ".".join([*encoded, ""])

    def _kid(self) -> dict[str, Any]:
        return {"kid": self.header["kid"], "typ": self.header["typ"]}


def _rsa() -> Any:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _altered(good: str, place: int) -> str:
    parts = good.split(".")
    parts[place] = parts[place][:-2] + ("AA" if not parts[place].endswith("AA") else "BB")
    return ".".join(parts)


CLAIMS = ("iss", "aud", "sub", "org", "sid", "iat", "exp", "jti")


def _lacking(claim: str, forger: Forger) -> str:
    lacking = {name: value for name, value in forger.claims.items() if name != claim}
    return replace(forger, claims=lacking).ours()


FORGERIES: dict[str, Forge] = {
    "alg none": lambda f: f.without_signature("none"),
    "alg None": lambda f: f.without_signature("None"),
    "no signature": lambda f: f.without_signature("HS256"),
    "RS256 by a key of theirs": lambda f: f.signed(_rsa(), "RS256"),
    "PS256 by a key of theirs": lambda f: f.signed(_rsa(), "PS256"),
    "HS256 by another key": lambda f: f.signed(b"x" * 32),
    "HS256 by an empty key": lambda f: f.signed(b"\0" * 32),
    "HS256 by the key id": lambda f: f.signed(f.header["kid"].encode() * 2),
    "another house's": lambda f: access_tokens.mint(
        f.settings.model_copy(update={"secret_key": SecretStr("the key of another house, 32 byte")}),
        AccessToken(f.claims["sub"], f.claims["org"], f.claims["sid"]),
    ),
    # its key is short for these, as whoever tries would not mind
    "HS384 by our key": lambda f: f.ours(algorithm="HS384"),
    "HS512 by our key": lambda f: f.ours(algorithm="HS512"),
    "expired": lambda f: f.ours(exp=int(clock.now().timestamp()) - 1),
    "another audience": lambda f: f.ours(aud="getsale-pages"),
    "another issuer": lambda f: f.ours(iss="https://evil.example"),
    "not yet": lambda f: f.ours(nbf=int(clock.now().timestamp()) + 3600),
    "another kind of token": lambda f: f.ours(header={"typ": "JWT"}),
    "an unknown key id": lambda f: f.ours(header={"kid": "0" * 16}),
    "a path as key id": lambda f: f.ours(header={"kid": "../../dev/null"}),
    "no such session": lambda f: f.ours(sid=str(uuid7())),
    "somebody else": lambda f: f.ours(sub=str(uuid7())),
    "another organization": lambda f: f.ours(org=str(uuid7())),
    "no id at all": lambda f: f.ours(sid="1 OR 1=1"),
    "an altered header": lambda f: _altered(f.good, 0),
    "an altered body": lambda f: _altered(f.good, 1),
    "an altered signature": lambda f: _altered(f.good, 2),
    "a part too many": lambda f: f.good + ".AA",
    "a dot": lambda f: ".",
    **{f"without {claim}": partial(_lacking, claim) for claim in CLAIMS},
}


@pytest.fixture
def forger(program: Program, settings: Settings) -> Forger:
    good = program.tokens["access_token"]
    claims = jwt.decode(good, options={"verify_signature": False})
    return Forger(good, claims, dict(jwt.get_unverified_header(good)), settings)


@pytest.mark.filterwarnings("ignore:The HMAC key")
@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_access_token_lets_nobody_in(program: Program, forger: Forger, forgery: str) -> None:
    assert (await program.call(forger.ours())).status_code == 200, "the forger knows how it is done"

    answer = await program.call(FORGERIES[forgery](forger))

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_what_the_key_before_signed_is_good_until_it_is_taken_away(settings: Settings) -> None:
    token = AccessToken(uuid7(), uuid7(), uuid7())
    before, after, forgotten = (
        settings.model_copy(update={"secret_key": SecretStr(key), "old_secret_keys": SecretStr(old)})
        for key, old in (("first", ""), ("third", "second, first"), ("third", "second"))
    )
    text = access_tokens.mint(before, token)

    assert access_tokens.read(after, text) == token
    with pytest.raises(Unauthorized):
        access_tokens.read(forgotten, text)


def test_an_access_token_is_good_for_a_quarter_of_an_hour(settings: Settings) -> None:
    text = access_tokens.mint(settings, AccessToken(uuid7(), uuid7(), uuid7()))

    with clock.frozen(clock.now() + timedelta(minutes=14)):
        access_tokens.read(settings, text)
    with clock.frozen(clock.now() + timedelta(minutes=16)), pytest.raises(Unauthorized):
        access_tokens.read(settings, text)


# races ------------------------------------------------------------------------------------------------------------
ROUNDS, FULL_ROUNDS, PARALLEL = 40, 1000, 8


async def test_parallel_refreshes_sign_nobody_out(
    database: Database, organization: Principal, record_property: Record
) -> None:
    await _race(database, organization, ROUNDS, record_property)


@pytest.mark.full
async def test_parallel_refreshes_sign_nobody_out_however_often(
    database: Database, organization: Principal, record_property: Record
) -> None:
    await _race(database, organization, FULL_ROUNDS, record_property)


async def _race(database: Database, person: Principal, rounds: int, record: Record) -> None:
    """Refresh after refresh in one family, each by eight calls at once; then the last one is replayed too late."""
    signed_out, live, killed = 0, Counter[int](), 0
    for number in range(rounds):
        if number % 20 == 0:
            async with database.transaction(person, "test") as tx:
                current = await refreshing.open_family(tx, DERIVE, Sighting())
        answers = await asyncio.gather(*(_refresh(database, person, current.secret) for _ in range(PARALLEL)))
        children = {answer.secret for answer in answers if answer is not None}
        signed_out += sum(answer is None for answer in answers)
        live[len(children)] += 1
        killed += await _is_killed_by_replay(database, person)
        current = next(answer for answer in answers if answer is not None)
    record(
        FIGURE,
        f"refresh: {rounds:,} rounds x {PARALLEL}, {signed_out} signed out, one live child in {live[1]:,}; "
        f"late replay killed the family in {killed:,} of {rounds:,}",
    )
    assert (signed_out, live, killed) == (0, {1: rounds}, rounds)


async def _refresh(database: Database, person: Principal, secret: str) -> Refresh | None:
    holder = await refreshing.find_holder(database, secret)
    assert holder is not None
    async with database.transaction(person, "test") as tx:
        return await refreshing.refresh(tx, DERIVE, holder.token_id)


async def _is_killed_by_replay(database: Database, person: Principal) -> bool:
    """A family of its own: refreshed once, replayed after the leeway, and its child tried."""
    async with database.transaction(person, "test") as tx:
        first = await refreshing.open_family(tx, DERIVE, Sighting())
    child = await _refresh(database, person, first.secret)
    assert child is not None
    with clock.frozen(clock.now() + refreshing.LEEWAY + timedelta(seconds=1)):
        replayed = await _refresh(database, person, first.secret)
        after = await _refresh(database, person, child.secret)
    async with database.transaction(person, "test") as tx:
        is_open = any(one.id == first.session_id for one in await list_open_sessions(tx))
    return replayed is None and after is None and not is_open


async def _age(database: Database, person: Principal) -> None:
    """As if the tokens had been used a while ago."""
    async with database.transaction(person, "test") as tx:
        await tx.execute("UPDATE refresh_tokens SET used_at = used_at - interval '11 seconds'")


async def _events(database: Database, person: Principal, kind: str) -> int:
    async with database.transaction(person, "test") as tx:
        count: int = await tx.value("SELECT count(*) FROM events WHERE type = %(kind)s", kind=kind)
        return count
