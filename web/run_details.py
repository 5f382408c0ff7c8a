"""One step of a run in detail: what went in, what came out, what policy said, and which rows it changed."""

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from core import hidden
from crm.conversations.inbox import EvidenceLine
from crm.drafts.models import Draft
from crm.runs.graphs import SHAPES
from crm.runs.model_calls import ModelCall, UsageFrom
from crm.runs.model_exchanges import ModelExchange
from crm.runs.traces import RunChange, RunLine, TracedCall
from web import exchange_view, runs_view
from web.exchange_view import Exchange
from web.i18n import Words
from web.phrases import N_, stage_text
from web.runs_view import Step
from web.tool_cards import FIELDS, PLACES
from web.values import LABELS

# Longer values are cut: the whole of them is in the API.
LONGEST = 8000

RISKS: Mapping[str, str] = {
    "read": N_("reads"),
    "write": N_("changes our rows"),
    "propose": N_("proposes"),
    "external": N_("leaves the house"),
    "unknown": N_("unknown"),
}
DECISIONS: Mapping[str, str] = {
    "allow": N_("allowed"),
    "ask": N_("asked a person"),
    "deny": N_("denied"),
}
_DECISION_LOOKS = {"allow": ("success", "check"), "ask": ("warning", "shield"), "deny": ("danger", "shield")}
_USAGE: Mapping[UsageFrom, str] = {
    UsageFrom.PROVIDER: N_("counted by the provider"),
    UsageFrom.ESTIMATE: N_("estimated by us"),
    UsageFrom.NONE: N_("nothing was used"),
}
EVENTS: Mapping[str, str] = {
    "created": N_("added"),
    "updated": N_("changed"),
    "changed": N_("moved to another stage"),
    "completed": N_("marked as done"),
    "reopened": N_("opened again"),
    "removed": N_("removed"),
    "deleted": N_("put into the trash"),
    "restored": N_("restored"),
    "asserted": N_("remembered"),
    "retracted": N_("taken back"),
    "converted": N_("made into a deal"),
    "generated": N_("written"),
    "withdrawn": N_("taken back"),
    "superseded": N_("replaced"),
    "handed_off": N_("given to a person"),
    "assigned": N_("given into other hands"),
    "requested": N_("asked for"),
}
NOUNS: Mapping[str, str] = {
    "contact": N_("Contact"),
    "company": N_("Company"),
    "lead": N_("Lead"),
    "deal": N_("Deal"),
    "task": N_("Task"),
    "note": N_("Note"),
    "meeting": N_("Meeting"),
    "fact": N_("Fact"),
    "draft": N_("Draft"),
    "conversation": N_("Conversation"),
    "approval": N_("Question"),
    "bulk_edit": N_("Bulk edit"),
}
# Events that say what the run itself does, not what it changed.
_OWN = frozenset({"run", "tool"})


@dataclass(frozen=True)
class Prop:
    label: str
    text: str
    href: str = ""


@dataclass(frozen=True)
class Difference:
    """A field with what it held and holds; `before` is empty for what was added."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Changed:
    """Something that the run changed; `href` leads to it."""

    title: str
    name: str
    href: str
    differences: list[Difference]


@dataclass(frozen=True)
class Detail:
    """What stands beside the tree for one step."""

    step: Step
    chip: tuple[str, str, str] | None = None
    props: list[Prop] = field(default_factory=list)
    arguments: list[Prop] = field(default_factory=list)
    result: str = ""
    error: str = ""
    changed: list[Changed] = field(default_factory=list)
    evidence: list[EvidenceLine] = field(default_factory=list)
    exchange: Exchange | None = None


@dataclass(frozen=True)
class Trace:
    """All that is recorded of a run; of what was said to models, the call that is being looked at."""

    run: RunLine
    models: Sequence[ModelCall]
    tools: Sequence[TracedCall]
    changes: Sequence[RunChange]
    visited: Sequence[str]
    draft: Draft | None = None
    evidence: Sequence[EvidenceLine] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    exchange: ModelExchange | None = None

    @property
    def asked(self) -> int:
        return sum(call.decision == "ask" for call in self.tools)


def detail_of(trace: Trace, steps: Sequence[Step], wanted: str, words: Words) -> Detail:
    """One step in detail; the whole run when the address names none of its steps."""
    step = next((step for step in steps if step.id == wanted), steps[0])
    match step.kind:
        case "tool":
            return _tool(trace, step, words)
        case "model":
            return _model(trace, step, words)
        case "node":
            return Detail(step, props=[Prop(words.gettext("Took"), step.time)])
        case _:
            return _run(trace, step, words)


def _run(trace: Trace, step: Step, words: Words) -> Detail:
    run = trace.run
    props = [
        Prop(words.gettext("Agent"), run.bidi_name),
        Prop(words.gettext("Outcome"), runs_view.outcome_text(run, words)),
        Prop(words.gettext("Reason"), hidden.shown(run.reason)),
        Prop(words.gettext("Wish of a person"), hidden.shown(run.feedback)),
        Prop(words.gettext("Model"), run.model),
        Prop(words.gettext("Read up to message"), str(run.based_on_seq or "")),
        Prop(words.gettext("Took over"), words.gettext("a run that a new message outran") if run.generation else ""),
    ]  # fmt: skip
    if trace.draft is not None:
        href = f"/inbox/{trace.draft.conversation_id}?folder=all"
        label = words.gettext("version %(number)s", number=trace.draft.version)
        props.append(Prop(words.gettext("Draft"), label, href))
    return Detail(
        step,
        props=[prop for prop in props if prop.text],
        result=hidden.shown(trace.draft.body) if trace.draft else "",
        changed=changed(trace.changes, trace.names, words),
        evidence=list(trace.evidence),
    )


def _model(trace: Trace, step: Step, words: Words) -> Detail:
    call = next(call for call in trace.models if str(call.id) == step.id)
    usage = words.gettext(_USAGE[call.usage_from])
    props = [
        Prop(words.gettext("Asked for"), call.task),
        Prop(words.gettext("The model"), words.gettext(runs_view.ANSWERS[call.outcome])),
        Prop(words.gettext("Attempt"), str(call.attempt)),
        Prop(words.gettext("Tokens in"), words.number(call.tokens_in)),
        Prop(words.gettext("Tokens out"), words.number(call.tokens_out)),
        Prop(words.gettext("Counted"), usage),
        Prop(words.gettext("Cost"), words.cost(call.cost_usd_micros)),
        Prop(words.gettext("Took"), step.time),
    ]
    if call.first_token_ms is not None:
        first = words.gettext("%(number)s ms", number=call.first_token_ms)
        props.append(Prop(words.gettext("First word after"), first))
    if trace.exchange is None:
        return Detail(step, props=props)
    shape = SHAPES.get(trace.run.agent)
    return Detail(step, props=props, exchange=exchange_view.exchange_of(trace.exchange, shape, words))


def _tool(trace: Trace, step: Step, words: Words) -> Detail:
    call = next(call for call in trace.tools if str(call.id) == step.id)
    look, icon = _DECISION_LOOKS[call.decision]
    taint = words.gettext("had read text from outside") if call.is_tainted else words.gettext("none")
    props = [
        Prop(words.gettext("Risk"), words.gettext(RISKS.get(call.risk, call.risk))),
        Prop(words.gettext("Taint"), taint),
        Prop(words.gettext("State"), words.gettext(runs_view.STATES.get(call.status, call.status))),
        Prop(words.gettext("Took"), step.time),
        Prop(words.gettext("Repeat key"), call.call_key),
    ]
    if call.approval_id is not None:
        href = f"/approvals/{call.approval_id}"
        props.append(Prop(words.gettext("Question"), words.gettext("open the card"), href))
    return Detail(
        step,
        chip=(words.gettext(DECISIONS[call.decision]), look, icon),
        props=props,
        arguments=_arguments(call.arguments, words),
        result=pretty(call.result) if call.status == "done" else "",
        error=hidden.shown(call.error),
        changed=changed(_changes_of(trace.changes, call.id), trace.names, words),
    )


def _arguments(arguments: Any, words: Words) -> list[Prop]:
    if not isinstance(arguments, Mapping):
        return []
    return [
        Prop(hidden.shown(str(name)), pretty(value), place_of(str(name).removesuffix("_id"), value))
        for name, value in arguments.items()
    ]


def _changes_of(changes: Sequence[RunChange], call_id: UUID) -> list[RunChange]:
    """What one call changed: a call tells last, in the transaction of its effect, and calls of a run take turns."""
    found: list[RunChange] = []
    for change in changes:
        if change.type not in ("ai.tool.called", "ai.tool.denied"):
            found.append(change)
        elif change.data.get("tool_call_id") == str(call_id):
            return found
        else:
            found = []
    return []


def changed(changes: Sequence[RunChange], names: Mapping[str, str], words: Words) -> list[Changed]:
    """What was changed, in words, without what the run says of itself."""
    return [_changed(change, names, words) for change in changes if change.noun not in _OWN]


def _changed(change: RunChange, names: Mapping[str, str], words: Words) -> Changed:
    noun, verb = change.noun, change.type.rpartition(".")[2]
    said = words.gettext(EVENTS[verb]) if verb in EVENTS else verb.replace("_", " ")
    label = words.gettext(NOUNS[noun]) if noun in NOUNS else noun.replace("_", " ")
    return Changed(
        title=f"{label}: {said}",
        name=hidden.shown(change.name or ""),
        href=place_of(change.subject_kind, str(change.subject_id)),
        differences=[difference(name, pair, names, words) for name, pair in change.changes.items()],
    )


def difference(name: str, pair: Sequence[Any], names: Mapping[str, str], words: Words) -> Difference:
    """A field in words, with what it held and holds."""
    labels = {**LABELS, **FIELDS}
    label = words.gettext(labels[name]) if name in labels else hidden.shown(name)
    before, after = (*pair, None, None)[:2]
    return Difference(label, told(before, names, words), told(after, names, words))


def ids_in(values: Iterable[Any]) -> set[UUID]:
    """The ids among recorded values."""
    found = set()
    for value in values:
        if isinstance(value, str) and len(value) == 36:
            with contextlib.suppress(ValueError):
                found.add(UUID(value))
    return found


def told(value: Any, names: Mapping[str, str], words: Words) -> str:
    """A recorded value with the name of what it names."""
    name = names.get(value) if isinstance(value, str) else None
    return hidden.shown(stage_text(name, words)) if name else pretty(value)


def place_of(kind: str, id: Any) -> str:
    """Where a record stands, by an id that may be anything."""
    try:
        return PLACES[kind].format(id=UUID(str(id))) if kind in PLACES else ""
    except ValueError:
        return ""


def pretty(value: Any) -> str:
    """A recorded value as text, with what hides in it made visible; nothing for nothing."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    text = hidden.shown(text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
