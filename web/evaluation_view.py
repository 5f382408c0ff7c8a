"""How pages show evaluations: figures by scorer, and in which order."""

from dataclasses import dataclass

from pydantic import JsonValue

from core.jsons import dumps
from crm.evaluations.judgings import Judging
from crm.evaluations.models import EvalCase, EvalRun
from web.phrases import INTENTS, N_

# What the figures and scorers measure; figures of one language end in its code.
TITLES = {
    "pass_rate": N_("Cases passed"),
    "decision": N_("Right decision"),
    "decision.macro_f1": N_("Decisions, macro F1"),
    "handoff": N_("Reason for a person"),
    "final_state": N_("Final state"),
    "says": N_("States what it should"),
    "unsaid": N_("Keeps what it should"),
    "language": N_("Language"),
    "length": N_("Length"),
    "tone": N_("Tone"),
    "unsent": N_("Sends nothing by itself"),
    "repeats": N_("Says nothing twice"),
    "refusal": N_("Refuses or asks a colleague"),
    "citations": N_("Figures stand in their sources"),
    "context_recall": N_("Rests on what it should"),
    "context_precision": N_("Rests on nothing else"),
    "fuzzy": N_("Like a good reply"),
    "exact": N_("Word for word"),
    "edit_distance": N_("Needs no edits"),
    "tool_f1": N_("Tool calls, F1"),
    "trajectory": N_("Order of tool calls"),
    "accepted": N_("Would go out unedited"),
    "agrees": N_("Agrees with the colleague"),
    "answered": N_("Answers, too"),
    "action": N_("Does the same"),
    "figures": N_("States the same figures"),
    "similarity": N_("Says it in like words"),
    "intents": N_("Names the same wishes"),
    "unrepeated": N_("Does not repeat what was rejected"),
    "sees_edit": N_("Edits that this measure sees"),
}
# What is told of each kind of message, the first with its interval.
_OF_KINDS = ("accepted", "agrees", "answered", "action", "figures", "similarity")
KINDS = {
    **INTENTS,
    "unsubscribe": N_("Wishes to be left alone"),
    "complaint": N_("Complaints"),
    "interested": N_("Interest"),
    "human": N_("Wishes for a person"),
    "auto_reply": N_("Automatic replies"),
}
DECIDED = {
    "accepted": N_("sent as it was"),
    "edited": N_("edited, then sent"),
    "rejected": N_("rejected"),
    "returned": N_("sent back"),
}
# What a language model judges, by the metrics of ragas.
JUDGED = {
    "faithfulness": N_("Rests on its sources"),
    "answer_relevancy": N_("Answers what was asked"),
    "context_precision": N_("The right sources come first"),
    "context_recall": N_("Sources hold the right reply"),
    "agent_goal_accuracy": N_("Reaches the goal"),
    "topic_adherence": N_("Stays with its subject"),
}
OUTCOMES = {True: N_("passed"), False: N_("not passed"), None: N_("running")}


@dataclass(frozen=True)
class Bar:
    """One figure of the chart, from 0 to 1 with its interval; `language` is empty for both together."""

    title: str
    language: str
    value: float
    low: float
    high: float
    n: int
    threshold: float | None


def bars(run: EvalRun) -> list[Bar]:
    """The shares of a run: the passed cases first, both languages under each."""
    order = list(TITLES)
    found = [
        _bar(name, told)
        for name, told in run.figures.items()
        if isinstance(told, dict) and "low" in told and "@" not in name
    ]
    return sorted(found, key=lambda bar: (order.index(bar.title) if bar.title in order else 99, bar.language))


def judged_bars(judging: Judging) -> list[Bar]:
    """The mean of each metric, in the order in which they were asked for; none where the judge always failed."""
    found = []
    for name, told in judging.figures.items():
        if isinstance(told, dict) and told.get("value") is not None:
            value = _number(told["value"])
            found.append(Bar(name, "", value, value, value, int(_number(told.get("n"))), None))
    return found


def judge_failures(judging: Judging) -> int:
    """How often the judge came to no value."""
    return sum(
        int(_number(told.get("failed"))) for told in judging.figures.values() if isinstance(told, dict)
    )


def _bar(name: str, told: dict[str, JsonValue]) -> Bar:
    title, _, language = name.partition(".")
    threshold = told.get("threshold")
    return Bar(
        title,
        language,
        _number(told.get("value")),
        _number(told.get("low")),
        _number(told.get("high")),
        int(_number(told.get("n"))),
        _number(threshold) if threshold is not None else None,
    )


def _number(value: JsonValue) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def kinds(run: EvalRun) -> dict[str, dict[str, Bar]]:
    """What the contacts wanted -> the figures of those cases by name, the kind with most cases first."""
    found: dict[str, dict[str, Bar]] = {}
    for name, told in run.figures.items():
        figure, _, kind = name.partition("@")
        if kind and isinstance(told, dict) and figure in _OF_KINDS:
            found.setdefault(kind, {})[figure] = _bar(figure, told)
    return dict(sorted(found.items(), key=lambda item: (-max(bar.n for bar in item[1].values()), item[0])))


def columns(found: dict[str, dict[str, Bar]]) -> list[str]:
    """The figures that at least one kind of message has, in the order in which they are read."""
    return [name for name in _OF_KINDS if any(name in figures for figures in found.values())]


def expected(case: EvalCase) -> str:
    """What a colleague wrote, where the case knows it."""
    expect = case.definition.get("expect")
    return str(expect.get("reply") or "") if isinstance(expect, dict) else ""


def decided(case: EvalCase) -> dict[str, JsonValue]:
    """What a person decided about the old draft; empty where nobody did."""
    told = case.definition.get("decided")
    return told if isinstance(told, dict) else {}


def has_aim(run: EvalRun) -> bool:
    """Whether anything was asked of its figures; else a run says how things are, and neither passes nor fails."""
    return not run.figures or any(
        isinstance(told, dict) and "threshold" in told for told in run.figures.values()
    )


def share(run: EvalRun) -> float | None:
    """How many of the cases passed, or None before the end."""
    told = run.figures.get("pass_rate")
    return _number(told.get("value")) if isinstance(told, dict) else None


def why(case: EvalCase) -> str:
    """What was wrong with a case, as its scorers say it."""
    failed = [
        score for score in case.scores.values() if isinstance(score, dict) and not score.get("is_passed")
    ]
    return case.error or "; ".join(str(score.get("why")) for score in failed)


def burst(case: EvalCase) -> list[str]:
    """What the contact wrote."""
    lines = case.definition.get("burst")
    return [str(line) for line in lines] if isinstance(lines, list) else []


def written(value: JsonValue) -> str:
    """Arguments and results as they can be read."""
    return value if isinstance(value, str) else dumps(value)
