"""Keeping the peer's memory in a folder, so that chats outlive a restart."""

import asyncio
import json
from collections import Counter
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from infra.peers.telegram.state import Bot, Line, Person, Store, StoredFile, Webhook

_SAVE_EVERY_SECONDS = 0.5
_TRANSIENT = ("changes", "calls", "poll_number")


def load(store: Store, path: Path) -> None:
    """Read what the last process left; a missing file means a first start."""
    if not path.exists():
        return
    for raw in json.loads(path.read_text(encoding="utf-8")):
        store.add_bot(_bot(raw))


async def keep_saved(store: Store, path: Path) -> None:
    """Write the file whenever something changed, and once more when cancelled."""
    last = ""
    try:
        while True:
            await asyncio.sleep(_SAVE_EVERY_SECONDS)
            last = await _save(store, path, last)
    finally:
        await _save(store, path, last)


async def _save(store: Store, path: Path, last: str) -> str:
    text = json.dumps([_row(bot) for bot in store.bots.values()], ensure_ascii=False)
    if text != last:
        await asyncio.to_thread(_replace, path, text)
    return text


def _replace(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def _row(bot: Bot) -> dict[str, Any]:
    row = {each.name: getattr(bot, each.name) for each in fields(Bot) if each.name not in _TRANSIENT}
    row["people"] = [asdict(person) for person in bot.people.values()]
    row["lines"] = {str(chat_id): [asdict(line) for line in lines] for chat_id, lines in bot.lines.items()}
    row["files"] = [asdict(file) for file in bot.files.values()]
    row["webhook"] = asdict(bot.webhook) if bot.webhook else None
    return row


def _bot(row: dict[str, Any]) -> Bot:
    people = [Person(**each) for each in row.pop("people")]
    lines = {int(chat_id): [_line(each) for each in rows] for chat_id, rows in row.pop("lines").items()}
    files = [StoredFile(**each) for each in row.pop("files")]
    webhook = row.pop("webhook")
    return Bot(
        **row,
        people={person.id: person for person in people},
        lines=lines,
        files={file.id: file for file in files},
        webhook=Webhook(**webhook) if webhook else None,
        calls=Counter(),
    )


def _line(row: dict[str, Any]) -> Line:
    file = row.pop("file")
    return Line(**row, file=StoredFile(**file) if file else None)
