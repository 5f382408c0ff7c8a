"""What every suite is: cases, how they are played, who judges them, and what is good enough."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agents.llm.base import LanguageModel
from evals.arena import Arena, Played, Room
from evals.cases import DATASETS, Case, read_cases
from evals.scorers.base import Scorer
from events.ids import RunId

Play = Callable[[Arena, Case, LanguageModel], Awaitable[Played]]


async def answer(arena: Arena, case: Case, model: LanguageModel) -> Played:
    """The contact writes the burst, and the seat works once, if it is called."""
    room = await arena.make_room(case.stage())
    with room.clock():
        return await room.read_back(await work(arena, room, case, model))


async def work(arena: Arena, room: Room, case: Case, model: LanguageModel) -> RunId | None:
    """The burst comes into a room that is there, and the seat works; its run, if it was called."""
    run_id = await room.hear(*case.burst)
    if run_id is not None:
        await arena.work(room, run_id, model)
    return run_id


@dataclass(frozen=True)
class Suite:
    """`deciding` scorers must all be content for a case to pass; `looking` ones are reported beside them.

    `thresholds` name the figures that a run must reach, as `pass_rate` or `decision.ru`. `by_stratum` has every share
    told for each kind of case as well, as `pass_rate@price`.
    """

    name: str
    about: str
    deciding: tuple[Scorer, ...]
    looking: tuple[Scorer, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)
    play: Play = answer
    by_stratum: bool = False

    @property
    def datasets(self) -> list[Path]:
        """The suite's own cases, a file for each language."""
        return [DATASETS / f"{self.name}.{language}.jsonl" for language in ("en", "ru")]

    def cases(self, file: Path | None = None) -> list[Case]:
        """The suite's cases, or those of another file. Raises: Unprocessable."""
        return read_cases([file] if file else self.datasets)
