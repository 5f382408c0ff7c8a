"""Do whole talks end as the prospect wants: with an answer, a meeting, a person, or in peace?"""

from dataclasses import replace
from datetime import timedelta
from random import Random

from agents.llm.base import LanguageModel
from core.errors import Unprocessable
from evals.arena import Arena, Line, Played, Room, Talked
from evals.cases import Case
from evals.prospect import Heard, Prospect
from evals.scorers import outcomes, talks, texts
from evals.scorers.base import reply_of
from evals.suites.base import Suite

# A prospect reads an answer before they write again.
_PAUSE = timedelta(minutes=10)


async def talk(arena: Arena, case: Case, model: LanguageModel) -> Played:
    """The prospect writes, the seat answers, its drafts are approved, and so on until the prospect has done."""
    if case.talk is None:
        raise Unprocessable(f"The case {case.id} has no prospect; tell in `talk` what they want.")
    room = await arena.make_room(case.stage())
    prospect = Prospect(case.talk, Random(f"{case.id} {case.attempt}"))
    lines: list[Line] = []
    written: tuple[str, ...] = case.burst
    while True:
        lines += [Line(False, text) for text in written]
        with room.clock(_PAUSE * len(lines)):
            played = await _answered(arena, room, written, model)
        reply = reply_of(played)
        lines += [Line(True, reply)] if reply else []
        said = prospect.hear(Heard(reply, has_person=played.handoff_reason is not None))
        if said is None:
            return replace(played, talk=Talked(str(prospect.end), prospect.got, lines))
        written = (said,)


async def _answered(arena: Arena, room: Room, written: tuple[str, ...], model: LanguageModel) -> Played:
    run_id = await room.hear(*written)
    if run_id is not None:
        await arena.work(room, run_id, model)
    await room.approve()
    return await room.read_back(run_id)


SUITE = Suite(
    name="talks",
    about="talks over several turns end as the prospect wants, without repeating or giving away",
    deciding=(talks.goal, talks.turns, talks.repetition, talks.unsaid, talks.language, outcomes.final_state),
    looking=(texts.tone, texts.length),
    thresholds={"pass_rate": 0.66, "unsaid": 1.0, "language": 0.95},
    play=talk,
)
