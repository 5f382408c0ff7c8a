"""A run as its page shows it: its steps as a tree over time, its figures, and the words for all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from core import clock
from crm.runs.graphs import SHAPES, Shape
from crm.runs.model_calls import CallOutcome, ModelCall
from crm.runs.models import RunStatus
from crm.runs.traces import RunLine, TracedCall
from crm.runs.visits import AGENT as API
from web.i18n import Words
from web.phrases import N_

# The width of a bar in units of its drawing.
SPAN = 300.0
RUN = "run"

AGENTS: Mapping[str, str] = {
    "inbox": N_("Inbox agent"),
    "copilot": N_("Copilot"),
    "memory_writer": N_("Memory writer"),
    "follow_up": N_("Follow-up agent"),
    "api": N_("Program"),
}
STATUSES: Mapping[RunStatus, str] = {
    RunStatus.QUEUED: N_("Waits"),
    RunStatus.RUNNING: N_("Works"),
    RunStatus.WAITING: N_("Waits for a person"),
    RunStatus.SUCCEEDED: N_("Finished"),
    RunStatus.FAILED: N_("Failed"),
    RunStatus.CANCELLED: N_("Stopped"),
    RunStatus.BUDGET_EXCEEDED: N_("Over its budget"),
}
LOOKS: Mapping[RunStatus, tuple[str, str]] = {
    RunStatus.QUEUED: ("", "clock"),
    RunStatus.RUNNING: ("proposed", "agent"),
    RunStatus.WAITING: ("warning", "person"),
    RunStatus.SUCCEEDED: ("success", "check"),
    RunStatus.FAILED: ("danger", "warning"),
    RunStatus.CANCELLED: ("", "stop"),
    RunStatus.BUDGET_EXCEEDED: ("danger", "warning"),
}
OUTCOMES: Mapping[str, str] = {
    "drafted": N_("proposed a reply"),
    "sent": N_("replied"),
    "handed_off": N_("gave the conversation to a person"),
    "ignored": N_("had nothing to answer"),
    "outrun": N_("gave way to a newer message"),
    "answered": N_("answered"),
    "unwanted": N_("nobody wanted it any more"),
    "failed": N_("went wrong"),
    "out_of_budget": N_("used up its budget"),
    "left": N_("called nothing more"),
    "remembered": N_("wrote down what was said"),
    "nothing": N_("found nothing to write down"),
    "suggested": N_("suggested the next step"),
    "kept": N_("saw that the promise was kept"),
    "known": N_("suggested nothing new"),
}
STATES: Mapping[str, str] = {
    "running": N_("is running"),
    "asked": N_("waits for a person"),
    "done": N_("done"),
    "refused": N_("refused"),
    "failed": N_("went wrong"),
}
ANSWERS: Mapping[CallOutcome, str] = {
    CallOutcome.ANSWERED: N_("answered"),
    CallOutcome.LIMITED: N_("was asked to wait"),
    CallOutcome.REFUSED: N_("refused the request"),
    CallOutcome.FAILED: N_("could not be reached"),
    CallOutcome.BROKEN: N_("gave no whole answer"),
    CallOutcome.CUT_OFF: N_("was cut off by us"),
}
NODES: Mapping[str, str] = {
    "triage": N_("Understand"),
    "gather": N_("Gather"),
    "draft": N_("Write"),
    "guard": N_("Check the text"),
    "propose": N_("Propose"),
    "notify": N_("Call a person"),
    "think": N_("Think"),
    "act": N_("Look up and act"),
    "check": N_("Check the answer"),
    "read": N_("Read"),
    "extract": N_("Find what to remember"),
    "write": N_("Write down"),
    "look": N_("Look"),
    "advise": N_("Advise"),
    "suggest": N_("Suggest"),
}


@dataclass(frozen=True)
class Step:
    """A line of the tree. `kind` is run, node, model or tool; `left` and `width` are its bar, in `SPAN`.

    `id` is what the address of the page names: `run`, `n2`, or the call's own; `node` is where in the graph it stands.
    """

    id: str
    kind: str
    depth: int
    name: str
    began: datetime | None = None
    ended: datetime | None = None
    problem: str = ""
    left: float = 0.0
    width: float = 0.0
    time: str = ""
    node: str = ""

    @property
    def icon(self) -> str:
        return {"run": "run", "node": "down", "model": "agent", "tool": "tool"}[self.kind]

    @property
    def bar(self) -> str:
        return {"model": "model", "tool": "tool"}.get(self.kind, "graph-node")


@dataclass(frozen=True)
class _Call:
    node: str
    step: Step


def title(run: RunLine, words: Words) -> str:
    """What a run was about."""
    if run.contact_name is not None:
        return words.gettext("Conversation with %(name)s", name=run.contact_name)
    if run.asker_name is not None and run.agent == API:
        return words.gettext("Program of %(name)s", name=run.asker_name)
    if run.asker_name is not None:
        return words.gettext("Question of %(name)s", name=run.asker_name)
    return agent_text(run.agent, words)


def agent_text(agent: str, words: Words) -> str:
    return words.gettext(AGENTS[agent]) if agent in AGENTS else agent


def node_text(node: str, words: Words) -> str:
    return words.gettext(NODES[node]) if node in NODES else node


def outcome_text(run: RunLine, words: Words) -> str:
    """How it ended; nothing while it goes on."""
    return words.gettext(OUTCOMES[run.outcome]) if run.outcome in OUTCOMES else run.outcome


def duration_text(began: datetime | None, ended: datetime | None, words: Words) -> str:
    """How long it took, in the unit that tells: `12 ms`, `3.10 s`, `2 min 5 s`; a dash for what never began."""
    if began is None or ended is None:
        return "–"
    milliseconds = max(0, round((ended - began) / timedelta(milliseconds=1)))
    if milliseconds < 1000:
        return words.gettext("%(number)s ms", number=milliseconds)
    if milliseconds < 60_000:
        seconds = words.number(Decimal(milliseconds // 10) / 100)
        return words.gettext("%(number)s s", number=seconds)
    minutes, rest = divmod(milliseconds // 1000, 60)
    return words.gettext("%(minutes)s min %(seconds)s s", minutes=minutes, seconds=rest)


def wake(run: RunLine) -> datetime:
    return run.started_at or run.created_at


def end_of(run: RunLine) -> datetime | None:
    """When it ended; of a run that works, now."""
    return run.finished_at or (clock.now() if run.started_at else None)


def steps_of(
    run: RunLine,
    models: Sequence[ModelCall],
    tools: Sequence[TracedCall],
    visited: Sequence[str],
    words: Words,
) -> list[Step]:
    """The run, the nodes that it went through, and what each asked of the model and of tools."""
    shape = SHAPES.get(run.agent)
    began, ended = wake(run), end_of(run)
    root = Step(RUN, "run", 0, agent_text(run.agent, words), began, ended)
    calls = sorted(
        [*_model_calls(models, shape, words), *_tool_calls(tools, shape, words)],
        key=lambda call: call.step.began or began,
    )
    steps = [root, *_grouped(calls, visited, shape, words)]
    last = max([step.ended or began for step in steps])
    return [_placed(step, began, max(last, ended or began), words) for step in steps]


def _model_calls(models: Sequence[ModelCall], shape: Shape | None, words: Words) -> list[_Call]:
    calls = []
    for call in models:
        ended = call.started_at + timedelta(milliseconds=call.latency_ms)
        problem = "" if call.outcome is CallOutcome.ANSWERED else words.gettext(ANSWERS[call.outcome])
        step = Step(str(call.id), "model", 2, call.model, call.started_at, ended, problem)
        calls.append(_Call(shape.node_of_task(call.task) if shape else call.task, step))
    return calls


def _tool_calls(tools: Sequence[TracedCall], shape: Shape | None, words: Words) -> list[_Call]:
    calls = []
    for call in tools:
        ended = call.started_at + timedelta(milliseconds=call.duration_ms or 0)
        problem = "" if call.status in ("done", "running") else words.gettext(STATES[call.status])
        step = Step(str(call.id), "tool", 2, call.tool, call.started_at, ended, problem)
        calls.append(_Call(shape.node_of_call(call.call_key) if shape else "", step))
    return calls


def _grouped(calls: Sequence[_Call], visited: Sequence[str], shape: Shape | None, words: Words) -> list[Step]:
    """Calls under their nodes, as often as the run came there; nodes without a call where they were passed."""
    groups: list[tuple[str, list[Step]]] = []
    for call in calls:
        if not groups or groups[-1][0] != call.node:
            groups.append((call.node, []))
        groups[-1][1].append(call.step)
    order = shape.nodes if shape else ()
    called = {node for node, _ in groups}
    for node in sorted(set(visited) - called, key=lambda node: _place(order, node)):
        before = [at for at, (name, _) in enumerate(groups) if _place(order, name) < _place(order, node)]
        groups.insert(before[-1] + 1 if before else 0, (node, []))
    steps: list[Step] = []
    for number, (node, inner) in enumerate(groups):
        if node:
            began = min((step.began for step in inner if step.began), default=None)
            ended = max((step.ended for step in inner if step.ended), default=None)
            steps.append(Step(f"n{number}", "node", 1, node_text(node, words), began, ended, node=node))
        steps += [replace(step, node=node) for step in inner]
    return steps


def _place(order: Sequence[str], node: str) -> int:
    return order.index(node) if node in order else len(order)


def _placed(step: Step, began: datetime, ended: datetime, words: Words) -> Step:
    """The step with its bar: clocks of two machines may differ, so that it is kept within the run's own."""
    if step.began is None or step.ended is None:
        return replace(step, time=duration_text(None, None, words))
    whole = max((ended - began).total_seconds(), 0.001)
    left = min(max((step.began - began).total_seconds() / whole, 0), 1) * SPAN
    right = min(max((step.ended - began).total_seconds() / whole, 0), 1) * SPAN
    width = max(right - left, 2.0)
    return replace(
        step,
        left=round(min(left, SPAN - width), 1),
        width=round(width, 1),
        time=duration_text(step.began, step.ended, words),
    )
