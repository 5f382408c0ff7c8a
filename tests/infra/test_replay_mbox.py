"""`getsale replay mbox`: every mail is accounted for, by the code that receives live ones, and none is sent."""

import mailbox
from pathlib import Path

import pytest

from core.db import Database
from core.errors import NotFound
from core.principal import Principal
from core.settings import Settings
from infra.replay import Tally, Target, find_target, replay_mbox
from tests.support.mail import SALES, VERA, Post, make_post, written


@pytest.fixture
async def post(database: Database, organization: Principal) -> Post:
    return await make_post(database, organization)


@pytest.fixture
async def target(database: Database, post: Post) -> Target:
    return await find_target(database, f"test-{post.owner.organization_id}", SALES, "email")


def _mbox(folder: Path, *mails: bytes) -> Path:
    box = mailbox.mbox(folder / "mails.mbox")
    for mail in mails:
        box.add(mail)
    box.close()
    return folder / "mails.mbox"


async def _replay(database: Database, target: Target, file: Path, settings: Settings) -> Tally:
    return await replay_mbox(database, target, file, settings)


async def test_mails_machines_and_mails_of_our_own_are_accepted_and_none_is_sent(
    database: Database, target: Target, post: Post, settings: Settings, tmp_path: Path
) -> None:
    file = _mbox(
        tmp_path,
        written(mail_id="1@x"),
        written("our answer", sender=SALES, to=VERA, subject="Re: Price", mail_id="2@x", answers=("1@x",)),
        written("I am away", subject="Re: Price", answers=("2@x",), auto_submitted="auto-replied"),
    )

    tally = await _replay(database, target, file, settings)

    assert str(tally) == "accepted=3 duplicate=0 refused=0"
    assert [message.status.value for message in await post.messages()] == ["received", "sent", "received"]
    assert "message.queued" not in await post.events()
    assert (await post.conversation()).last_seq == 3


async def test_a_second_replay_finds_duplicates_only(
    database: Database, target: Target, settings: Settings, tmp_path: Path
) -> None:
    file = _mbox(tmp_path, written(), written("two"))

    await _replay(database, target, file, settings)

    assert str(await _replay(database, target, file, settings)) == "accepted=0 duplicate=2 refused=0"


async def test_messages_are_counted_as_pythons_mailbox_counts_them(
    database: Database,
    target: Target,
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "odd.mbox"
    file.write_bytes(
        b"From a Thu Nov 26 10:00:00 2026\n" + written() + b"\nFrom nowhere\n\nno header\n\nFrom x\n" + b"\n"
        b"From b\n" + written("last, without a line's end").rstrip(b"\n")
    )
    counted = len(mailbox.mbox(file))

    tally = await _replay(database, target, file, settings)

    assert tally.accepted + tally.duplicate + tally.refused == counted == 4
    assert str(tally) == "accepted=2 duplicate=0 refused=2"
    refusals = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in refusals] == ["message 2", "message 3"]


async def test_a_file_without_a_mail_is_an_empty_one(
    database: Database, target: Target, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "empty.mbox"
    file.write_bytes(b"")

    assert str(await _replay(database, target, file, settings)) == "accepted=0 duplicate=0 refused=0"


async def test_a_mail_over_the_limit_is_refused_by_name(
    database: Database,
    target: Target,
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    small = settings.model_copy(update={"mail_limit_bytes": 2**20})
    file = _mbox(tmp_path, written("x" * 70 + "\n" + ("y" * 70 + "\n") * 20_000), written("small"))

    assert str(await _replay(database, target, file, small)) == "accepted=1 duplicate=0 refused=1"
    assert capsys.readouterr().err == "message 1: The mail is larger than 1 MB.\n"


async def test_an_account_is_found_by_its_address_and_named_when_it_is_not_there(
    database: Database, target: Target
) -> None:
    slug = f"test-{target.principal.organization_id}"

    assert target.account.address == SALES
    with pytest.raises(NotFound, match="nobody@x"):
        await find_target(database, slug, "nobody@x.example", "email")


async def test_a_file_that_is_not_there_is_not_made(
    database: Database, target: Target, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match="No such file"):
        await _replay(database, target, tmp_path / "none.mbox", settings)

    assert not (tmp_path / "none.mbox").exists()
