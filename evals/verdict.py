"""Sums a run up: its figures with their intervals, and whether it is good enough."""

from collections import defaultdict
from collections.abc import Sequence

from pydantic import JsonValue

from crm.evaluations.models import EvalCase
from evals.scorers import outcomes
from evals.stats import macro_f1, pass_hat_k, wilson
from evals.suites.base import Suite

Figures = dict[str, JsonValue]


def verdict(suite: Suite, cases: Sequence[EvalCase]) -> tuple[Figures, bool]:
    """Every figure of the finished cases, and whether each that has a threshold reaches it.

    A figure is `value` with `n`; a share has the interval from `low` to `high` as well.
    """
    figures: Figures = {}
    for part in ("", *sorted({case.language for case in cases})):
        chosen = [case for case in cases if part in ("", case.language)]
        suffix = f".{part}" if part else ""
        figures[f"pass_rate{suffix}"] = _share([case.is_passed is True for case in chosen])
        for scorer in (*suite.deciding, *suite.looking):
            scores = [_score(case, scorer.name) for case in chosen if scorer.name in case.scores]
            if scores:
                figures[f"{scorer.name}{suffix}"] = _scored(scores)
    if suite.by_stratum:
        figures |= _by_stratum(suite, cases)
    pairs = _decisions(cases)
    if pairs:
        figures["decision.macro_f1"] = {"value": round(macro_f1(pairs), 4), "n": len(pairs)}
    figures |= _reliability(cases)
    figures["errors"] = {"value": sum(bool(case.error) for case in cases), "n": len(cases)}
    missed = _with_thresholds(figures, suite)
    return figures, not missed


def _by_stratum(suite: Suite, cases: Sequence[EvalCase]) -> Figures:
    """The shares of each kind of case: `pass_rate@price`, `accepted@price` and so on."""
    kinds: dict[str, list[EvalCase]] = defaultdict(list)
    for case in cases:
        kinds[str(case.definition.get("stratum") or "other")].append(case)
    figures: Figures = {}
    for kind, chosen in sorted(kinds.items()):
        figures[f"pass_rate@{kind}"] = _share([case.is_passed is True for case in chosen])
        for scorer in (*suite.deciding, *suite.looking):
            scores = [_score(case, scorer.name) for case in chosen if scorer.name in case.scores]
            if scores:
                figures[f"{scorer.name}@{kind}"] = _scored(scores)
    return figures


def _share(passed: Sequence[bool]) -> JsonValue:
    low, high = wilson(sum(passed), len(passed))
    value = sum(passed) / len(passed) if passed else 0.0
    return {"value": round(value, 4), "low": round(low, 4), "high": round(high, 4), "n": len(passed)}


def _score(case: EvalCase, name: str) -> tuple[float, bool]:
    told = case.scores[name]
    if not isinstance(told, dict):
        return 0.0, False
    value = told.get("value")
    return (float(value) if isinstance(value, int | float) else 0.0), told.get("is_passed") is True


def _scored(scores: Sequence[tuple[float, bool]]) -> JsonValue:
    """The mean of a scorer; its interval is that of a share, which for a mean of values from 0 to 1 is too wide."""
    mean = sum(value for value, _ in scores) / len(scores)
    low, high = wilson(mean * len(scores), len(scores))
    return {"value": round(mean, 4), "low": round(low, 4), "high": round(high, 4), "n": len(scores)}


def _decisions(cases: Sequence[EvalCase]) -> list[tuple[str, str]]:
    """Right and given decisions, for suites that judge them."""
    pairs = []
    for case in cases:
        expected = case.definition.get("expect")
        right = expected.get("decision") if isinstance(expected, dict) else None
        told = case.scores.get(outcomes.decision.name)
        if isinstance(right, str) and isinstance(told, dict):
            why = str(told.get("why", ""))
            pairs.append((right, why.partition(" instead of ")[0] or right))
    return pairs


def _reliability(cases: Sequence[EvalCase]) -> Figures:
    """pass^k for cases that were played several times, and what a case costs and takes."""
    tries: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        tries[case.key].append(case.is_passed is True)
    k = min(map(len, tries.values()))
    found: Figures = {}
    if k > 1:
        value = sum(pass_hat_k(sum(one), len(one), k) for one in tries.values()) / len(tries)
        found[f"pass^{k}"] = {"value": round(value, 4), "n": len(tries)}
    costs = [case.cost_usd_micros for case in cases]
    found["cost_usd"] = {"value": round(sum(costs) / 1e6, 6), "n": len(costs)}
    took = sorted(case.latency_ms for case in cases)
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        found[f"latency_ms.{name}"] = {
            "value": took[min(len(took) - 1, int(len(took) * share))],
            "n": len(took),
        }
    return found


def _with_thresholds(figures: Figures, suite: Suite) -> list[str]:
    """Write each threshold beside its figure; the names of those that were missed.

    A figure that no case gave, as that of a language nobody wrote in, has nothing to reach.
    """
    missed = []
    for name, least in suite.thresholds.items():
        figure = figures.get(name)
        if isinstance(figure, dict):
            value = figure.get("value")
            figures[name] = {**figure, "threshold": least}
            if not isinstance(value, int | float) or value < least:
                missed.append(name)
    return missed
