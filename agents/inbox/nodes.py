"""The steps of the inbox agent. Each reads the state and the desk, and returns what changed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from langgraph.runtime import Runtime
from pydantic import JsonValue

from agents.inbox import words
from agents.inbox.brief import LANGUAGES, Brief, brief, draft_schema, fitted, triage_schema
from agents.inbox.contract import MAX_BODY, Case, DraftAnswer, HandOff, Sentence, TriageAnswer
from agents.inbox.desk import Desk
from agents.inbox.echo import is_bare_greeting, is_echo, is_greeting
from agents.inbox.evidence import case_of, thread_items, tool_items
from agents.inbox.items import Item
from agents.inbox.quotes import quote_of
from agents.inbox.state import Basis, DraftText, State, Stop
from agents.llm.base import ModelMessage, ModelRequest
from agents.llm.exchange import Exchange, ModelFailed, ask
from agents.llm.offline import triage as rules
from core.jsons import dumps
from core.languages import language_of
from core.trust import Trust
from crm.bidi.models import Autonomy
from crm.conversations.models import MAX_ANSWERS_ALONE
from prompts import library
from tools import guard
from tools.guard import Mark
from tools.registry import BY_NAME

TRIAGE, DRAFT = "inbox/triage", "inbox/draft"
BRIEF, RECALL = "gather.brief", "gather.recall"
QUESTION = 2000
_TRIAGE_SCHEMA, _DRAFT_SCHEMA = TriageAnswer.model_json_schema(), DraftAnswer.model_json_schema()


async def triage(state: State, runtime: Runtime[Desk]) -> State:
    """Decide whether the burst needs an answer, a person, or nothing."""
    desk = runtime.context
    if not desk.thread.burst:
        return {"decision": "ignore", "outcome": "ignored", "detail": "there is no message to answer"}
    case = _case(desk, thread_items(desk.thread))
    shown = brief(case, with_evidence=False)
    request = ModelRequest(
        task="triage",
        messages=_opening(TRIAGE, desk, case, shown),
        schema=_TRIAGE_SCHEMA,
        brief_schema=triage_schema(shown, rules.triage(case)),
    )
    try:
        answer = await ask(Exchange(desk.model, desk.budget, request), TriageAnswer, _check_triage)
    except ModelFailed as err:
        return {"decision": "notify", "stop": words.model_failed(desk.thread, str(err))}
    judged: State = {
        "decision": answer.decision,
        "language": answer.language,
        "intents": [intent[:50] for intent in answer.intents],
    }
    if answer.hand_off is not None and answer.decision == "notify":
        judged["stop"] = _stop(answer.hand_off)
    if answer.decision == "answer" and _has_answered_enough(desk, judged):
        judged |= {"decision": "notify", "stop": words.answered_enough(desk.thread)}
    if answer.decision == "ignore":
        judged |= {"outcome": "ignored", "detail": ", ".join(answer.intents)}
    return judged


def _has_answered_enough(desk: Desk, state: State) -> bool:
    """Whether the seat would answer alone, and has done so too often in a row: two machines may be talking."""
    return _is_alone(desk, state) and desk.thread.answers_alone >= MAX_ANSWERS_ALONE


def _check_triage(answer: TriageAnswer) -> str:
    if answer.decision == "notify" and answer.hand_off is None:
        return "hand_off is missing; notify needs a reason and a summary"
    return ""


async def gather(state: State, runtime: Runtime[Desk]) -> State:
    """Read what the team knows about the contact; or what they themselves may hear, to answer without a person."""
    desk = runtime.context
    _scope(desk, state)
    await _items(desk)
    return {}


def _scope(desk: Desk, state: State) -> None:
    """Hold the run to what its counterpart may hear, if it may answer all that they want by itself."""
    if _is_alone(desk, state):
        desk.ctx = replace(desk.ctx, is_counterpart_scoped=True)
        desk.tools = tuple(spec for spec in desk.tools if BY_NAME[spec.name].is_counterpart_safe)


def _is_alone(desk: Desk, state: State) -> bool:
    """Whether the seat may answer all that they want by itself."""
    bidi = desk.ctx.bidi
    if bidi.autonomy is not Autonomy.AUTOPILOT or desk.ctx.run.feedback:
        return False
    return bidi.answers(state.get("intents", []))


async def _items(desk: Desk) -> list[Item]:
    """The thread, what is known of the contact, and what comes to mind about the burst."""
    items = thread_items(desk.thread)
    contact_id = str(desk.thread.contact.id)
    question = "\n".join(line.text for line in desk.thread.burst if line.text.strip())[:QUESTION]
    known: list[JsonValue] = [str(item.source_id) for item in items]
    if not desk.ctx.is_counterpart_scoped:
        about: dict[str, JsonValue] = {"contact_id": contact_id}
        items += tool_items(await _read(desk, BRIEF, "brief_contact", about), len(items) + 1)
    if question:
        asked: dict[str, JsonValue] = {"question": question, "known": known}
        items += tool_items(await _read(desk, RECALL, "recall", asked), len(items) + 1)
    return items


async def _read(desk: Desk, key: str, name: str, arguments: dict[str, JsonValue]) -> JsonValue:
    """What a tool returned; after a crash the same call returns what was recorded."""
    if key not in desk.scratch:
        result = await desk.call(name, arguments, key)
        desk.scratch[key] = result.content if result.is_done else None
    return desk.scratch[key]


async def draft(state: State, runtime: Runtime[Desk]) -> State:
    """Write the reply; the model may look things up first."""
    desk = runtime.context
    _scope(desk, state)
    items = await _items(desk)

    async def call_tool(name: str, arguments: dict[str, JsonValue], key: str) -> str:
        result = await desk.call(name, arguments, f"draft.{key}")
        if not result.is_done:
            return f"{name} failed: {result.error}"
        found = tool_items(result.content, len(items) + 1)
        items.extend(found)
        return dumps([item.shown().model_dump() for item in found])

    case = _case(desk, items)
    shown = brief(case, with_evidence=True)
    request = ModelRequest(
        task="draft",
        messages=_opening(DRAFT, desk, case, shown, limit=MAX_BODY),
        schema=_DRAFT_SCHEMA,
        brief_schema=draft_schema(shown, rules.triage(case)),
        tools=desk.tools,
    )
    try:
        answer = await ask(
            Exchange(desk.model, desk.budget, request, call_tool), DraftAnswer, _checker(items)
        )
        answer = _without_echoes(answer, items)
    except ModelFailed as err:
        return {"stop": words.model_failed(desk.thread, str(err))}
    if answer.hand_off is not None:
        return {"stop": _stop(answer.hand_off)}
    return {"draft": _draft_text(answer, items)}


def _checker(items: list[Item]) -> Callable[[DraftAnswer], str]:
    """What is wrong with a draft that is well-formed; `items` grows while tools are called."""

    def check(answer: DraftAnswer) -> str:
        if answer.hand_off is not None:
            return ""
        said = _without_echoes(answer, items).sentences
        body = _body(said)
        if all(is_greeting(sentence.text) for sentence in said):
            return "the reply is empty, or only repeats what the contact wrote"
        if len(body) > MAX_BODY:
            return f"the reply has {len(body)} characters; at most {MAX_BODY} fit"
        unknown = {n for sentence in answer.sentences for n in sentence.evidence if not 1 <= n <= len(items)}
        return f"there is no evidence number {min(unknown)}" if unknown else ""

    return check


def _without_echoes(answer: DraftAnswer, items: list[Item]) -> DraftAnswer:
    """The answer without sentences that only say again what the contact wrote."""
    heard = [item.text for item in items if item.is_message and item.trust is not Trust.CONFIRMED]
    own = tuple(
        sentence
        for sentence in answer.sentences
        if not is_echo(sentence.text, heard) and not is_bare_greeting(sentence.text)
    )
    return answer.model_copy(update={"sentences": own})


def _draft_text(answer: DraftAnswer, items: list[Item]) -> DraftText:
    return DraftText(
        body=_body(answer.sentences),
        language=answer.language,
        basis=_basis(answer.sentences, items),
        missing=[point[:200] for point in answer.missing],
        doubts=[Mark("sources_differ", doubt.value, doubt.text) for doubt in answer.doubts[:5]],
        is_feedback_ignored=answer.ignored_feedback,
    )


def _body(sentences: tuple[Sentence, ...]) -> str:
    body = ""
    for sentence in sentences:
        joint = "" if not body else "\n\n" if sentence.starts_paragraph else " "
        body += joint + sentence.text.strip()
    return body


def _basis(sentences: tuple[Sentence, ...], items: list[Item]) -> list[Basis]:
    """What each sentence rests on, in the order of the body, then what was read and not used."""
    used = [
        _based(items[n - 1], sentence.text.strip())
        for sentence in sentences
        for n in dict.fromkeys(sentence.evidence)
    ]
    cited = {n for sentence in sentences for n in sentence.evidence}
    unused = [_based(item, "") for item in items if item.n not in cited and not item.is_message and item.text]
    return [*used[:30], *unused[:8]]


def _based(item: Item, statement: str) -> Basis:
    quote = quote_of(item, statement)
    return Basis(item.kind, item.source_id, item.label[:200], quote, statement, item.at, item.trust)


async def check(state: State, runtime: Runtime[Desk]) -> State:
    """Mark what a person should look at before the draft goes out."""
    desk, draft_text = runtime.context, state["draft"]
    if draft_text is None:
        raise RuntimeError("The guard was reached without a draft.")
    _scope(desk, state)
    sources = [
        guard.Source(f"{item.label} {item.text} {item.details.get('close_date', '')}", item.trust, item.at)
        for item in await _items(desk)
    ]
    sources += [
        guard.Source(f"{basis.label} {basis.quote}", basis.trust, basis.occurred_at)
        for basis in draft_text.basis
    ]
    sources.append(guard.Source(desk.ctx.run.feedback, "confirmed", None))
    thread = desk.thread
    asked = " ".join(line.text for line in thread.burst)
    found = guard.inspect(
        draft_text.body,
        sources,
        language=draft_text.language,
        reader=thread.contact.name,
        spoken=language_of(asked, thread.contact.language),
    )
    marks = [*draft_text.doubts, *found]
    if draft_text.is_feedback_ignored:
        marks.append(Mark("feedback", desk.ctx.run.feedback[:200]))
    return {"marks": marks}


async def propose(state: State, runtime: Runtime[Desk]) -> State:
    """Put the draft before a person; on autopilot send it, as far as the policy lets the seat."""
    desk, draft_text = runtime.context, state["draft"]
    if draft_text is None:
        raise RuntimeError("Nothing to propose was written.")
    _scope(desk, state)
    proposal = _proposal(desk, draft_text, state.get("marks", []))
    proposal["intents"] = [*state.get("intents", [])]
    if desk.ctx.is_counterpart_scoped and not draft_text.missing:
        result = await desk.call("send_reply", proposal, "propose")
    else:
        result = await desk.call("draft_reply", proposal, "propose")
    if result.is_done:
        is_sent = isinstance(result.content, dict) and result.content.get("is_sent", False)
        outcome: Literal["sent", "drafted"] = "sent" if is_sent else "drafted"
        return {"outcome": outcome, "detail": "; ".join(draft_text.missing)[:300]}
    if result.code == "conflict":
        return {"outcome": "outrun", "detail": result.error}
    return {"stop": words.refused(desk.thread, result)}


def _proposal(desk: Desk, draft_text: DraftText, marks: list[Mark]) -> dict[str, JsonValue]:
    evidence: list[JsonValue] = [
        {
            "kind": basis.kind,
            "source_id": str(basis.source_id),
            "label": basis.label,
            "quote": basis.quote,
            "statement": basis.statement,
            "occurred_at": basis.occurred_at.isoformat() if basis.occurred_at else None,
            "trust": basis.trust,
            "is_used": basis.is_used,
        }
        for basis in draft_text.basis
    ]
    flags: list[JsonValue] = [{"kind": mark.kind, "value": mark.value, "text": mark.text} for mark in marks]
    return {
        "conversation_id": str(desk.ctx.conversation_id),
        "body": draft_text.body,
        "language": draft_text.language,
        "evidence": evidence,
        "flags": flags,
    }


async def notify(state: State, runtime: Runtime[Desk]) -> State:
    """Give the conversation to a person, with the reason and the next step."""
    desk, stop = runtime.context, state.get("stop")
    if stop is None:
        raise RuntimeError("A person was to be notified without a reason.")
    arguments: dict[str, JsonValue] = {
        "conversation_id": str(desk.ctx.conversation_id),
        "reason": stop.reason,
        "summary": stop.summary,
        "next_step": stop.next_step,
    }
    result = await desk.call("hand_off_conversation", arguments, "notify")
    if not result.is_done:
        raise ModelFailed(f"the conversation could not be handed to a person: {result.error}")
    return {"outcome": "failed" if stop.is_failure else "handed_off", "detail": stop.summary}


def _case(desk: Desk, items: list[Item]) -> Case:
    """The case as far as it fits beside the prompt, the tools and the turns that may follow."""
    room = desk.model.context_tokens * 2 // 3
    return fitted(case_of(desk.thread, desk.ctx.run.feedback, items), room)


def _opening(prompt: str, desk: Desk, case: Case, shown: Brief, **inputs: object) -> tuple[ModelMessage, ...]:
    """The prompt and the case: as JSON, and in plain words for small models."""
    short = library.load(f"{prompt}_brief")
    told = {**desk.seat, "language": LANGUAGES[shown.language]}
    return (
        ModelMessage(
            "system",
            library.load(prompt).render(**inputs, **desk.seat),
            brief=short.render(**{name: told[name] for name in short.inputs}),
        ),
        ModelMessage("user", case.model_dump_json(), brief=shown.text),
    )


def _stop(hand_off: HandOff) -> Stop:
    return Stop(hand_off.reason, hand_off.summary, hand_off.next_step)
