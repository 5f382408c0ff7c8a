"""`getsale replay telegram`: every line is accounted for, by the code that receives live updates."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.db import Database
from core.envelopes import Keyring
from core.errors import NotFound
from core.principal import Principal
from crm.channel_accounts.actions import connect_telegram_bot
from infra.replay import Tally, Target, find_target, replay_telegram

LIMIT = 20 * 1024 * 1024


def _update(update_id: int, text: str = "Hello", kind: str = "message") -> dict[str, Any]:
    person = {"id": 77, "is_bot": False, "first_name": "Ann", "language_code": "en"}
    message = {"message_id": update_id, "date": 1_700_000_000, "chat": {"id": 77, "type": "private"}}
    return {"update_id": update_id, kind: {**message, "from": person, "text": text}}


def _line(update: object) -> bytes:
    return json.dumps(update).encode() + b"\n"


@pytest.fixture
async def target(database: Database, organization: Principal) -> Target:
    async with database.transaction(organization, "test") as tx:
        account_id = await connect_telegram_bot(
            tx, name="Bot", address="@bot", token="1:a", keys=Keyring("key"), delivery="webhook"
        )
    return await find_target(database, f"test-{organization.organization_id}", str(account_id))


async def _replay(database: Database, target: Target, *lines: bytes) -> Tally:
    return await replay_telegram(database, target, lines, file_limit_bytes=LIMIT)


async def test_messages_edits_and_service_updates_are_accepted(database: Database, target: Target) -> None:
    edit = _update(1, "Hello!", kind="edited_message") | {"update_id": 2}
    edit["edited_message"]["edit_date"] = 1_700_000_060
    blocked = {"update_id": 3, "my_chat_member": {}}

    tally = await _replay(database, target, _line(_update(1)), _line(edit), _line(blocked))

    assert str(tally) == "accepted=3 duplicate=0 refused=0"
    async with database.transaction(target.principal, "test") as tx:
        assert await tx.value("SELECT array_agg(body) FROM messages") == ["Hello!"]


async def test_the_same_update_twice_is_a_duplicate(database: Database, target: Target) -> None:
    tally = await _replay(database, target, _line(_update(1)), _line(_update(1)))

    assert str(tally) == "accepted=1 duplicate=1 refused=0"


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"   \n",
        b"{\n",
        b"[1]\n",
        b"null\n",
        b"\xff\xfe\n",
        b'{"update_id": 1}\n',
        _line({"message": {}}),
    ],
)
async def test_what_cannot_be_understood_is_refused_with_its_line(
    database: Database, target: Target, line: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    tally = await _replay(database, target, _line(_update(1)), line, _line(_update(3)))

    assert str(tally) == "accepted=2 duplicate=0 refused=1"
    assert capsys.readouterr().err.startswith("line 2: ")


async def test_a_group_is_refused(database: Database, target: Target) -> None:
    update = _update(1)
    update["message"]["chat"] = {"id": -5, "type": "group", "title": "Us"}

    assert (await _replay(database, target, _line(update))).refused == 1


async def test_a_text_with_a_nul_does_not_end_the_replay(database: Database, target: Target) -> None:
    tally = await _replay(database, target, _line(_update(1, "a\x00b")), _line(_update(2)))

    assert tally.accepted + tally.refused == 2


async def test_unknown_targets_are_named(database: Database, target: Target) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        await find_target(database, "nowhere", None)
    with pytest.raises(NotFound, match="nobody"):
        await find_target(database, f"test-{target.principal.organization_id}", "nobody")


async def test_a_file_is_read_line_by_line(database: Database, target: Target, tmp_path: Path) -> None:
    file = tmp_path / "updates.jsonl"
    file.write_bytes(_line(_update(1)) + b"\r\n" + _line(_update(2)).rstrip())

    with file.open("rb") as lines:
        tally = await replay_telegram(database, target, lines, file_limit_bytes=LIMIT)

    assert str(tally) == "accepted=2 duplicate=0 refused=1"
