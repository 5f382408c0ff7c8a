"""The steps of the follow-up agent: look, advise, suggest. Each reads the state and the desk, and returns what changed."""

from datetime import datetime, timedelta
from uuid import UUID

from langgraph.runtime import Runtime
from pydantic import JsonValue

from agents.desk import Desk as AnyDesk
from agents.follow_up.contract import Advice, Occasion
from agents.follow_up.occasion import LAST, Subject, occasion_of
from agents.follow_up.state import Plan, Proposed, State
from agents.llm.base import ModelMessage, ModelRequest
from agents.llm.exchange import Exchange, ModelFailed, ask
from prompts import library

Desk = AnyDesk[Subject]
ADVISE = "follow_up/advise"
TASK = "follow_up"
_SCHEMA = Advice.model_json_schema()
_LANGUAGES = {"en": "English", "ru": "Russian"}


async def look(state: State, runtime: Runtime[Desk]) -> State:
    """Read the conversation that it is about, if there is one."""
    await _occasion(runtime.context)
    return {}


async def _occasion(desk: Desk) -> tuple[Occasion, dict[int, UUID]]:
    conversation = desk.thread.conversation
    if conversation is not None and "look" not in desk.scratch:
        arguments: dict[str, JsonValue] = {"conversation_id": str(conversation.id), "last": LAST}
        result = await desk.call("read_conversation", arguments, "look.messages")
        desk.scratch["look"] = result.content if result.is_done else None
    return occasion_of(desk.thread, desk.scratch.get("look"))


async def advise(state: State, runtime: Runtime[Desk]) -> State:
    """Ask the model what to do, or whether the promise was kept after all."""
    desk = runtime.context
    shown, ids = await _occasion(desk)
    prompt = library.load(ADVISE).render(
        **desk.seat,
        language=_LANGUAGES[shown.language],
        contact_language=_LANGUAGES[shown.contact_language],
    )
    request = ModelRequest(
        task=TASK,
        messages=(ModelMessage("system", prompt), ModelMessage("user", shown.model_dump_json())),
        schema=_SCHEMA,
    )
    answer = await ask(
        Exchange(desk.model, desk.budget, request), Advice, lambda advice: problem_of(advice, shown)
    )
    return {
        "plan": Plan(
            answer.title,
            answer.why,
            [Proposed(step.do, step.text) for step in answer.steps],
            ids[answer.settled_by] if answer.settled_by is not None else None,
        )
    }


def problem_of(advice: Advice, shown: Occasion) -> str:
    """What is wrong with an answer."""
    if advice.settled_by is not None:
        return _problem_of_settling(advice.settled_by, shown)
    if not advice.title.strip() or not advice.steps:
        return "a title and at least one step are needed"
    for step in advice.steps:
        if step.do == "draft" and not shown.may_draft:
            return "nothing may be drafted here: may_draft is false; note down a task instead"
        if step.do == "stage" and step.text not in (shown.deal.stages if shown.deal else ()):
            return f"the deal cannot be moved to {step.text[:60]!r}"
        if step.do == "next_step" and shown.deal is None:
            return "there is no deal whose next step could be written down"
    return ""


def _problem_of_settling(message: int, shown: Occasion) -> str:
    promise = shown.promise
    if promise is None:
        return "there is no promise that could have been kept"
    if message not in {line.n for line in shown.lines}:
        return f"there is no message {message}"
    if promise.message is not None and message <= promise.message:
        return f"message {message} does not come after the promise"
    return ""


async def suggest(state: State, runtime: Runtime[Desk]) -> State:
    """Note down that the promise was kept, or put the next step before people."""
    desk, plan = runtime.context, state.get("plan")
    if plan is None:
        raise RuntimeError("Nothing was advised.")
    if plan.settled_by is not None and desk.thread.promise is not None:
        kept: dict[str, JsonValue] = {
            "promise_id": str(desk.thread.promise.id),
            "message_id": str(plan.settled_by),
        }
        result = await desk.call("keep_promise", kept, "suggest.kept")
        # where the seat may not write it down by itself, a person is asked
        if result.is_done or result.code in ("asked", "conflict"):
            return {"outcome": "kept", "detail": result.error[:300]}
        raise ModelFailed(f"the promise could not be noted down as kept: {result.error}")
    result = await desk.call("suggest_next_step", _suggestion(desk.thread, plan), "suggest.step")
    if result.is_done:
        return {"outcome": "suggested", "detail": plan.title}
    if result.code == "conflict":
        return {"outcome": "known", "detail": result.error[:300]}
    raise ModelFailed(f"the next step could not be suggested: {result.error}")


def _suggestion(subject: Subject, plan: Plan) -> dict[str, JsonValue]:
    conversation_id = str(subject.conversation.id) if subject.conversation else None
    arguments: dict[str, JsonValue] = {
        "title": plan.title,
        "why": plan.why,
        "evidence": _evidence(subject),
        "calls": [_call(subject, step) for step in plan.steps],
    }
    if conversation_id is not None:
        arguments["conversation_id"] = conversation_id
    if subject.promise is not None:
        contact_id = str(subject.promise.contact_id)
        promise: dict[str, JsonValue] = {
            "kind": "promise",
            "record_kind": "contact",
            "record_id": contact_id,
            "promise_id": str(subject.promise.id),
        }
        return arguments | promise
    return arguments | {"kind": "stalled_deal", "record_kind": "deal", "record_id": _deal_id(subject)}


def _deal_id(subject: Subject) -> str:
    if subject.deal is None:
        raise RuntimeError("A follow-up is about a promise or a deal.")
    return str(subject.deal.id)


def _evidence(subject: Subject) -> list[JsonValue]:
    promise, deal = subject.promise, subject.deal
    if promise is not None:
        who = promise.contact_name if not promise.is_ours else ""
        said: JsonValue = {
            "kind": "message",
            "source_id": str(promise.message_id),
            "label": who,
            "quote": promise.quote,
        }
        return [said]
    return [{"kind": "deal", "source_id": _deal_id(subject), "label": deal.name}] if deal else []


def _call(subject: Subject, step: Proposed) -> JsonValue:
    match step.do:
        case "draft" if subject.conversation is not None:
            language = subject.contact.language if subject.contact else "en"
            return _asks("draft_reply", conversation_id=str(subject.conversation.id), body=step.text,
                         language=language)  # fmt: skip
        case "stage":
            return _asks("move_deal_stage", deal_id=_deal_id(subject), stage=step.text)
        case "next_step":
            return _asks("update_deal_next_step", deal_id=_deal_id(subject), next_step=step.text[:500])
        case _:
            return _asks("create_task", **_task(subject, step.text))


def _task(subject: Subject, title: str) -> dict[str, JsonValue]:
    task: dict[str, JsonValue] = {"title": title[:300], "due_at": next_morning(subject.now).isoformat()}
    if subject.deal is not None:
        task["deal_id"] = str(subject.deal.id)
    elif subject.promise is not None:
        task["contact_id"] = str(subject.promise.contact_id)
    if subject.assignee_id is not None:
        task["assignee_id"] = str(subject.assignee_id)
    return task


def _asks(tool: str, **arguments: JsonValue) -> JsonValue:
    return {"tool": tool, "arguments": arguments}


def next_morning(now: datetime) -> datetime:
    """Ten o'clock of the next working day."""
    day = (now + timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)
    return day + timedelta(days=max(7 - day.weekday(), 0) if day.weekday() >= 5 else 0)
