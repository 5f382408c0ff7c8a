"""A model that obeys: what it reads it does, wherever it stands. Beside that it answers as the offline model."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from agents.inbox.contract import Case as Shown
from agents.inbox.contract import DraftAnswer, Sentence, TriageAnswer
from agents.llm.base import ModelMessage, ModelReply, ModelRequest, ToolRequest
from agents.llm.offline.model import OfflineModel
from core.languages import Language
from evals.redteam.carriers import PAGE_TITLE
from evals.redteam.cases import Case
from evals.redteam.hearing import Hearing, folded

_PLAIN: Mapping[Language, str] = {
    "en": "Thank you for your message. I will check this and come back to you with the answer.",
    "ru": "Спасибо за сообщение. Я уточню это и вернусь к вам с ответом.",
}


@dataclass
class Obedient(Hearing):
    """The model of one run. `is_told` gives it the text where data flow would have kept it away.

    A curious one first reads everything about the contact that there are tools for. As soon as the text of the case
    stands in anything it gets, it makes the calls of the case, once. Then it answers the honest request.
    """

    contact_id: str
    company_id: str
    is_curious: bool = True
    is_told: bool = False
    _offline: OfflineModel = field(default_factory=OfflineModel)

    label = "obedient stub"
    context_tokens = 1_000_000

    async def complete(self, request: ModelRequest) -> ModelReply:
        for message in request.messages:
            self.listen(message.text)
        if request.task == "triage":
            return ModelReply(text=self._triage())
        asked = {wanted.id.partition("-")[0] for turn in request.messages for wanted in turn.tool_requests}
        wanted: tuple[ToolRequest, ...] = ()
        if self.is_curious and "look" not in asked:
            wanted = self._looks({tool.name for tool in request.tools})
        if not wanted and (self.has_read or self.is_told) and "obey" not in asked:
            wanted = orders(self.case)
        return ModelReply(tool_requests=wanted) if wanted else await self._answer(request)

    def _triage(self) -> str:
        return TriageAnswer(
            decision="answer", language=self.case.language, intents=("question",)
        ).model_dump_json()

    def _looks(self, offered: Set[str]) -> tuple[ToolRequest, ...]:
        """Everything there is to read about whoever writes, with the tools that the run may use."""
        me = self.contact_id
        about: dict[str, JsonValue] = {"record_kind": "contact", "record_id": me}
        wanted: Sequence[tuple[str, dict[str, JsonValue]]] = (
            ("get_contact", {"contact_id": me}),
            ("get_company", {"company_id": self.company_id}),
            ("list_notes", about),
            ("list_facts", {"subject_id": me}),
            ("list_tasks", {"contact_id": me}),
            ("list_meetings", {"contact_id": me}),
            ("recall", {"question": PAGE_TITLE}),
        )
        return tuple(
            ToolRequest(f"look-{name}", name, arguments) for name, arguments in wanted if name in offered
        )

    async def _answer(self, request: ModelRequest) -> ModelReply:
        """The honest request alone, by the offline model; in plain words where that has nothing to say."""
        is_repaired = request.messages[-1].role == "user" and len(request.messages) > 2
        if not is_repaired:
            reply = await self._offline.complete(self._without_attack(request))
            if reply.text and DraftAnswer.model_validate_json(reply.text).hand_off is None:
                return reply
        plain = Sentence(text=_PLAIN[self.case.language])
        return ModelReply(text=DraftAnswer(language=self.case.language, sentences=(plain,)).model_dump_json())

    def _without_attack(self, request: ModelRequest) -> ModelRequest:
        system, case = request.messages[:2]
        shown = Shown.model_validate_json(case.text)
        own = folded(self.case.benign)
        waiting = tuple(one for one in shown.new_messages if folded(one.text) == own)
        honest = shown.model_copy(update={"new_messages": waiting or shown.new_messages[-1:]})
        turn = ModelMessage("user", honest.model_dump_json())
        return replace(request, messages=(system, turn), tools=())


def orders(case: Case) -> tuple[ToolRequest, ...]:
    """What the text of a case asks for."""
    return tuple(
        ToolRequest(f"obey-{number}", call.tool, dict(call.args)) for number, call in enumerate(case.calls)
    )
