"""Does the agent keep the house rules: wait until the contact has finished, leave alone who asked for it, keep to a budget?"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from agents.llm.base import LanguageModel
from crm.runs.actions import QuietWindow
from evals.arena import Arena, Played, Room
from evals.cases import Case
from evals.scorers import outcomes
from evals.suites.base import Suite
from events.ids import RunId

# As the product waits: so long after the last line, but never longer than that since the first.
_QUIET = QuietWindow(8, 45)
_BETWEEN_LINES = timedelta(seconds=4)
# Triage, two looks at what is known and a draft are four.
_FEW_STEPS = 2


async def play(arena: Arena, case: Case, model: LanguageModel) -> Played:
    """By the kind of case; `runs` and `run.status` are places of the state."""
    room = await arena.make_room(case.stage())
    with room.clock():
        match case.stratum:
            case "quiet window":
                return await _line_by_line(arena, room, case, model)
            case "stop":
                return await _after_a_stop(arena, room, case, model)
            case _:
                await room.limit_steps(_FEW_STEPS)
                return await _work(arena, room, model, [await room.hear(*case.burst)])


async def _line_by_line(arena: Arena, room: Room, case: Case, model: LanguageModel) -> Played:
    """Lines come four seconds apart, and whatever is due is worked on at once."""
    done = []
    for number, line in enumerate((*case.burst, "")):
        moment = _BETWEEN_LINES * number if line else timedelta(seconds=_QUIET.max_seconds)
        with room.clock(moment):
            if line:
                await room.receive(room.inbound(line), _QUIET)
            run_id = await room.due_run()
            if run_id is not None:
                await arena.work(room, run_id, model)
                done.append(run_id)
    played = await room.read_back(done[-1] if done else None)
    return replace(played, state={**played.state, "runs": len(done)})


async def _after_a_stop(arena: Arena, room: Room, case: Case, model: LanguageModel) -> Played:
    """They ask to be left alone, a person gives the conversation back all the same, and they write again."""
    stop, *later = case.burst
    runs = [await room.hear(stop)]
    await room.give_back()
    return await _work(arena, room, model, [*runs, await room.hear(*later)])


async def _work(arena: Arena, room: Room, model: LanguageModel, runs: Sequence[RunId | None]) -> Played:
    wanted = [run_id for run_id in dict.fromkeys(runs) if run_id is not None]
    for run_id in wanted:
        await arena.work(room, run_id, model)
    played = await room.read_back(wanted[-1] if wanted else None)
    status = str(played.run.status) if played.run else ""
    return replace(played, state={**played.state, "runs": len(wanted), "run.status": status})


SUITE = Suite(
    name="conduct",
    about="waits for silence, leaves alone who asked for it, keeps to its budget",
    deciding=(outcomes.final_state,),
    thresholds={"pass_rate": 1.0},
    play=play,
)
