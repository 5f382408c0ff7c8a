"""Checkpoints of the graphs that read talks and follow them up, kept as data beside those of the inbox agent.

`python -m tests.support.recorded_talks memory_writer-1.jsonl` (or `follow_up-1.jsonl`) writes those of the graph as it is.
"""

import asyncio
import base64
import json
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from agents import checkpoints
from core.db import Database
from core.settings import Settings
from crm.conversations.queries import list_messages
from crm.runs.models import Run
from tests.support import recorded_checkpoints
from tests.support.following import Team
from tests.support.organizations import make_organization
from tests.support.servers import migrated_servers
from tests.support.world import make_world

FOLDER = recorded_checkpoints.FOLDER / "talks"
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
# Who writes what; "us" is a person of ours.
Lines = tuple[tuple[str, str], ...]
TALKS: tuple[Lines, ...] = (
    (("contact", "I'm head of procurement at Lind."), ("us", "I'll send the offer on Friday.")),
    (("contact", "У нас 40 сотрудников, работаем в SAP."), ("us", "Пришлю расчёт в пятницу.")),
    (("contact", "I'll send you the floor plan on Friday."),),
    (("contact", "Пришлю реквизиты в пятницу. Бюджет 500 тысяч рублей."),),
    (("contact", "Hello"), ("us", "We will call you on Monday."), ("contact", "We use HubSpot for everything.")),
    (("contact", "Решение принимает финансовый директор."), ("us", "Позвоню в понедельник.")),
    (("contact", "We are based in Riga."), ("us", "I'll prepare the numbers by the end of the week.")),
    (("contact", "Our budget is 10k EUR."), ("us", "I'll email the price list tomorrow.")),
)  # fmt: skip


@dataclass(frozen=True)
class Recorded:
    """One checkpoint with all before it; `messages` are the ids of the talk's messages, which its state may hold."""

    lines: Lines
    step: int
    outcome: str
    messages: tuple[str, ...]
    rows: dict[str, list[dict[str, Any]]]

    @classmethod
    def from_json(cls, text: str) -> "Recorded":
        told = json.loads(text)
        lines = tuple((who, said) for who, said in told["lines"])
        return cls(lines, told["step"], told["outcome"], tuple(told["messages"]), told["rows"])

    def about(self, messages: tuple[str, ...]) -> "Recorded":
        """The same checkpoint of a talk whose messages have these ids."""
        rows = json.loads(json.dumps(self.rows))
        for row in rows["checkpoint_blobs"]:
            if row["blob"] is not None:
                blob = base64.b64decode(row["blob"])
                for old, new in zip(self.messages, messages, strict=True):
                    blob = blob.replace(old.encode(), new.encode())
                    blob = blob.replace(UUID(old).hex.encode(), UUID(new).hex.encode())
                row["blob"] = base64.b64encode(blob).decode()
        return Recorded(self.lines, self.step, self.outcome, messages, rows)


def load(name: str) -> list[Recorded]:
    return [Recorded.from_json(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


async def play(team: Team, lines: Lines) -> tuple[str, ...]:
    """Say the lines; the ids of their messages."""
    for who, said in lines:
        await (team.say(said) if who == "us" else team.hear(said))
    conversation = await team.world.conversation()
    async with team.db.transaction(team.world.owner, "test") as tx:
        return tuple(str(message.id) for message in await list_messages(tx, conversation.id))


async def record(name: str) -> None:
    async def keep(*_: object) -> None:
        """All checkpoints stay."""

    checkpoints.prune = keep  # type: ignore[assignment]  # for this process alone
    recorded: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, migrated_servers(Path(folder)) as servers:
        settings = Settings(data=Path(folder), redis_url=servers.urls.redis_url)
        db = await Database(servers.urls.database_url).open()
        for lines in TALKS:
            owner = await make_organization(db)
            team = Team(await make_world(db, owner), settings, NOW)
            messages = await play(team, lines)
            run = await _run(team, name)
            moments = await recorded_checkpoints.pick_up(db, owner, run.id)
            recorded += [
                {"step": step, "outcome": run.outcome, "lines": lines, "messages": messages, "rows": rows}
                for step, rows in moments
            ]
        await db.close()
    FOLDER.mkdir(exist_ok=True)
    text = "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in recorded)
    (FOLDER / name).write_text(text, encoding="utf-8")


async def _run(team: Team, name: str) -> Run:
    read = await team.rest()
    if name.startswith("follow_up"):
        (promise,) = await team.promises()
        read = await team.fall_due(promise)
    if read is None:
        raise LookupError("Nobody was sent.")
    return read


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1]))
