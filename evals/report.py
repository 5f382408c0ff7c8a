"""A run as one HTML file."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crm.evaluations.models import EvalCase, EvalRun

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)


def write_report(run: EvalRun, cases: Sequence[EvalCase]) -> str:
    """The figures with their intervals as a chart, and every case that failed with what the agent did."""
    shares = {
        name: figure for name, figure in run.figures.items() if isinstance(figure, dict) and "low" in figure
    }
    return _environment.get_template("report.html").render(
        run=run, shares=shares, failed=[case for case in cases if not case.is_passed], cases=cases
    )
