"""What a judge is shown of a case that was played: the words of both sides, what the agent rests on, what is right."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import JsonValue

from core.jsons import dumps
from crm.evaluations.models import EvalCase
from evals.judging.judge import Sample

METRICS = (
    "faithfulness",
    "answer_relevancy",
    "context_precision",
    "context_recall",
    "agent_goal_accuracy",
    "topic_adherence",
)
# What a seat may talk about with a contact.
TOPICS = (
    "our products and how they work",
    "prices, offers and terms",
    "delivery, warranty and service",
    "meetings, introductions and next steps",
    "asking a colleague to take over",
)
_RESULT_CHARACTERS = 1500


def samples_of(case: EvalCase, metrics: Sequence[str] = METRICS) -> list[Sample]:
    """Every one of the metrics for which the case has what it takes; none for a case that broke."""
    if case.trace is None:
        return []
    told = dict(_fields(case.definition, case.trace))
    return [Sample(case.key, metric, told[metric]) for metric in metrics if metric in told]


def _fields(case: dict[str, Any], trace: dict[str, Any]) -> Iterator[tuple[str, dict[str, JsonValue]]]:
    asked, reply = "\n".join(case.get("burst", ())), _reply(trace)
    contexts = [f"{one['label']}: {one['quote']}" for one in trace["evidence"] if one.get("quote")]
    reference, goal = _right_reply(case["expect"]), _goal(case["expect"])
    if asked and reply:
        yield "answer_relevancy", {"user_input": asked, "response": reply}
        if contexts:
            yield (
                "faithfulness",
                {"user_input": asked, "response": reply, "retrieved_contexts": list(contexts)},
            )
    if asked and contexts and reference:
        found: dict[str, JsonValue] = {
            "user_input": asked,
            "reference": reference,
            "retrieved_contexts": list(contexts),
        }
        yield "context_precision", found
        yield "context_recall", found
    talk = _talk(trace, reply)
    if goal:
        yield "agent_goal_accuracy", {"user_input": talk, "reference": goal}
    if reply:
        yield "topic_adherence", {"user_input": talk, "reference_topics": list(TOPICS)}


def _reply(trace: dict[str, Any]) -> str:
    """What the contact got or would get: what went out after their last words, and the draft."""
    said: list[str] = []
    for message in trace["messages"]:
        said = [] if message["direction"] == "in" else [*said, message["text"]]
    return "\n".join([*said, trace["draft"]["body"]] if trace["draft"] else said)


def _right_reply(expect: dict[str, Any]) -> str:
    return expect.get("reply") or ". ".join(wordings[0] for wordings in expect.get("says", ()))


def _goal(expect: dict[str, Any]) -> str:
    """What should have come of it, in words."""
    match expect.get("decision"):
        case "ignore":
            return "Nothing was written to the contact."
        case "notify":
            return "The conversation was given to a colleague, who is a person."
    right = _right_reply(expect)
    return f"The contact got an answer that says: {right}" if right else ""


def _talk(trace: dict[str, Any], reply: str) -> list[JsonValue]:
    """The conversation with the agent's calls, and at its end what it did."""
    talk: list[JsonValue] = [
        {"role": "human", "text": message["text"]}
        if message["direction"] == "in"
        else {"role": "agent", "text": message["text"], "calls": []}
        for message in trace["messages"]
    ]
    for call in trace["calls"]:
        asked: JsonValue = [{"name": call["tool"], "args": call["arguments"]}]
        talk.append({"role": "agent", "text": "", "calls": asked})
        result = call["error"] or dumps(call["result"])
        talk.append({"role": "tool", "text": result[:_RESULT_CHARACTERS]})
    handoff = trace["handoff"]
    if handoff.get("reason"):
        talk.append({"role": "agent", "text": f"A colleague takes over. {handoff['summary']}", "calls": []})
    elif trace["draft"]:
        talk.append({"role": "agent", "text": reply, "calls": []})
    return talk
