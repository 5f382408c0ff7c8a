"""The default model: no language model at all, but the same requests, tools and answers."""

from collections.abc import Callable

from pydantic import BaseModel, TypeAdapter

from agents.inbox.contract import Case, CaseEvidence
from agents.llm.base import ModelReply, ModelRequest, ModelUnavailable, ToolRequest
from agents.llm.offline.replies import wanted_introduction, write_reply
from agents.llm.offline.triage import triage

PATH_TOOL = "find_warm_path"
_found = TypeAdapter(tuple[CaseEvidence, ...])


class OfflineModel:
    """Answers by rules and templates; deterministic, and says so in its label."""

    label = "offline templates 1, no language model"

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Read the case out of the request as any model would. Raises: ModelUnavailable for a task it does not know."""
        answer = _TASKS.get(request.task)
        if answer is None:
            raise ModelUnavailable(f"The offline templates do not know the task {request.task}.")
        case = Case.model_validate_json(next(turn.text for turn in request.messages if turn.role == "user"))
        results = [turn.text for turn in request.messages if turn.role == "tool"]
        if request.task == "draft" and not results:
            asked = _ask_for_path(case, request)
            if asked is not None:
                return asked
        found = [evidence for text in results for evidence in _evidence_of(text)]
        case = case.model_copy(update={"evidence": (*case.evidence, *found)})
        return ModelReply(text=answer(case).model_dump_json())


_TASKS: dict[str, Callable[[Case], BaseModel]] = {"triage": triage, "draft": write_reply}


def _ask_for_path(case: Case, request: ModelRequest) -> ModelReply | None:
    """Somebody asks to be introduced: look for the way there before answering."""
    name = wanted_introduction(case)
    if not name or PATH_TOOL not in {tool.name for tool in request.tools}:
        return None
    return ModelReply(tool_requests=(ToolRequest("path", PATH_TOOL, {"to_name": name}),))


def _evidence_of(text: str) -> tuple[CaseEvidence, ...]:
    """What a tool turn adds to the evidence; a turn that reports a failure adds nothing."""
    return _found.validate_json(text) if text.startswith("[") else ()
