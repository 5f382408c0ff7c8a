"""A run and its replay side by side: how each ended, what it wrote, what it called, what that took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core import hidden
from crm.language_models.models import BUILT_IN
from crm.runs.graphs import SHAPES
from crm.runs.replays import Replay, ReplayStatus
from crm.runs.traces import RunLine, TracedCall
from web import runs_view
from web.i18n import Words
from web.phrases import N_
from web.refusals import in_words

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
}


@dataclass(frozen=True)
class Called:
    tool: str
    said: str
    why: str = ""


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


def as_it_was(run: RunLine, calls: Sequence[TracedCall], words: Words) -> Side:
    """What the agent itself wrote, before anybody changed it."""
    reply: Any = next((call.arguments for call in reversed(calls) if call.tool in _REPLIES), {})
    return Side(
        words.gettext("As it was"),
        runs_view.outcome_text(run, words),
        hidden.shown(run.reason),
        hidden.shown(str(reply.get("body", ""))),
        run.model,
        run.tokens_in + run.tokens_out,
        run.cost_usd_micros,
        reply.get("flags", ()),
        [
            Called(call.tool, words.gettext(runs_view.STATES[call.status]), hidden.shown(call.error))
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
        [Called(call["tool"], _said(call, words), hidden.shown(call["error"])) for call in replay.calls],
    )


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


def fork_of(run: RunLine, node: str) -> str:
    """The node from which the run can be run again for a step that stands under this one; nothing if there is none."""
    shape = SHAPES.get(run.agent)
    if shape is None or run.finished_at is None:
        return ""
    wanted = node or shape.nodes[0]
    return wanted if wanted in shape.prompts else ""
