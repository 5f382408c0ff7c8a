"""What the command line changes is on record, with the name of whoever uses the machine."""

import getpass
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import typer

from core.db import Database
from core.ids import uuid7
from core.principal import Principal, system
from core.settings import Settings
from crm.channel_accounts.mailboxes import MailServer, NewMailbox, Security
from crm.contacts import erased
from crm.identity.queries import find_organization_id, get_organization
from crm.language_models.models import NewLanguageModel
from crm.privacy.journal import Erasure, Journal
from events.ids import PrivacyRequestId
from infra import accounts, keys, knowledge, models, privacy, table_import, telegram_import, users
from infra.cli import app
from tests.support.entries import entries_since, last_event, untold
from tests.support.world import make_world

Deed = Callable[[Settings, str, Path], Awaitable[object]]


async def _add_user(settings: Settings, slug: str, folder: Path) -> None:
    await users.add(
        settings, users.NewUser(f"new@{slug}.example", "New", "bidi", slug, "en", "correct horse")
    )


async def _add_key(settings: Settings, slug: str, folder: Path) -> None:
    await _add_user(settings, slug, folder)
    await keys.add(settings, f"new@{slug}.example", slug, keys.Wanted("", (), 0))


async def _revoke_key(settings: Settings, slug: str, folder: Path) -> None:
    await _add_key(settings, slug, folder)
    (line,) = await keys.list_lines(settings, f"new@{slug}.example", slug)
    await keys.revoke(settings, line.split()[0])


async def _add_model(settings: Settings, slug: str, folder: Path) -> None:
    new = NewLanguageModel(name="small", base_url="https://models.example/v1", model="m", api_key="sk-1")
    await models.add(models.Desk(settings, slug), new)


async def _assign_model(settings: Settings, slug: str, folder: Path) -> None:
    await _add_model(settings, slug, folder)
    await models.assign(models.Desk(settings, slug), "Mira", "small")


async def _remove_model(settings: Settings, slug: str, folder: Path) -> None:
    await _add_model(settings, slug, folder)
    await models.remove(models.Desk(settings, slug), "small")


async def _connect(settings: Settings, slug: str, folder: Path) -> None:
    server = MailServer("mail.lind.example", 993, Security.TLS)
    await accounts.connect(settings, slug, NewMailbox("a@lind.example", server, server, "pw"), check=False)


async def _add_document(settings: Settings, slug: str, folder: Path) -> None:
    (folder / "prices.md").write_text("# Prices\nA scanner costs 17.")
    await knowledge.add(settings, slug, [folder / "prices.md"])


async def _import(settings: Settings, slug: str, folder: Path) -> None:
    from core.blobs import Blobs

    (folder / "people.csv").write_text("Name,Email\nVera Lind,vera@lind.example\n")
    order = table_import.order_of(
        folder / "people.csv", None, (), duplicates="skip", region=None, currency=None, is_trial=False
    )
    db = await Database(settings.database_url, size=2).open()
    try:
        desk = await telegram_import.find_desk(
            db, Blobs(settings.data), slug, None, sealing_key=settings.sealing_key
        )
        await table_import.import_table(
            db, desk.blobs, desk.principal, order, lambda done, total: None, erased_key=desk.erased_key
        )
    finally:
        await db.close()


async def _erase_again(settings: Settings, slug: str, folder: Path) -> None:
    db = await Database(settings.database_url, size=2).open()
    try:
        organization_id = await find_organization_id(db, slug)
        assert organization_id is not None
        async with db.transaction(system(organization_id), "test") as tx:
            contact_id = await tx.value("SELECT id FROM contacts LIMIT 1")
    finally:
        await db.close()
    erasure = Erasure(PrivacyRequestId(uuid7()), (contact_id or uuid7(),), ())
    key = erased.key_of(settings.sealing_key, organization_id)
    await Journal(settings.data).append(organization_id, key, erasure)
    await privacy.reapply(settings, slug)


CHANGING: dict[str, Deed] = {
    "user add": _add_user,
    "user key": _add_key,
    "user revoke-key": _revoke_key,
    "model add": _add_model,
    "model assign": _assign_model,
    "model remove": _remove_model,
    "account email": _connect,
    "knowledge add": _add_document,
    "import table": _import,
    "privacy reapply": _erase_again,
}
# The same principal as `import table`, from the same desk.
LIKE_IMPORT = {"import telegram-desktop", "import undo"}
# What has no entry of its own, and why.
WITHOUT = {
    "up": "runs the product; demo data is the product's own", "api": "a process", "worker": "a process",
    "relay": "a process", "listen": "a process", "embed": "a process",
    "migrate": "the schema, before there is a record", "demo": "demo data, made by the product",
    "tools": "reads", "bench": "organizations of its own", "doctor": "reads", "openapi": "reads", "export": "reads",
    "user keys": "reads", "model list": "reads", "model test": "asks a model for a word",
    "model fetch": "a file of this machine", "account list": "reads", "knowledge list": "reads", "import list": "reads",
    "audit verify": "reads", "replay telegram": "brings in messages as the channel does",
    "replay mbox": "brings in messages as the channel does",
    "keys list": "reads", "keys drop": "a file of this machine",
    "keys rotate": "the wrapping of every organization's secrets, and none of their values",
    "graph rebuild": "a copy of what the records hold", "search rebuild": "a copy of what the records hold",
}  # fmt: skip


def _commands(group: typer.Typer, prefix: str = "") -> set[str]:
    found = set()
    for command in group.registered_commands:
        assert command.callback is not None
        found.add(prefix + (command.name or command.callback.__name__.replace("_", "-")))
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        found |= _commands(inner.typer_instance, f"{prefix}{inner.name} ")
    return found


def test_every_command_is_called_here_or_has_a_reason() -> None:
    known = CHANGING.keys() | LIKE_IMPORT | WITHOUT.keys()

    found = {
        name for name in _commands(app) if not name.startswith("eval ")
    }  # evaluations are files and rows of runs

    assert found - known == set(), "say whether it changes something"
    assert known - found == set(), "there is no such command any more"


@pytest.mark.parametrize("name", CHANGING)
async def test_a_command_that_changes_something_is_on_record(
    settings: Settings, database: Database, organization: Principal, tmp_path: Path, name: str
) -> None:
    await make_world(database, organization)
    async with database.transaction(organization, "test") as tx:
        slug, last = (await get_organization(tx)).slug, await last_event(tx)

    await CHANGING[name](settings, slug, tmp_path)

    async with database.transaction(organization, "test") as tx:
        entries = await entries_since(tx, last)
        names = await tx.value("SELECT array_agg(DISTINCT agent) FROM event_origins WHERE address = ''")
    # a key is made with the permissions of its person, and so in their name
    actors = {"system", "user"} if "key" in name else {"system"}
    assert {(entry.actor_kind, entry.via) for entry in entries} == {(actor, "command") for actor in actors}
    assert names == [getpass.getuser()]
    assert untold(entries) == []
