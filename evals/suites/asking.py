"""How a case is played in which a colleague asks the copilot, and decides about what it proposes."""

from dataclasses import replace

from agents.llm.base import LanguageModel
from crm.copilot.models import Question
from crm.runs.tool_calls import ToolCall
from evals.arena import Arena, Played
from evals.cases import Case
from evals.firm import read_firm
from evals.office import open_office
from evals.rows import changes


async def ask(arena: Arena, case: Case, model: LanguageModel) -> Played:
    """The colleague asks one question after the other in one chat; what is left is that of the whole chat."""
    office = await open_office(arena, read_firm())
    question: Question | None = None
    calls: list[ToolCall] = []
    with office.clock():
        before = await arena.look(office)
        for words in case.burst:
            chat_id = question.chat_id if question else None
            question = await office.ask(words, by=case.by, about=case.about, chat_id=chat_id)
            await arena.work(office, question.run_id, model)
            await arena.decide(office, question.run_id, approves=case.approver == "approves")
            played = await office.read_back(question, by=case.by)
            calls += played.calls
        return replace(played, calls=calls, changes=changes(before, await arena.look(office)))
