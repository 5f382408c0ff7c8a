"""How runs and comparisons are told on a terminal and to programs."""

from pydantic import JsonValue

from crm.evaluations.comparison import Comparison
from crm.evaluations.judgings import Judging
from crm.evaluations.models import EvalCase, EvalRun
from evals.past.standing import Share, Standing
from infra.evaluation.playing import Read, why

Told = dict[str, JsonValue]


def as_json(run: EvalRun, cases: list[EvalCase]) -> Told:
    """A run with its figures and the cases that failed."""
    return {
        "run": str(run.id),
        "suite": run.suite,
        "model": run.model,
        "prompts": run.prompts,
        "code_version": run.code_version,
        "dataset_sha256": run.dataset_sha256,
        "seed": run.seed,
        "cases": run.cases,
        "is_passed": run.is_passed,
        "cost_usd": run.cost_usd_micros / 1_000_000,
        "figures": run.figures,
        "failed": [{"case": case.key, "why": why(case)} for case in cases if not case.is_passed],
    }


def lines(run: EvalRun) -> str:
    """A run for people: one line per figure."""
    told = [f"{run.suite}  {'passed' if run.is_passed else 'BELOW ITS THRESHOLD'}  run {run.id}"]
    return "\n".join([*told, *(_figure(name, figure) for name, figure in sorted(run.figures.items()))])


def _figure(name: str, told: JsonValue) -> str:
    figure = told if isinstance(told, dict) else {}
    between = f"  {figure['low']:.3f}-{figure['high']:.3f}" if "low" in figure else ""
    value, threshold = figure.get("value"), figure.get("threshold")
    wanted = "" if threshold is None else f"  at least {threshold}: {_reached(value, threshold)}"
    return f"{name:<28} {value:>8}{between}  n={figure.get('n')}{wanted}"


def _reached(value: JsonValue, threshold: JsonValue) -> str:
    numbers = isinstance(value, int | float) and isinstance(threshold, int | float)
    return "met" if numbers and value >= threshold else "MISSED"  # type: ignore[operator]  # both are numbers


def comparison_as_json(runs: tuple[EvalRun, EvalRun], comparison: Comparison) -> Told:
    before, after = runs
    return {
        "before": str(before.id),
        "after": str(after.id),
        "shared": comparison.shared,
        "worse": [change.key for change in comparison.changes if change.is_worse],
        "better": [change.key for change in comparison.changes if not change.is_worse],
        "chance": round(comparison.chance, 4),
        "is_worse": comparison.is_worse,
    }


def comparison_lines(runs: tuple[EvalRun, EvalRun], comparison: Comparison) -> str:
    before, after = runs
    told = [
        f"{before.suite} {before.model} -> {after.model}, {comparison.shared} cases of both",
        f"worse {comparison.worse}, better {comparison.better}, by chance alone {comparison.chance:.3f}",
    ]
    for change in comparison.changes:
        mark = "worse " if change.is_worse else "better"
        told.append(f"  {mark} {change.key}: {why(change.after if change.is_worse else change.before)}")
    return "\n".join(told)


def standing_as_json(before: Read, after: Read, standing: Standing) -> Told:
    """Two runs over what people decided, by intent."""
    return {
        "before": {"run": str(before[0].id), "model": before[0].model},
        "after": {"run": str(after[0].id), "model": after[0].model, "figures": after[0].figures},
        "intents": {
            row.intent or "all": {"before": _share(row.before), "after": _share(row.after)}
            for row in standing.rows
        },
        "worse": [change.key for change in standing.comparison.changes if change.is_worse],
        "better": [change.key for change in standing.comparison.changes if not change.is_worse],
        "chance": round(standing.comparison.chance, 4),
        "is_worse": standing.comparison.is_worse,
    }


def _share(share: Share) -> Told:
    low, high = share.interval
    return {"value": round(share.value, 4), "low": round(low, 4), "high": round(high, 4), "n": share.n}


def standing_lines(before: Read, after: Read, standing: Standing) -> str:
    """The same for people: what would have gone out unedited, by intent, and which cases changed."""
    comparison = standing.comparison
    told = [
        f"would go out unedited: {before[0].model} -> {after[0].model}, {comparison.shared} decisions",
        *(
            f"  {row.intent or 'all':<14}{_interval(row.before)}  ->{_interval(row.after)}  n={row.before.n}"
            for row in standing.rows
        ),
        f"worse {comparison.worse}, better {comparison.better}, by chance alone {comparison.chance:.3f}",
    ]
    for name in ("answered", "intents", "figures", "similarity", "unrepeated", "sees_edit"):
        if name in after[0].figures:
            told.append(_figure(name, after[0].figures[name]))
    return "\n".join(told)


def _interval(share: Share) -> str:
    low, high = share.interval
    return f" {share.value:.3f} ({low:.3f}-{high:.3f})"


def judging_as_json(judging: Judging) -> Told:
    """What a judge said of a run, and who it was."""
    return {
        "judging": str(judging.id),
        "run": str(judging.run_id),
        "judge": judging.model,
        "library": judging.library,
        "prompts": judging.prompts,
        "seed": judging.seed,
        "cases": judging.cases,
        "is_passed": judging.is_passed,
        "cost_usd": judging.cost_usd_micros / 1_000_000,
        "figures": judging.figures,
    }


def judging_lines(judging: Judging) -> str:
    """A judging for people: one line per metric."""
    told = [f"{judging.model}, {judging.library}, {judging.cases} cases, run {judging.run_id}"]
    for name, figure in judging.figures.items():
        found = figure if isinstance(figure, dict) else {}
        value = "-" if found.get("value") is None else found["value"]
        told.append(f"{name:<28} {value:>8}  n={found.get('n')}  judge failed {found.get('failed')}")
    return "\n".join(told)
