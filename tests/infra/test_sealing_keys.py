"""Keys of secrets at rest change while the product runs: killed anywhere, read meanwhile, the old one dropped."""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from core import crypto, envelopes
from core.addresses import Reach
from core.db import Database
from core.envelopes import Keyring, Place, seal, unseal
from core.errors import Conflict, NotFound, Unprocessable
from core.ids import uuid7
from core.principal import Principal
from core.settings import Settings
from crm.channel_accounts.actions import connect_telegram_bot
from crm.channel_accounts.queries import open_secret
from crm.identity import second_factors
from crm.language_models.actions import set_language_model
from crm.language_models.models import NewLanguageModel
from crm.language_models.queries import get_language_model, open_key
from crm.sealed_secrets.models import SEALED
from crm.webhooks import sending
from crm.webhooks.actions import create_webhook, rotate_secret
from crm.webhooks.models import NewWebhook
from events.ids import ChannelAccountId, UserId, WebhookId
from infra import sealing_keys
from infra.embedded import Urls
from tests.support.figures import FIGURE, Record
from tests.support.organizations import make_organization
from tests.support.servers import migrated_servers

PLACE = Place(uuid7(), "webhooks", uuid7(), "secret")
ACCOUNTS = 7


class Killed(Exception):
    pass


@pytest.fixture(scope="module")
def own_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Urls]:
    """A database in which no other test has sealed anything."""
    with migrated_servers(tmp_path_factory.mktemp("sealing")) as running:
        yield running.urls


@pytest.fixture
def sealing(own_servers: Urls, tmp_path: Path) -> Settings:
    return Settings(
        database_url=own_servers.database_url,
        database_url_worker=own_servers.database_url_worker,
        database_url_migrator=own_servers.database_url_migrator,
        redis_url=own_servers.redis_url,
        data=tmp_path,
        secret_key="a key for tests only, 32 bytes long",
    )


class Vault:
    """An organization with one secret of every kind; a bot's is counted on."""

    def __init__(self, db: Database, owner: Principal, keys: Keyring) -> None:
        self.db, self.owner, self.keys = db, owner, keys
        self.bots: list[ChannelAccountId] = []
        self.webhook_id: WebhookId

    async def fill(self) -> "Vault":
        async with self.db.transaction(self.owner, "test") as tx:
            for number in range(ACCOUNTS):
                bot = await connect_telegram_bot(
                    tx,
                    name=f"Bot {number}",
                    address="",
                    token=f"{number}:token",
                    keys=self.keys,
                    delivery="polling",
                )
                self.bots.append(bot)
            hook = NewWebhook("https://example.com/hooks", ("*",))
            self.webhook_id = (await create_webhook(tx, hook, reach=Reach(), keys=self.keys)).webhook.id
            await rotate_secret(tx, self.webhook_id, keys=self.keys)
            model = NewLanguageModel("main", "https://models.example/v1", "m", api_key="sk-secret")
            await set_language_model(tx, model, keys=self.keys)
            await second_factors.begin(tx, UserId(self.owner.id), keys=self.keys)
        return self

    async def open_all(self, keys: Keyring) -> None:
        async with self.db.transaction(self.owner, "test") as tx:
            for number, bot in enumerate(self.bots):
                assert await open_secret(tx, bot, keys) == f"{number}:token"
            assert open_key(await get_language_model(tx, "main"), keys) == "sk-secret"
            assert (await sending.open_secret(tx, self.webhook_id, keys=keys)).startswith("whsec_")
            assert await second_factors.provisioning_uri(tx, UserId(self.owner.id), "a@b.example", keys=keys)


@pytest.fixture
async def vault(sealing: Settings) -> AsyncIterator[Vault]:
    db = await Database(sealing.database_url, size=4).open()
    filled = await Vault(db, await make_organization(db), sealing.keyring).fill()
    yield filled
    async with db.transaction(filled.owner, "test") as tx:
        for column in SEALED:
            await tx.execute(f"UPDATE {column.table} SET {column.column} = NULL" if column.column == "old_secret"
                             else f"DELETE FROM {column.table}")  # fmt: skip
    await db.close()


def _killer(at: int) -> Callable[[int], None]:
    """Dies when so many batches were written."""
    left = [at]

    def progress(count: int) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    return progress


async def test_a_rotation_killed_after_any_batch_goes_on_and_everything_opens_meanwhile(
    sealing: Settings, vault: Vault, record_property: Record
) -> None:
    total, kills, reads, stop = ACCOUNTS + 4, 0, 0, asyncio.Event()

    async def read_on() -> None:
        nonlocal reads
        while not stop.is_set():
            await vault.open_all(sealing.keyring)
            reads += 1

    async with asyncio.TaskGroup() as group:
        group.create_task(read_on())
        for at in range(1, total):
            # each time from the beginning, to a key of its own, one envelope a batch
            given = secrets.token_bytes(32)
            with pytest.raises(Killed):
                await sealing_keys.rotate(sealing, given=given, batch=1, progress=_killer(at))
            kills += 1
            key, done = await sealing_keys.rotate(sealing, batch=2)
            assert (key.id, done) == (sealing.keyring.current.id, total - at)
            await vault.open_all(sealing.keyring)
        stop.set()

    lines = await sealing_keys.list_keys(sealing)
    record_property(
        FIGURE, f"keys: {kills} rotations killed, one at every batch; {reads} readings meanwhile, 0 failed"
    )
    assert [(line.is_current, line.count) for line in lines if line.count] == [(True, total)]


async def test_the_old_key_can_be_dropped_and_everything_still_opens(sealing: Settings, vault: Vault) -> None:
    (first, _), (second, _) = [await sealing_keys.rotate(sealing) for _ in range(2)]

    await sealing_keys.drop(sealing, first.id.hex())
    without = sealing.model_copy(update={"secret_key": SecretStr("another key, and the first is forgotten")})

    assert _mode_of(first.source) is None
    assert _mode_of(second.source) == 0o600
    await vault.open_all(without.keyring)
    with pytest.raises(Conflict, match="current key"):
        await sealing_keys.drop(sealing, second.id.hex())


def _mode_of(source: str) -> int | None:
    path = Path(source)
    return path.stat().st_mode & 0o777 if path.exists() else None


async def test_a_key_that_seals_something_is_not_dropped(sealing: Settings, vault: Vault) -> None:
    first, _ = await sealing_keys.rotate(sealing)
    sealing.keyring.add()

    with pytest.raises(Conflict, match=f"{first.id.hex()} still seals {ACCOUNTS + 4}"):
        await sealing_keys.drop(sealing, first.id.hex())


async def test_what_was_sealed_before_there_were_envelopes_opens_and_gets_one(
    sealing: Settings, vault: Vault
) -> None:
    former = crypto.encrypt(
        sealing.secret_key.get_secret_value(), "0:token", f"channel_account {vault.bots[0]}"
    )
    async with vault.db.transaction(vault.owner, "test") as tx:
        await tx.execute(
            "UPDATE channel_accounts SET secret = %(former)s WHERE id = %(id)s",
            former=former,
            id=vault.bots[0],
        )

    await vault.open_all(sealing.keyring)
    before = {line.id: line.count for line in await sealing_keys.list_keys(sealing)}
    await sealing_keys.rotate(sealing)
    after = {line.id: line.count for line in await sealing_keys.list_keys(sealing)}

    assert (before[""], after.get("", 0)) == (1, 0)
    await vault.open_all(sealing.keyring)


async def test_a_missing_key_names_itself(sealing: Settings, vault: Vault) -> None:
    strange = Keyring("another key")

    with pytest.raises(NotFound, match=f"The key {sealing.keyring.current.id.hex()} is not here"):
        await vault.open_all(strange)


async def test_a_ciphertext_of_another_row_does_not_open(sealing: Settings, vault: Vault) -> None:
    async with vault.db.transaction(vault.owner, "test") as tx:
        await tx.execute(
            "UPDATE channel_accounts SET secret = (SELECT secret FROM channel_accounts WHERE id = %(other)s) "
            "WHERE id = %(id)s",
            id=vault.bots[0],
            other=vault.bots[1],
        )

    async with vault.db.transaction(vault.owner, "test") as tx:
        with pytest.raises(Unprocessable, match="sealed for another row"):
            await open_secret(tx, vault.bots[0], sealing.keyring)
    with pytest.raises(Unprocessable, match="sealed for another row"):
        await sealing_keys.rotate(sealing)


@pytest.mark.parametrize("part", ["organization_id", "table", "row_id", "column"])
def test_an_envelope_is_bound_to_every_part_of_its_place(part: str) -> None:
    keys = Keyring("a key")
    sealed = seal(keys, "whsec_1", PLACE)
    elsewhere = {
        "organization_id": uuid7(),
        "table": "language_models",
        "row_id": uuid7(),
        "column": "old_secret",
    }

    assert unseal(keys, sealed, PLACE) == "whsec_1"
    with pytest.raises(Unprocessable):
        unseal(keys, sealed, Place(**vars(PLACE) | {part: elsewhere[part]}))


def test_every_changed_byte_of_an_envelope_is_refused() -> None:
    keys = Keyring("a key")
    sealed = seal(keys, "whsec_1", PLACE)

    for place in range(len(envelopes.MARK), len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises((Unprocessable, NotFound)):
            unseal(keys, changed, PLACE)


async def test_no_key_and_no_secret_is_logged_or_shown(
    sealing: Settings, vault: Vault, capfd: pytest.CaptureFixture[str]
) -> None:
    given = secrets.token_bytes(32)
    await sealing_keys.rotate(sealing, given=given)
    lines = await sealing_keys.list_keys(sealing)
    shown = (
        "".join(capfd.readouterr())
        + repr(sealing.keyring)
        + repr(sealing.keyring.all())
        + "".join(map(str, lines))
    )

    for secret in (
        "0:token",
        "sk-secret",
        sealing.secret_key.get_secret_value(),
        base64.b64encode(given).decode(),
    ):
        assert secret not in shown
    assert repr(given) not in shown
