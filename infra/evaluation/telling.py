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


_EXAMPLES = 3
_MEASURES = ("agrees", "action", "figures", "similarity", "answered")


def backtest_lines(run: EvalRun, cases: list[EvalCase]) -> str:
    """How often the agent agrees with what colleagues wrote, by intent, and examples of both."""
    kinds = [name.removeprefix("pass_rate@") for name in run.figures if name.startswith("pass_rate@")]
    told = [
        f"backtest of {run.model} over {run.cases} answers, run {run.id}",
        f"{'':<16}{'agrees':>8}{'95 % interval':>16}"
        + "".join(f"{name:>12}" for name in _MEASURES[1:])
        + "     n",
        *(_measures(run, kind) for kind in ("", *kinds)),
    ]
    for title, is_passed in (("agrees", True), ("differs", False)):
        chosen = [case for case in cases if case.is_passed is is_passed][:_EXAMPLES]
        told += [line for case in chosen for line in _example(title, case)]
    return "\n".join(told)


def _measures(run: EvalRun, kind: str) -> str:
    suffix = f"@{kind}" if kind else ""
    figures = [_dict(run.figures.get(f"{name}{suffix}")) for name in _MEASURES]
    first = figures[0]
    values = "".join(f"{figure['value']:>12}" if figure else f"{'-':>12}" for figure in figures[1:])
    between = f"{first['low']:.3f}-{first['high']:.3f}"
    return f"{kind or 'all':<16}{first['value']:>8}{between:>16}{values}{first['n']:>6}"


def _example(title: str, case: EvalCase) -> list[str]:
    expect, draft = _dict(case.definition.get("expect")), _dict(_dict(case.trace or {}).get("draft"))
    burst = case.definition.get("burst")
    asked = " / ".join(map(str, burst)) if isinstance(burst, list) else ""
    handoff = _dict(_dict(case.trace or {}).get("handoff")).get("reason")
    drafted = str(draft.get("body") or f"no draft ({handoff or case.error or 'ignored'})")
    return [
        f"{title} {case.key}",
        f"  contact    {_short(asked)}",
        f"  colleague  {_short(str(expect.get('reply', '')))}",
        f"  agent      {_short(drafted)}",
    ]


def _dict(value: JsonValue) -> Told:
    return value if isinstance(value, dict) else {}


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 160 else f"{flat[:159]}…"
