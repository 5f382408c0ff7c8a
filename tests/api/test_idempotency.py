"""`Idempotency-Key`: whatever is repeated, and whoever dies in between, a call takes effect once."""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from core import clock
from core.db import Database
from core.principal import Principal
from core.settings import Settings
from crm.api_keys import answers
from crm.identity.models import Role
from tests.api.conftest import Callers
from tests.support.callers import Caller
from tests.support.desk import SECRET, Desk
from tests.support.site import running_site
from tests.support.until import until

VERA: dict[str, object] = {"name": "Vera Lind", "handles": [{"kind": "email", "value": "vera@lind.example"}]}


async def _create(api: Caller, key: str, body: object = VERA) -> httpx2.Response:
    return await api.client.post("/contacts", json=body, headers={"Idempotency-Key": key})


async def _contacts(database: Database, organization: Principal) -> int:
    async with database.transaction(organization, "test") as tx:
        return int(await tx.value("SELECT count(*) FROM contacts"))


async def test_a_repeated_call_gets_the_answer_of_the_first_and_does_nothing(
    api: Caller, database: Database, organization: Principal
) -> None:
    first = await _create(api, "once")
    again = await _create(api, "once")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["ETag"] == first.headers["ETag"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await _contacts(database, organization) == 1


async def test_a_call_without_a_key_is_done_every_time(
    api: Caller, database: Database, organization: Principal
) -> None:
    for _ in range(2):
        await api.post("/contacts", {"name": "Vera Lind"})

    assert await _contacts(database, organization) == 2


@pytest.mark.parametrize("other", [{"name": "Tomas"}, {**VERA, "title": "Head"}])
async def test_a_key_that_was_used_for_another_body_is_refused(api: Caller, other: object) -> None:
    await _create(api, "mine")

    refused = await _create(api, "mine", other)

    assert refused.status_code == 422
    assert refused.json()["type"].endswith("idempotency_key_reused")


async def test_a_key_that_was_used_for_another_operation_is_refused(api: Caller, desk: Desk) -> None:
    await api.client.post("/ws-tickets", headers={"Idempotency-Key": "mine"})

    refused = await api.client.post(
        desk.path("/conversations/{conversation_id}/reading"), headers={"Idempotency-Key": "mine"}
    )

    assert refused.status_code == 422


async def test_the_keys_of_two_programs_have_nothing_to_do_with_each_other(
    callers: Callers, organization: Principal, other_organization: Principal
) -> None:
    answered = [
        await _create(await callers.of(person), "shared", {"name": "Vera Lind"})
        for person in (organization, organization, other_organization)
    ]

    assert [answer.status_code for answer in answered] == [201, 201, 201]
    assert len({answer.json()["id"] for answer in answered}) == 3


async def test_a_refusal_is_an_answer_that_is_kept(api: Caller, database: Database) -> None:
    await api.post("/contacts", VERA)

    first = await _create(api, "taken")
    again = await _create(api, "taken")

    assert (first.status_code, again.status_code) == (409, 409)
    assert again.content == first.content
    assert again.headers["Content-Type"] == "application/problem+json"
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_a_body_that_says_nothing_does_not_use_the_key_up(api: Caller) -> None:
    malformed = await _create(api, "mistyped", {"nam": "Vera"})

    mended = await _create(api, "mistyped", {"name": "Vera"})

    assert (malformed.status_code, mended.status_code) == (422, 201)


async def test_what_the_caller_may_not_do_is_asked_anew_once_they_may(
    callers: Callers, organization: Principal, database: Database
) -> None:
    viewer = await callers.member(organization, Role.VIEWER)
    refused = await _create(viewer, "promoted")
    async with database.transaction(organization, "test") as tx:
        await tx.execute(
            "UPDATE members SET role = 'bidi' WHERE user_id = %(user_id)s", user_id=viewer.person.id
        )

    allowed = await _create(viewer, "promoted")

    assert (refused.status_code, allowed.status_code) == (403, 201)


async def test_of_many_calls_at_once_one_is_done(
    api: Caller, database: Database, organization: Principal
) -> None:
    answered = await asyncio.gather(*(_create(api, "at-once") for _ in range(20)))

    statuses = {answer.status_code for answer in answered}
    assert statuses <= {201, 409}
    assert 201 in statuses
    assert all("in_progress" in a.json()["type"] for a in answered if a.status_code == 409)
    assert len({a.json()["id"] for a in answered if a.status_code == 201}) == 1
    assert await _contacts(database, organization) == 1


async def test_while_a_call_is_worked_on_its_key_is_taken(
    api: Caller, database: Database, organization: Principal
) -> None:
    """The first call waits for a row that we hold; the second does not wait with it."""
    await _create(api, "made", {"name": "Vera"})
    contact = (await api.get("/contacts")).json()["items"][0]
    path, headers = f"/contacts/{contact['id']}/handles", {"Idempotency-Key": "slow"}
    handle = {"kind": "email", "value": "vera@lind.example"}
    async with database.transaction(organization, "test") as tx:
        await tx.execute("SELECT FROM contacts WHERE id = %(id)s FOR UPDATE", id=contact["id"])
        slow = asyncio.create_task(api.client.post(path, json=handle, headers=headers))
        await until(lambda: tx.value("SELECT true FROM saved_answers WHERE key = 'slow'"), 10)

        meanwhile = await api.client.post(path, json=handle, headers=headers)

    assert meanwhile.status_code == 409
    assert meanwhile.headers["Retry-After"] == "1"
    assert (await slow).status_code == 201


@pytest.mark.parametrize("key", ["", "two words", "x" * 256])
async def test_a_key_that_is_none_is_refused_by_name(api: Caller, key: str) -> None:
    refused = await _create(api, key)

    assert refused.status_code == 422
    assert refused.json()["field"] == "Idempotency-Key"


async def test_what_is_kept_cannot_be_read_from_the_table(
    api: Caller, database: Database, organization: Principal
) -> None:
    ticket = (await api.client.post("/ws-tickets", headers={"Idempotency-Key": "t"})).json()["ticket"]

    async with database.transaction(organization, "test") as tx:
        content = bytes(await tx.value("SELECT content FROM saved_answers WHERE key = 't'"))

    assert ticket.encode() not in content
    again = await api.client.post("/ws-tickets", headers={"Idempotency-Key": "t"})
    assert again.json()["ticket"] == ticket


async def test_after_two_days_a_key_is_new_and_its_answer_gone(
    api: Caller, database: Database, organization: Principal
) -> None:
    first = await _create(api, "old", {"name": "Vera"})
    await _create(api, "young", {"name": "Tomas"})
    async with database.transaction(organization, "test") as tx:
        await tx.execute(
            "UPDATE saved_answers SET claimed_at = %(at)s WHERE key = 'old'",
            at=clock.now() - answers.KEPT - timedelta(minutes=1),
        )

    again = await _create(api, "old", {"name": "Vera"})
    async with database.transaction(organization, "test") as tx:
        swept = await tx.value("SELECT due_at FROM due_work WHERE kind = 'answers.forget'")
        await tx.execute(
            "UPDATE saved_answers SET claimed_at = claimed_at - %(kept)s WHERE key = 'old'",
            kept=answers.KEPT,
        )
        await answers.forget_old_answers(tx)
        left = await tx.value("SELECT string_agg(key, ' ') FROM saved_answers")

    assert again.json()["id"] != first.json()["id"]
    assert answers.KEPT <= swept - clock.now() <= answers.KEPT + timedelta(hours=1)
    assert left == "young"


@pytest.mark.parametrize(
    "point",
    [
        pytest.param("commit.api.answer.after", marks=pytest.mark.full),
        "commit.api.before",
        "commit.api.after",
    ],
)
async def test_a_process_that_dies_in_the_middle_does_it_once_all_the_same(
    settings: Settings,
    database: Database,
    organization: Principal,
    callers: Callers,
    tmp_path: Path,
    point: str,
) -> None:
    """Killed after the claim, before the commit of the effect, and after it: the repetition knows what to do."""
    api = await callers.of(organization)
    headers = {"Authorization": f"Bearer {api.secret}", "Idempotency-Key": str(uuid4())}
    for folder in ("arm", "seen"):
        (tmp_path / folder).mkdir()
    (tmp_path / "arm" / point).touch()
    dying = await _process(settings, tmp_path)
    lease = settings.model_copy(update={"api_answer_lease_seconds": 2.0})
    async with httpx2.AsyncClient(timeout=20) as client:
        with pytest.raises(httpx2.TransportError):
            await client.post(f"{dying.address}/api/v1/contacts", json=VERA, headers=headers)
        await dying.wait()
        async with running_site(lease) as site:
            statuses: list[int] = []
            async with asyncio.timeout(20):
                while not statuses or statuses[-1] == 409:
                    again = await client.post(f"{site}/api/v1/contacts", json=VERA, headers=headers)
                    statuses.append(again.status_code)
                    await asyncio.sleep(0.2)

    is_done = point == "commit.api.after"
    assert statuses[-1] == 201
    assert ("Idempotency-Replayed" in again.headers) is is_done
    assert (409 in statuses) is not is_done
    assert await _contacts(database, organization) == 1


class _Dying:
    """A web process of its own, which a crash point kills."""

    def __init__(self, process: asyncio.subprocess.Process, address: str) -> None:
        self._process, self.address = process, address

    async def wait(self) -> None:
        assert await self._process.wait() == -signal.SIGKILL


async def _process(settings: Settings, crashpoints: Path) -> _Dying:
    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "DATABASE_URL_WORKER": settings.database_url_worker,
        "REDIS_URL": settings.redis_url,
        "GETSALE_DATA": str(settings.data),
        "GETSALE_SECRET_KEY": SECRET,
        "GETSALE_CRASHPOINTS": str(crashpoints),
        "API_ANSWER_LEASE_SECONDS": "2",
        "PORT": "0",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _SERVE, env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        port = int(await process.stdout.readline())
    return _Dying(process, f"http://127.0.0.1:{port}")


_SERVE = """
import asyncio, socket, uvicorn
from api.main import create_app
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
server = uvicorn.Server(uvicorn.Config(create_app(), log_level="error"))
asyncio.run(server.serve(sockets=[listening]))
"""
