"""Pushes recorded Bot API updates, one a line, through the code that receives live ones."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from channels.telegram.inbound import Understood, parse
from core import jsons
from core.db import Database
from core.errors import AppError, NotFound, Unprocessable
from core.principal import Principal, system
from crm.channel_accounts.models import ChannelAccount
from crm.channel_accounts.queries import find_channel_account
from crm.conversations.actions import receive_message
from crm.conversations.models import Reception
from crm.identity.queries import find_organization_id


@dataclass
class Tally:
    """What became of the lines; prints as the command's last line."""

    accepted: int = 0
    duplicate: int = 0
    refused: int = 0

    def __str__(self) -> str:
        return f"accepted={self.accepted} duplicate={self.duplicate} refused={self.refused}"

    def refuse(self, number: int, reason: str) -> None:
        self.refused += 1
        print(f"line {number}: {' '.join(reason.split())}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Target:
    """Whose account the updates are meant for."""

    principal: Principal
    account: ChannelAccount


async def find_target(db: Database, slug: str, account: str | None) -> Target:
    """Raises: NotFound when the organization or the account is unknown."""
    organization_id = await find_organization_id(db, slug)
    if organization_id is None:
        raise NotFound(f"There is no organization {slug}; give its slug with --organization.")
    principal = system(organization_id)
    async with db.transaction(principal, "replay.target") as tx:
        return Target(principal, await find_channel_account(tx, "telegram", account))


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
        if reception is Reception.ACCEPTED:
            tally.accepted += 1
        else:
            tally.duplicate += 1
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
    try:
        async with db.transaction(target.principal, "replay.receive") as tx:
            return await receive_message(tx, target.account, inbound)
    except psycopg.DataError as err:
        raise Unprocessable(f"The database cannot hold it: {err}") from err
