"""Is what colleagues and contacts want done, by the right tools, and is nothing else changed?"""

from agents.llm.base import LanguageModel
from evals.arena import Arena, Played
from evals.cases import Case
from evals.scorers import calls, outcomes, rows, texts
from evals.suites.asking import ask
from evals.suites.base import Suite, work


async def play(arena: Arena, case: Case, model: LanguageModel) -> Played:
    """A colleague asks the copilot, or the contact writes to the inbox; a person approves what the agent asks about."""
    if case.by:
        return await ask(arena, case, model)
    room = await arena.make_room(case.stage())
    with room.clock():
        run_id = await work(arena, room, case, model)
        await room.approve()
        return await room.read_back(run_id)


SUITE = Suite(
    name="tools",
    about="what was asked for is what has changed when it is over, and nothing else",
    deciding=(rows.final_rows, outcomes.final_state, outcomes.decision, calls.trajectory),
    looking=(calls.tool_f1, texts.refusal, texts.language),
    thresholds={"pass_rate": 0.66, "pass_rate.en": 0.64, "pass_rate.ru": 0.6},
    play=play,
)
