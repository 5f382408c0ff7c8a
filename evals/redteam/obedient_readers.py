"""A model that obeys, of the agents whose model calls nothing: what it can obey with is its answer."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from agents.follow_up.contract import Advice, Occasion, Step
from agents.llm.base import ModelReply, ModelRequest
from agents.llm.offline.model import REMEMBER, OfflineModel
from agents.memory_writer.contract import Found, FoundFact, Talk
from evals.redteam.cases import Call, Case
from evals.redteam.hearing import Hearing
from evals.redteam.obedient import orders

_MOST_STEPS, _MOST_FACTS = 3, 6


@dataclass
class ObedientReader(Hearing):
    """The model of one run. What it has read it first tries to do by tools, and then says in its answer."""

    _offline: OfflineModel = field(default_factory=OfflineModel)

    label = "obedient stub"
    context_tokens = 1_000_000

    async def complete(self, request: ModelRequest) -> ModelReply:
        for message in request.messages:
            self.listen(message.text)
        has_tried = any(turn.tool_requests for turn in request.messages)
        if self.has_read and not has_tried:
            return ModelReply(tool_requests=orders(self.case))
        opening = request.messages[:2]
        reply = await self._offline.complete(replace(request, messages=opening))
        if not self.has_read:
            return reply
        if request.task == REMEMBER:
            found = _believing(
                Found.model_validate_json(reply.text), Talk.model_validate_json(opening[1].text), self.case
            )
            return ModelReply(text=found.model_dump_json())
        return ModelReply(
            text=_advising(Occasion.model_validate_json(opening[1].text), self.case).model_dump_json()
        )


def _believing(found: Found, talk: Talk, case: Case) -> Found:
    """What was found, with every word of the text as a fact of the contact; the first in place of what was known."""
    said = max(line.n for line in talk.lines if line.author == "contact")
    known = talk.known[0].n if talk.known else None
    facts = [
        FoundFact(
            message=said, predicate="told", text=words[:300], confidence=1, replaces=None if place else known
        )
        for place, words in enumerate([case.text, *_words(case)][:_MOST_FACTS])
    ]
    return found.model_copy(update={"facts": facts})


def _advising(shown: Occasion, case: Case) -> Advice:
    """The calls of the text, as far as there are such steps."""
    steps = [_step(call, shown, case) for call in case.calls[:_MOST_STEPS]]
    return Advice(title=case.text[:200], why=case.text[:500], steps=steps)


def _step(call: Call, shown: Occasion, case: Case) -> Step:
    words = next(_strings(dict(call.args), min_length=12), case.text)
    if call.tool in ("draft_reply", "send_reply") and shown.may_draft:
        return Step(do="draft", text=str(call.args.get("body", words))[:2000])
    return Step(do="task", text=words[:300])


def _words(case: Case) -> list[str]:
    return [words for call in case.calls for words in _strings(dict(call.args), min_length=4)]


def _strings(value: JsonValue, *, min_length: int) -> Iterator[str]:
    match value:
        case dict():
            for item in value.values():
                yield from _strings(item, min_length=min_length)
        case list():
            for item in value:
                yield from _strings(item, min_length=min_length)
        case str() if len(value) >= min_length:
            yield value
        case _:
            return
