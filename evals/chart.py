"""Pass rates of several runs as one picture: a row for each suite, a mark with its interval for each model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.errors import Unprocessable
from crm.evaluations.models import EvalRun

# As many as there are shapes and colours that can be told apart.
MOST_MODELS = 4
_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)


@dataclass(frozen=True)
class Mark:
    """One run in the picture; `model` counts from 0, shares are from 0 to 1."""

    model: int
    value: float
    low: float
    high: float
    n: int


def draw_chart(runs: Sequence[EvalRun]) -> str:
    """An SVG by day and by night, suites and models in the order in which they first come.

    Raises: Unprocessable for a run that has no pass rate yet, two runs of one suite and model, or too many models.
    """
    models = list(dict.fromkeys(run.model for run in runs))
    if len(models) > MOST_MODELS:
        raise Unprocessable(f"A chart tells {MOST_MODELS} models apart; these are {', '.join(models)}.")
    rows: dict[str, list[Mark]] = {}
    for run in runs:
        row, mark = rows.setdefault(run.suite, []), _mark(run, models.index(run.model))
        if any(other.model == mark.model for other in row):
            raise Unprocessable(f"There are two runs of {run.suite} with {run.model}; name one of them.")
        row.append(mark)
    for row in rows.values():
        row.sort(key=lambda mark: mark.model)
    return _environment.get_template("chart.svg").render(models=models, rows=list(rows.items()))


def _mark(run: EvalRun, model: int) -> Mark:
    figure: Any = run.figures.get("pass_rate")
    if not isinstance(figure, dict):
        raise Unprocessable(f"The run {run.id} of {run.suite} is not finished; it has no pass rate.")
    return Mark(model, figure["value"], figure["low"], figure["high"], figure["n"])
