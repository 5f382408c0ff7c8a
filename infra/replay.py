"""Pushes recorded traffic through the code that receives live one: Bot API updates, one a line, and mbox files."""

import asyncio
import mailbox
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from channels.email.inbound import parse as parse_mail
from channels.email.received import as_inbound, is_own
from channels.telegram.inbound import Understood, parse
from core import jsons
from core.blobs import Blobs
from core.db import Database
from core.errors import AppError, NotFound, Unprocessable
from core.principal import Principal, system
from core.settings import Settings
from crm.channel_accounts.models import ChannelAccount
from crm.channel_accounts.queries import find_channel_account
from crm.conversations.actions import receive_message
from crm.conversations.models import InboundMessage, Reception
from crm.identity.queries import find_organization_id


@dataclass
class Tally:
    """What became of the pieces of a file; prints as the command's last line."""

    piece: str = "line"
    accepted: int = 0
    duplicate: int = 0
    refused: int = 0

    def __str__(self) -> str:
        return f"accepted={self.accepted} duplicate={self.duplicate} refused={self.refused}"

    def count(self, reception: Reception) -> None:
        if reception is Reception.ACCEPTED:
            self.accepted += 1
        else:
            self.duplicate += 1

    def refuse(self, number: int, reason: str) -> None:
        self.refused += 1
        print(f"{self.piece} {number}: {' '.join(reason.split())}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Target:
    """Whose account the updates are meant for."""

    principal: Principal
    account: ChannelAccount


async def find_target(db: Database, slug: str, account: str | None, channel: str = "telegram") -> Target:
    """Raises: NotFound when the organization or the account is unknown."""
    organization_id = await find_organization_id(db, slug)
    if organization_id is None:
        raise NotFound(f"There is no organization {slug}; give its slug with --organization.")
    principal = system(organization_id)
    async with db.transaction(principal, "replay.target") as tx:
        return Target(principal, await find_channel_account(tx, channel, account))


async def replay_telegram(
    db: Database, target: Target, lines: Iterable[bytes], *, file_limit_bytes: int
) -> Tally:
    """Take every line in order, each in a transaction of its own."""
    tally = Tally()
    for number, line in enumerate(lines, start=1):
        try:
            reception = await _take(db, target, _decoded(line), file_limit_bytes)
        except AppError as err:
            tally.refuse(number, err.detail)
            continue
        tally.count(reception)
    return tally


def _decoded(line: bytes) -> dict[str, Any]:
    """Raises: Unprocessable for a line that is not one JSON object."""
    if not line.strip():
        raise Unprocessable("The line is blank.")
    try:
        update = jsons.loads(line)
    except ValueError as err:
        raise Unprocessable(f"The line is not JSON: {err}.") from err
    if not isinstance(update, dict):
        raise Unprocessable("The line is not a JSON object.")
    return update


async def _take(db: Database, target: Target, update: dict[str, Any], file_limit_bytes: int) -> Reception:
    inbound = parse(update, file_limit_bytes=file_limit_bytes)
    if isinstance(inbound, Understood):
        return Reception.ACCEPTED
    return await _receive(db, target, inbound)


async def _receive(db: Database, target: Target, inbound: InboundMessage) -> Reception:
    try:
        async with db.transaction(target.principal, "replay.receive") as tx:
            return await receive_message(tx, target.account, inbound)
    except psycopg.DataError as err:
        raise Unprocessable(f"The database cannot hold it: {err}") from err


async def replay_mbox(db: Database, target: Target, file: Path, settings: Settings) -> Tally:
    """Take every mail of an mbox file in order, each in a transaction of its own; one is in memory at a time.

    Mails whose From is the account's own address are stored as sent and never sent again.
    Raises: OSError when the file cannot be read.
    """
    tally = Tally("message")
    keep = partial(Blobs(settings.data).put, target.principal.organization_id)
    box = await asyncio.to_thread(open_mbox, file)
    try:
        for number, key in enumerate(await asyncio.to_thread(box.keys), start=1):
            try:
                raw = await asyncio.to_thread(mail_content, box, key, settings.mail_limit_bytes)
                mail = await asyncio.to_thread(
                    parse_mail, raw, file_limit_bytes=settings.mail_file_limit_bytes
                )
                own_address = target.account.address
                # who replays a file answers for it: in there, From is believed
                is_from_us = is_own(mail, own_address)
                inbound = await as_inbound(mail, own_address, keep, is_from_us=is_from_us)
                tally.count(await _receive(db, target, inbound))
            except AppError as err:
                tally.refuse(number, err.detail)
    finally:
        box.close()
    return tally


def open_mbox(file: Path) -> mailbox.mbox:
    """Raises: OSError when there is no such file."""
    with file.open("rb"):  # mailbox would try to make a file that is not there
        return mailbox.mbox(file, create=False)


def mail_content(box: mailbox.mbox, key: str, limit_bytes: int) -> bytes:
    """One mail as it was sent. Raises: Unprocessable when it is larger than that."""
    with box.get_file(key) as part:
        content: bytes = part.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise Unprocessable(f"The mail is larger than {limit_bytes // 2**20} MB.")
    return content
