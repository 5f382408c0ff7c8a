"""The default model: no language model at all, but the same requests, tools and answers."""

from collections.abc import Callable
from time import monotonic

from pydantic import BaseModel, TypeAdapter

from agents.follow_up.contract import Occasion
from agents.inbox.contract import Case, CaseEvidence
from agents.llm.base import ModelReply, ModelRequest, ModelUnavailable, ToolRequest
from agents.llm.exchanged import exchange_of
from agents.llm.offline.copilot.planner import answer as answer_colleague
from agents.llm.offline.following import advise_on
from agents.llm.offline.intents import NOTHING_NEAR, Nearness
from agents.llm.offline.introductions import find_relation, is_named, search_text, wanted_introduction
from agents.llm.offline.meanings import Meanings
from agents.llm.offline.memory.reading import read_talk
from agents.llm.offline.replies import write_reply
from agents.llm.offline.triage import triage
from agents.memory_writer.contract import Talk
from agents.text import sentences
from core import clock
from crm.runs.model_calls import CallOutcome, ModelCall, UsageFrom

COPILOT, REMEMBER, FOLLOW_UP = "copilot", "remember", "follow_up"
_found = TypeAdapter(tuple[CaseEvidence, ...])


class OfflineModel:
    """Answers by rules and templates; deterministic, and says so in its label."""

    label = "offline templates 1, no language model"
    context_tokens = 1_000_000

    def __init__(self, meanings: Meanings | None = None) -> None:
        self._meanings = meanings

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Answer, and account for it like any model: nothing is used. Raises: ModelUnavailable for a task it does not know."""
        began, started = monotonic(), clock.now()
        reply = await self._answer(request)
        call = ModelCall(
            task=request.task,
            model=self.label,
            attempt=1,
            outcome=CallOutcome.ANSWERED,
            usage_from=UsageFrom.NONE,
            tokens_in=0,
            tokens_out=0,
            cost_usd_micros=0,
            started_at=started,
            latency_ms=round((monotonic() - began) * 1000),
            exchange=exchange_of(request, reply),
        )
        request.record(call)
        return reply

    async def _answer(self, request: ModelRequest) -> ModelReply:
        """Read the case out of the request as any model would."""
        if request.task == COPILOT:
            reply = answer_colleague(request)
            request.on_text(reply.text)
            return reply
        if request.task in _READERS:
            shown = next(turn.text for turn in request.messages if turn.role == "user")
            return ModelReply(text=_READERS[request.task](shown).model_dump_json())
        answer = _TASKS.get(request.task)
        if answer is None:
            raise ModelUnavailable(f"The offline templates do not know the task {request.task}.")
        case = Case.model_validate_json(next(turn.text for turn in request.messages if turn.role == "user"))
        results = [turn.text for turn in request.messages if turn.role == "tool"]
        found = [evidence for text in results for evidence in _evidence_of(text)]
        case = case.model_copy(update={"evidence": (*case.evidence, *found)})
        near = await self._near(case)
        if request.task == "draft" and (wanted := _look_for_introduction(case, near, request)):
            return ModelReply(tool_requests=wanted)
        return ModelReply(text=answer(case, near).model_dump_json())

    async def _near(self, case: Case) -> Nearness:
        """The burst by meaning, where an embedding model is at hand."""
        if self._meanings is None:
            return NOTHING_NEAR
        return await self._meanings.of(
            [sentence for message in case.new_messages for sentence in sentences(message.text)]
        )


def _remember(shown: str) -> BaseModel:
    return read_talk(Talk.model_validate_json(shown))


def _follow_up(shown: str) -> BaseModel:
    return advise_on(Occasion.model_validate_json(shown))


_READERS: dict[str, Callable[[str], BaseModel]] = {REMEMBER: _remember, FOLLOW_UP: _follow_up}
_TASKS: dict[str, Callable[[Case, Nearness], BaseModel]] = {"triage": triage, "draft": write_reply}


def _look_for_introduction(case: Case, near: Nearness, request: ModelRequest) -> tuple[ToolRequest, ...]:
    """Somebody asks to be introduced: find out who that is, then whether a chain leads there."""
    name = wanted_introduction(case, near)
    offered = {tool.name for tool in request.tools}
    rounds = sum(turn.role == "assistant" for turn in request.messages)
    if not name or rounds > 1 or not {"find_contacts", "find_companies", "find_introduction"} <= offered:
        return ()
    relation = find_relation(case, [name])
    if relation is not None and relation.text:
        return ()
    if rounds == 0 and relation is None:
        text = search_text(name)
        return tuple(ToolRequest(tool, tool, {"text": text}) for tool in ("find_contacts", "find_companies"))
    known = next((evidence.id for evidence in case.evidence if _is_meant(evidence, name, case)), "")
    target = relation.details.get("person_id", "") if relation else known
    is_asked = any(
        wanted.name == "find_introduction" for turn in request.messages for wanted in turn.tool_requests
    )
    return (
        (ToolRequest("path", "find_introduction", {"target_id": target}),) if target and not is_asked else ()
    )


def _is_meant(evidence: CaseEvidence, name: str, case: Case) -> bool:
    is_other = evidence.id not in (case.contact.id, case.contact.company_id)
    return is_other and evidence.kind in ("contact", "company") and is_named(evidence.label, [name])


def _evidence_of(text: str) -> tuple[CaseEvidence, ...]:
    """What a tool turn adds to the evidence; a turn that reports a failure adds nothing."""
    return _found.validate_json(text) if text.startswith("[") else ()
