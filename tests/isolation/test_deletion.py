"""An organization with canaries in every text column is removed: nothing of it stays, and a second one is untouched."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.blobs import Blobs
from core.deletions import Deletions
from core.ids import uuid7
from core.mail_folder import MailFolder
from core.principal import system
from crm.identity.deletion import REMOVE
from graph.neo4j import Neo4jAddress, connect
from graph.schema import Label
from graph.store import Node, Snapshot
from infra.servers.neo4j import Neo4jConfig
from tests.support.isolation.tenants import contents
from tests.support.isolation.theatre import Theatre, open_theatre
from tests.support.working import carry_out_due
from worker.removing import remove_again
from worker.services import Services, build


@pytest.fixture(scope="module")
async def doomed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Theatre]:
    """A theatre of its own, for its victim does not survive."""
    async with open_theatre(tmp_path_factory.mktemp("deletion")) as opened:
        yield opened


@pytest.fixture(scope="module")
async def services(doomed: Theatre, neo4j: Neo4jConfig) -> AsyncIterator[Services]:
    named = doomed.settings.model_copy(
        update={
            "neo4j_uri": neo4j.uri,
            "neo4j_user": neo4j.user,
            "neo4j_password": SecretStr(neo4j.password),
        }
    )
    async with build(named) as running:
        yield running


async def _close(theatre: Theatre) -> None:
    """The victim's time has come."""
    await theatre.admin.execute(
        """
        UPDATE organizations
           SET deletion_due_at = now() - interval '1 second', deletion_asked_at = now(), deletion_asked_by = %s
         WHERE organization_id = %s
        """,
        (theatre.victim.owner.id, theatre.victim.id),
    )
    await theatre.admin.execute(
        """
        INSERT INTO due_work (organization_id, id, kind, subject_id, due_at)
        VALUES (%(id)s, gen_random_uuid(), %(kind)s, %(id)s, now())
            ON CONFLICT DO NOTHING
        """,
        {"id": theatre.victim.id, "kind": REMOVE},
    )


async def _everything(theatre: Theatre) -> str:
    """Every row of every table, whose ever it is, but the words of the schema itself."""
    parts = []
    for name in theatre.catalogue.tables:
        query = f"SELECT coalesce(string_agg(to_jsonb(t)::text, chr(10)), '') AS rows FROM {name} t"
        row = await (await theatre.admin.execute(query.encode())).fetchone()
        assert row is not None
        parts.append(row["rows"])
    return "\n".join(parts)


async def _keys(theatre: Theatre, *, of: str) -> list[str]:
    return [key.decode() async for key in theatre.redis.scan_iter(f"*{of}*")]


def _files(data: Path) -> str:
    return "\n".join(
        f"{path} {path.read_bytes().decode(errors='replace')}"
        for folder in ("blobs", "uploads", "imports", "mails", "audit")
        for path in (data / folder).rglob("*")
        if path.is_file()
    )


async def test_nothing_of_it_stays_and_the_other_is_untouched(doomed: Theatre, services: Services) -> None:
    victim, data = doomed.victim, doomed.settings.data
    address = Neo4jAddress(*_address(services))
    graph = await connect(address)
    shown = Snapshot((Node(uuid7(), Label.COMPANY, "a canary company"),), ())
    for tenant in (victim, doomed.attacker):
        await graph.replace(tenant.owner, shown)
    await doomed.redis.set(f"getsale:ws-ticket:{victim.id}:canary", "a canary")
    await doomed.redis.set(f"getsale:limits:{victim.id.hex}:canary", "a canary")
    await Blobs(data).apart("uploads").put(victim.id, b"a canary upload")
    mail_id = uuid7()
    await doomed.admin.execute(
        """
        INSERT INTO system_mails (organization_id, id, kind, recipient, subject, mail_id)
        VALUES (%s, %s, 'reset', 'a', 'b', 'c')
        """,
        (victim.id, mail_id),
    )
    await MailFolder(data).keep(mail_id, b"a canary mail")
    before = await contents(doomed.admin, doomed.catalogue, doomed.attacker.id)
    people = doomed.victim.people.values()
    assert doomed.leaks(await _everything(doomed))
    await _close(doomed)

    await carry_out_due(services, system(victim.id), REMOVE)

    left = {
        name: rows
        for name, rows in (await contents(doomed.admin, doomed.catalogue, victim.id)).items()
        if rows
    }
    assert left == {}
    everything = await _everything(doomed)
    assert doomed.leaks(everything) == []
    assert not [person for person in people if str(person.id) in everything]
    assert str(victim.id) not in everything
    assert str(victim.id) not in _files(data)
    assert "canary" not in _files(data)
    assert await _keys(doomed, of=str(victim.id)) == await _keys(doomed, of=victim.id.hex) == []
    assert (await graph.snapshot(victim.owner)).nodes == ()
    assert len((await graph.snapshot(doomed.attacker.owner)).nodes) == 1
    assert await contents(doomed.admin, doomed.catalogue, doomed.attacker.id) == before
    (record,) = await Deletions(data).read_all()
    assert (record.organization_id, record.by) == (victim.id, victim.owner.id)
    await graph.close()


def _address(services: Services) -> tuple[str, str, str]:
    settings = services.settings
    return settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password.get_secret_value()


async def test_a_backup_that_brings_it_back_is_removed_again(doomed: Theatre, services: Services) -> None:
    victim = doomed.victim
    await doomed.admin.execute(
        "INSERT INTO organizations (organization_id, slug, name) VALUES (%s, %s, 'Back again')",
        (victim.id, f"back-{victim.id}"),
    )

    await remove_again(services)
    await carry_out_due(services, system(victim.id), REMOVE)

    rows = await contents(doomed.admin, doomed.catalogue, victim.id)
    assert {name for name, text in rows.items() if text} == set()


async def test_an_organization_that_is_not_due_cannot_be_removed(doomed: Theatre, services: Services) -> None:
    with pytest.raises(Exception, match="not to be removed"):
        async with services.db.transaction(system(doomed.attacker.id), "test") as tx:
            await tx.value("SELECT remove_organization_rows()")
