"""Every mutating route as the owner calls it for real, and what the audit got of each call."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from api.cookies import SESSION_COOKIE
from crm.identity.models import Role
from tests.support.entries import ENTRIES, Entry
from tests.support.isolation import http
from tests.support.isolation.harness import Harness
from tests.support.isolation.http import Ask, Caller
from tests.support.isolation.keeping import Kept, keep
from tests.support.isolation.surface import Operation
from tests.support.isolation.tenants import contents

# What goes before a call, and what is filled in otherwise than the schema tells; {contacts[1]} is the second contact.
Given = Mapping[str, JsonValue]
Deed = tuple[str, Given]


@dataclass(frozen=True)
class Called:
    """One call: what it answered, what it recorded, and which tables it left otherwise."""

    status: int
    text: str
    entries: list[Entry]
    changed: frozenset[str]


@dataclass
class Recording:
    """The attacker's organization, put back before each call."""

    harness: Harness
    owner: Caller
    kept: Kept

    @property
    def operations(self) -> dict[str, Operation]:
        return {operation.name: operation for operation in self.harness.surface.operations}

    async def begin(self, first: Collection[Deed] = ()) -> None:
        """All rows as they were, the owner signed in, and done what has to go before."""
        await self.kept.go_back()
        await self.harness.theatre.forget_wrong_passwords()
        self.sign_in()
        for earlier, its in first:
            if not earlier.startswith("POST "):  # what only time, a worker or a mail would bring
                await self.harness.theatre.admin.execute(
                    earlier.encode(), {"id": self.harness.theatre.attacker.id}
                )
                continue
            answer = await self.send(earlier, its)
            assert answer.status < 400, f"{earlier}: {answer.status} {answer.body[:500]}"

    def sign_in(self) -> None:
        """In the session that the forms' token belongs to."""
        self.owner.client.cookies.clear()
        self.owner.client.cookies.set(SESSION_COOKIE, self.harness.theatre.attacker.sessions[Role.OWNER])

    async def call(self, name: str, given: Given) -> Called:
        rows, last = await self._rows(), await self.last_event()
        answer = await self.send(name, given)
        changed = {table for table, text in (await self._rows()).items() if rows[table] != text}
        return Called(answer.status, answer.body, await self.entries_since(last), frozenset(changed))

    async def send(self, name: str, given: Given) -> http.Answer:
        theatre, operation = self.harness.theatre, self.operations[name]
        filled = {key: _name(value, theatre.attacker.ids) for key, value in given.items()}
        slots = http.own_ids(theatre, http.slots_of(theatre, operation))
        ids = {key: str(filled.pop(key)) for key in slots if isinstance(filled.get(key), str)}
        return await http.send(theatre, self.owner, Ask(operation, slots | ids, fields=filled))

    async def _rows(self) -> dict[str, str]:
        theatre = self.harness.theatre
        return await contents(theatre.admin, theatre.catalogue, theatre.attacker.id)

    async def last_event(self) -> str:
        query = "SELECT max(id::text) AS last FROM events"
        row = await (await self.harness.theatre.admin.execute(query)).fetchone()
        assert row is not None
        return str(row["last"])

    async def entries_since(self, last: str) -> list[Entry]:
        """What the audit of the organization has got since; an organization that was founded then, too."""
        found = await self.harness.theatre.admin.execute(ENTRIES.encode(), {"last": last})
        return [Entry(**row) for row in await found.fetchall()]


async def start_recording(harness: Harness) -> Recording:
    theatre = harness.theatre
    owner = next(person for person in harness.people if person.role == Role.OWNER)
    return Recording(harness, owner, await keep(theatre.admin, theatre.catalogue, theatre.attacker.id))


def _name(value: JsonValue, ids: Mapping[str, Collection[str]]) -> JsonValue:
    if isinstance(value, list):
        return [_name(one, ids) for one in value]
    return value.format(**ids) if isinstance(value, str) and "[" in value else value
