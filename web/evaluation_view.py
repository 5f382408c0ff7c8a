"""How pages show evaluations: figures by scorer, and in which order."""

from dataclasses import dataclass

from pydantic import JsonValue

from core.jsons import dumps
from crm.evaluations.judgings import Judging
from crm.evaluations.models import EvalCase, EvalRun
from web.phrases import N_

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
    "refusal": N_("Refuses or asks a colleague"),
    "citations": N_("Figures stand in their sources"),
    "context_recall": N_("Rests on what it should"),
    "context_precision": N_("Rests on nothing else"),
    "fuzzy": N_("Like a good reply"),
    "exact": N_("Word for word"),
    "edit_distance": N_("Needs no edits"),
    "tool_f1": N_("Tool calls, F1"),
    "trajectory": N_("Order of tool calls"),
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
        _bar(name, told) for name, told in run.figures.items() if isinstance(told, dict) and "low" in told
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
