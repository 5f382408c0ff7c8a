"""The steps of the memory writer: read, extract, write. Each reads the state and the desk, and returns what changed."""

from langgraph.runtime import Runtime
from pydantic import JsonValue

from agents.desk import Desk as AnyDesk
from agents.llm.base import ModelMessage, ModelRequest
from agents.llm.exchange import Exchange, ask
from agents.memory_writer.contract import Found, Talk
from agents.memory_writer.state import Fact, Kept, Promise, State
from agents.memory_writer.talk import LAST, Numbered, Subject, numbered
from prompts import library

Desk = AnyDesk[Subject]
EXTRACT = "memory_writer/extract"
TASK = "remember"
_SCHEMA = Found.model_json_schema()


async def read(state: State, runtime: Runtime[Desk]) -> State:
    """Read the conversation, what is known of the contact, and what was promised."""
    talk = (await _numbered(runtime.context)).talk
    if not any(line.is_new and line.text.strip() for line in talk.lines):
        return {"outcome": "nothing", "detail": "nothing new was said"}
    return {}


async def _numbered(desk: Desk) -> Numbered:
    subject = desk.thread
    conversation: dict[str, JsonValue] = {"conversation_id": str(subject.conversation_id)}
    return numbered(
        subject,
        await _read(desk, "read.messages", "read_conversation", conversation | {"last": LAST}),
        await _read(desk, "read.facts", "list_facts", {"subject_id": str(subject.contact_id)}),
        await _read(desk, "read.promises", "list_promises", conversation),
    )


async def _read(desk: Desk, key: str, name: str, arguments: dict[str, JsonValue]) -> JsonValue:
    """What a tool returned; after a crash the same call returns what was recorded."""
    if key not in desk.scratch:
        result = await desk.call(name, arguments, key)
        desk.scratch[key] = result.content if result.is_done else None
    return desk.scratch[key]


async def extract(state: State, runtime: Runtime[Desk]) -> State:
    """Find what the contact told of themselves, what both sides promised, and which promises were kept."""
    desk = runtime.context
    shown = await _numbered(desk)
    request = ModelRequest(
        task=TASK,
        messages=(
            ModelMessage("system", library.load(EXTRACT).render()),
            ModelMessage("user", shown.talk.model_dump_json()),
        ),
        schema=_SCHEMA,
    )
    found = await ask(
        Exchange(desk.model, desk.budget, request), Found, lambda answer: problem_of(answer, shown.talk)
    )
    return {
        "facts": [
            Fact(
                shown.messages[one.message],
                one.predicate,
                one.text,
                one.confidence,
                shown.facts[one.replaces] if one.replaces else None,
                one.holds_until,
            )
            for one in found.facts
        ],
        "promises": [Promise(shown.messages[one.message], one.quote, one.due_at) for one in found.promises],
        "kept": [Kept(shown.promises[one.promise], shown.messages[one.message]) for one in found.kept],
    }


def problem_of(found: Found, talk: Talk) -> str:
    """What is wrong with an answer: a number that nothing has, or words that nobody wrote."""
    lines = {line.n: line for line in talk.lines}
    known, promises = {one.n for one in talk.known}, {one.n: one for one in talk.promises}
    for fact in found.facts:
        if fact.message not in lines or lines[fact.message].author != "contact":
            return f"no message of the contact has the number {fact.message}"
        if fact.replaces is not None and fact.replaces not in known:
            return f"nothing that is known has the number {fact.replaces}"
    for promise in found.promises:
        line = lines.get(promise.message)
        if line is None or " ".join(promise.quote.split()) not in " ".join(line.text.split()):
            return f'message {promise.message} does not say "{promise.quote[:100]}"'
        if promise.due_at < line.at:
            return f'"{promise.quote[:100]}" is due before it was said'
    for kept in found.kept:
        if kept.promise not in promises or kept.message not in lines:
            return f"there is no promise {kept.promise} or no message {kept.message}"
        if kept.message <= promises[kept.promise].message:
            return f"message {kept.message} comes before promise {kept.promise}"
    return ""


async def write(state: State, runtime: Runtime[Desk]) -> State:
    """Keep what was found; one thing that is refused does not hold up the others."""
    desk, done, refused = runtime.context, 0, list[str]()
    for key, name, arguments in _calls(desk, state):
        result = await desk.call(name, arguments, key)
        done += result.is_done
        if not result.is_done and result.code != "conflict":
            refused.append(result.error)
    outcome = "remembered" if done else "nothing"
    return {"outcome": outcome, "detail": "; ".join(refused)[:300]}


def _calls(desk: Desk, state: State) -> list[tuple[str, str, dict[str, JsonValue]]]:
    calls: list[tuple[str, str, dict[str, JsonValue]]] = []
    # what was kept first: the same message may promise anew
    for n, kept in enumerate(state.get("kept", [])):
        calls.append(
            (
                f"write.kept.{n}",
                "keep_promise",
                {"promise_id": str(kept.promise_id), "message_id": str(kept.message_id)},
            )
        )
    for n, fact in enumerate(state.get("facts", [])):
        arguments: dict[str, JsonValue] = {
            "subject_kind": "contact",
            "subject_id": str(desk.thread.contact_id),
            "predicate": fact.predicate,
            "text": fact.text,
            "message_id": str(fact.message_id),
            "confidence": fact.confidence,
        }
        if fact.replaces_id is not None:
            arguments["replaces_id"] = str(fact.replaces_id)
        if fact.holds_until is not None:
            arguments["holds_until"] = fact.holds_until.isoformat()
        calls.append((f"write.fact.{n}", "remember_fact", arguments))
    for n, promise in enumerate(state.get("promises", [])):
        calls.append(
            (
                f"write.promise.{n}",
                "note_promise",
                {
                    "message_id": str(promise.message_id),
                    "quote": promise.quote,
                    "due_at": promise.due_at.isoformat(),
                },
            )
        )
    return calls
