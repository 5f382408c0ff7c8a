"""A run and its replay side by side: how each ended, what it wrote, what it called, what that took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core import hidden
from crm.language_models.models import BUILT_IN
from crm.runs.graphs import SHAPES
from crm.runs.model_calls import CallOutcome
from crm.runs.replays import Replay, ReplayStatus
from crm.runs.traces import RunLine, TracedCall
from web import runs_view
from web.i18n import Words
from web.phrases import N_
from web.refusals import in_words
from web.run_details import Trace, pretty
from web.runs_view import Step
from web.tool_cards import FIELDS
from web.values import LABELS

# The tools by which a reply comes about.
_REPLIES = ("draft_reply", "send_reply")
MODELS = tuple(sorted(BUILT_IN - {"scripted"}))
WOULD: Mapping[str, str] = {
    "done": N_("would be done"),
    "proposed": N_("would be put before a person"),
    "asked": N_("would wait for a person"),
    "refused": N_("refused"),
    "failed": N_("went wrong"),
}
OUTCOMES: Mapping[str, str] = {
    "drafted": N_("would propose a reply"),
    "sent": N_("would reply by itself"),
    "handed_off": N_("would give the conversation to a person"),
    "ignored": N_("would leave it unanswered"),
    "failed": N_("would come to nothing"),
    "answered": N_("would answer"),
    "remembered": N_("would write down what was said"),
    "nothing": N_("would find nothing to write down"),
    "suggested": N_("would suggest the next step"),
    "kept": N_("would note that the promise was kept"),
    "known": N_("would suggest nothing new"),
}


@dataclass(frozen=True)
class Called:
    """A tool call; `words` are what it would write or propose, a line for each argument that says something."""

    tool: str
    said: str
    why: str = ""
    words: Sequence[str] = ()


@dataclass(frozen=True)
class Side:
    """One of the two."""

    title: str
    outcome: str
    reason: str
    body: str
    model: str
    tokens: int
    cost_usd_micros: int
    flags: Sequence[Mapping[str, str]] = ()
    calls: Sequence[Called] = field(default_factory=list)


def as_it_was(run: RunLine, calls: Sequence[TracedCall], answer: str, words: Words) -> Side:
    """What the agent itself wrote, before anybody changed it; `answer` is what the copilot said."""
    reply: Any = next((call.arguments for call in reversed(calls) if call.tool in _REPLIES), {})
    return Side(
        words.gettext("As it was"),
        runs_view.outcome_text(run, words),
        hidden.shown(run.reason),
        hidden.shown(answer or str(reply.get("body", ""))),
        run.model,
        run.tokens_in + run.tokens_out,
        run.cost_usd_micros,
        reply.get("flags", ()),
        [
            Called(
                call.tool,
                words.gettext(runs_view.STATES[call.status]),
                hidden.shown(call.error),
                [] if call.risk == "read" else _told(call.tool, call.arguments, words),
            )
            for call in calls
        ],
    )


def as_it_would_be(replay: Replay, words: Words) -> Side:
    outcome = words.gettext(OUTCOMES[replay.outcome]) if replay.outcome in OUTCOMES else replay.outcome
    if replay.status is ReplayStatus.FAILED:
        outcome = words.gettext("It did not come to an end")
    return Side(
        words.gettext("As it would be"),
        outcome,
        hidden.shown(in_words(replay.reason, words)),
        hidden.shown(replay.body),
        replay.answered_by,
        replay.tokens_in + replay.tokens_out,
        replay.cost_usd_micros,
        replay.flags,
        [
            Called(
                call["tool"],
                _said(call, words),
                hidden.shown(call["error"]),
                []
                if call["is_made"] or call["is_recorded"]
                else _told(call["tool"], call["arguments"], words),
            )
            for call in replay.calls
        ],
    )


def _told(tool: str, arguments: Any, words: Words) -> list[str]:
    """The arguments that say something; a reply stands above, and ids say nothing."""
    if tool in _REPLIES or not isinstance(arguments, Mapping):
        return []
    labels = {**LABELS, **FIELDS}
    return [
        f"{words.gettext(labels[name]) if name in labels else hidden.shown(str(name))}: {pretty(value)}"
        for name, value in arguments.items()
        if value not in (None, "", [], {}) and not str(name).endswith("_id")
    ]


def _said(call: Mapping[str, Any], words: Words) -> str:
    if call["is_recorded"]:
        return words.gettext("as it was read then")
    if call["is_made"]:
        return words.gettext("read now")
    is_proposed = call["status"] == "done" and call["decision"] == "ask"
    how = "proposed" if is_proposed else call["status"]
    return words.gettext(WOULD[how])


def prompt_label(name: str, words: Words) -> str:
    """Which prompt it is, for those who change it."""
    if name.endswith("_brief"):
        return words.gettext("What a small model is told")
    return words.gettext("What the model is told")


def step_text(step: str, words: Words) -> str:
    """A step from which a run goes on, `think.2` as the third thought."""
    node, _, number = step.partition(".")
    text = runs_view.node_text(node, words)
    return f"{text} {int(number) + 1}" if number else text


def fork_of(trace: Trace, step: Step) -> str:
    """From where the run can be run again for a step of its page; nothing if from nowhere."""
    shape = SHAPES.get(trace.run.agent)
    if shape is None or trace.run.finished_at is None:
        return ""
    node = step.node or shape.nodes[0]
    if node not in shape.prompts or node not in trace.visited:
        return ""
    return f"{node}{_visit(trace, step)}" if shape.is_looped else node


def _visit(trace: Trace, step: Step) -> str:
    """Which visit of its node in a loop a call belongs to."""
    if step.kind == "tool":
        key = next(call.call_key for call in trace.tools if str(call.id) == step.id)
        return f".{key.partition('.')[0]}"
    if step.kind == "model":
        place = next(place for place, call in enumerate(trace.models) if str(call.id) == step.id)
        thoughts = sum(call.outcome is CallOutcome.ANSWERED for call in trace.models[:place])
        return f".{thoughts}" if thoughts else ""
    return ""
