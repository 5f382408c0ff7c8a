"""Checkpoints of finished graphs, kept as data: what a process that died with an older build left behind."""

import asyncio
import base64
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from agents import checkpoints
from agents.llm.offline.model import OfflineModel
from core.db import Database
from core.principal import Principal
from core.settings import Settings
from evals.arena import Arena
from evals.scene import DealAtHand, Paper, Person, Said, Scene, Statement
from events.ids import RunId
from tests.support.servers import migrated_servers

FOLDER = Path(__file__).parents[1] / "conformance" / "checkpoints"
_COLUMNS = {
    "checkpoints": "checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata",
    "checkpoint_blobs": "checkpoint_ns, channel, version, type, blob",
}

LIND = Person(name="Vera Lind", company="Lind Logistics", title="Head of purchasing")
MOROZOV = Person(name="Павел Морозов", company="Ромашка", language="ru")
PRICE = Statement(text="25 to 99 scanners cost €17 each a month", predicate="price", source="Price list")
PRICE_RU = Statement(text="До 99 сканеров: 17 € за штуку в месяц", predicate="price", source="Прайс")
CASES = (
    (Scene(contact=LIND, facts=(PRICE,)), ("Hello", "What do 40 scanners cost?")),
    (Scene(contact=MOROZOV, facts=(PRICE_RU,)), ("Здравствуйте! Сколько стоят 40 сканеров?",)),
    (Scene(contact=LIND, deals=(DealAtHand(name="40 scanners", amount_minor=816000),)), ("Could we meet on Thursday?",)),
    (Scene(contact=LIND, history=(Said(by="us", text="Shall I send the contract?"),)), ("I want to talk to your boss.",)),
    (Scene(contact=MOROZOV, documents=(Paper(name="delivery.md", text="# Доставка\n\nДоставка занимает 5 дней."),)),
     ("Какие у вас сроки доставки?",)),
    (Scene(contact=LIND), ("Thanks, talk soon!",)),
)  # fmt: skip


class HasRows(Protocol):
    """A checkpoint of any graph, as rows."""

    @property
    def rows(self) -> dict[str, list[dict[str, Any]]]: ...


@dataclass(frozen=True)
class Recorded:
    """One checkpoint with all before it: the case it was made in, and how that run ended in the end."""

    scene: Scene
    lines: tuple[str, ...]
    step: int
    outcome: str
    rows: dict[str, list[dict[str, Any]]]

    @classmethod
    def from_json(cls, text: str) -> "Recorded":
        told = json.loads(text)
        scene = Scene.model_validate(told["scene"])
        return cls(scene, tuple(told["lines"]), told["step"], told["outcome"], told["rows"])

    def to_json(self) -> str:
        told = {
            "step": self.step,
            "outcome": self.outcome,
            "lines": self.lines,
            "scene": self.scene.model_dump(mode="json", exclude_defaults=True),
            "rows": self.rows,
        }
        return json.dumps(told, ensure_ascii=False)


def load(name: str) -> list[Recorded]:
    """Every checkpoint of one version of a graph, by the name of its file."""
    return [Recorded.from_json(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


async def lay_down(db: Database, principal: Principal, recorded: HasRows, run_id: RunId) -> None:
    """Leave the checkpoint behind as a process does that dies right after it."""
    async with db.session(principal) as connection:
        for table, columns in _COLUMNS.items():
            for row in recorded.rows[table]:
                values = {**row, "thread_id": str(run_id)}
                if values.get("blob") is not None:
                    values["blob"] = base64.b64decode(values["blob"])
                for name in ("checkpoint", "metadata"):
                    if name in values:
                        values[name] = json.dumps(values[name])
                places = ", ".join(f"%({name.strip()})s" for name in columns.split(","))
                await connection.execute(
                    f"INSERT INTO {table} (thread_id, {columns}) VALUES (%(thread_id)s, {places})",
                    values,
                )


async def pick_up(
    db: Database, principal: Principal, run_id: RunId
) -> list[tuple[int, dict[str, list[dict[str, Any]]]]]:
    """Each checkpoint of a run that nobody pruned, with its step and the rows that were there at that moment."""
    rows: dict[str, list[dict[str, Any]]] = {}
    async with db.session(principal) as connection:
        for table, columns in _COLUMNS.items():
            cursor = await connection.execute(
                f"SELECT {columns} FROM {table} WHERE thread_id = %(thread_id)s",
                {"thread_id": str(run_id)},
            )
            rows[table] = [_plain(row) for row in await cursor.fetchall()]
    rows["checkpoints"].sort(key=lambda row: str(row["checkpoint_id"]))
    return list(_moments(rows))


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    blob = row.get("blob")
    return {**row, "blob": base64.b64encode(blob).decode()} if isinstance(blob, bytes) else row


def _moments(
    rows: dict[str, list[dict[str, Any]]],
) -> Iterator[tuple[int, dict[str, list[dict[str, Any]]]]]:
    for place, row in enumerate(rows["checkpoints"], 1):
        before = rows["checkpoints"][:place]
        named = {version for one in before for version in one["checkpoint"]["channel_versions"].items()}
        blobs = [one for one in rows["checkpoint_blobs"] if (one["channel"], one["version"]) in named]
        yield int(row["metadata"]["step"]), {"checkpoints": before, "checkpoint_blobs": blobs}


async def record(name: str) -> None:
    """Play every case with the graph as it is now, and keep each checkpoint on the way."""

    async def keep(*_: object) -> None:
        """All checkpoints stay."""

    checkpoints.prune = keep  # type: ignore[assignment]  # for this process alone
    with tempfile.TemporaryDirectory() as folder, migrated_servers(Path(folder)) as servers:
        settings = Settings(data=Path(folder), redis_url=servers.urls.redis_url)
        db = await Database(servers.urls.database_url).open()
        recorded = [one for case in CASES for one in await _play(Arena(db, settings), *case)]
        await db.close()
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / name).write_text("".join(f"{one.to_json()}\n" for one in recorded), encoding="utf-8")


async def _play(arena: Arena, scene: Scene, lines: tuple[str, ...]) -> list[Recorded]:
    room = await arena.make_room(scene)
    with room.clock():
        run_id = await room.hear(*lines)
        if run_id is None:
            raise LookupError(f"Nobody answers {lines}.")
        run = await arena.work(room, run_id, OfflineModel())
    moments = await pick_up(arena.db, room.owner, run_id)
    return [Recorded(scene, lines, step, run.outcome, rows) for step, rows in moments]


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1]))
