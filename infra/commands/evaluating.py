"""`getsale eval`: how well agents do on cases whose right outcome is known."""

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from core.settings import Settings, load
from infra.commands.running import AsJson, fail, servers

if TYPE_CHECKING:
    from crm.evaluations.models import EvalCase, EvalRun, NewEvalRun

BAD_INPUT = 2
app = typer.Typer(
    no_args_is_help=True, help="Measure agents on cases whose right outcome is known; see docs/evaluation.md."
)
Organization = Annotated[
    str, typer.Option(help="The slug of the organization that keeps the run, and whose pages show it.")
]


@app.command("list")
def list_suites(as_json: AsJson = False) -> None:
    """List the suites with their cases and thresholds."""
    from evals.suites import SUITES

    rows = [
        {
            "suite": suite.name,
            "about": suite.about,
            "cases": {
                language: sum(case.language == language for case in suite.cases())
                for language in ("en", "ru")
            },
            "scorers": [scorer.name for scorer in (*suite.deciding, *suite.looking)],
            "thresholds": dict(suite.thresholds),
        }
        for suite in SUITES.values()
    ]
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        print(f"{row['suite']:<16} {row['cases']}  {row['about']}")


@app.command("run")
def run_suite(
    suite: str,
    model: Annotated[str, typer.Option(help="offline, local, or a name that OPENAI_BASE_URL knows.")] = "",
    prompt: Annotated[
        list[str] | None, typer.Option(help="NAME=VERSION or NAME=FILE in place of a prompt in force.")
    ] = None,
    cases: Annotated[Path | None, typer.Option(help="Other cases than the suite's: JSON lines.")] = None,
    n: Annotated[int | None, typer.Option(min=1, help="A stratified sample of so many cases.")] = None,
    repeat: Annotated[int, typer.Option(min=1, max=20, help="Play each case so often, for pass^k.")] = 1,
    seed: Annotated[int, typer.Option(help="Chooses the sample.")] = 0,
    workers: Annotated[int, typer.Option(min=0, max=32, help="Worker processes; 0: this process.")] = 0,
    resume: Annotated[UUID | None, typer.Option(help="Go on with a run that was cut off.")] = None,
    organization: Organization = "evaluations",
    as_json: AsJson = False,
) -> None:
    """Play a suite and say how well it went; exit 0 when every threshold is reached, 1 when not, 2 for bad input."""
    from core.errors import NotFound, Unprocessable
    from evals.planning import chosen_prompts, plan
    from evals.suites import find_suite

    quieten()
    try:
        found = find_suite(suite)
        prompts = chosen_prompts(prompt or [])
        chosen = found.cases(cases)
        name = model or load().agent_model
        new = plan(found, chosen, model=name, prompts=prompts, n=n, repeat=repeat, seed=seed)
        with servers(with_demo=False) as settings:
            quieten()
            run, played = _play(settings, organization, new, workers, resume)
    except (Unprocessable, NotFound) as err:
        fail(err.detail, BAD_INPUT)
    _print_run(run, played, as_json)
    sys.exit(0 if run.is_passed else 1)


@app.command("baseline")
def keep_baseline(
    suites: Annotated[list[str] | None, typer.Argument(help="All, if none is named.")] = None,
) -> None:
    """Play whole suites with the offline model and keep what passed as what the ratchet holds."""
    from core.errors import Unprocessable
    from evals.planning import plan
    from evals.ratchet import write_baseline
    from evals.suites import SUITES, find_suite

    quieten()
    try:
        found = [find_suite(name) for name in suites or SUITES]
        with servers(with_demo=False) as settings:
            quieten()
            for suite in found:
                new = plan(suite, suite.cases(), model="offline")
                print(write_baseline(*_play(settings, "evaluations", new, 0, None)))
    except Unprocessable as err:
        fail(err.detail, BAD_INPUT)


def quieten() -> None:
    """Progress is ours to tell; whoever wants the logs sets LOG_LEVEL."""
    from core import telemetry

    settings = load()
    if "log_level" not in settings.model_fields_set:
        settings = settings.model_copy(update={"log_level": "warning"})
    telemetry.set_up(settings, "getsale")


def _play(
    settings: Settings, organization: str, new: "NewEvalRun", workers: int, resume: UUID | None
) -> "tuple[EvalRun, list[EvalCase]]":
    from infra.evaluation.playing import play

    return asyncio.run(play(settings, organization, new, workers=workers, resume=resume))


def _print_run(run: "EvalRun", cases: "list[EvalCase]", as_json: bool) -> None:
    from infra.evaluation import telling

    print(
        json.dumps(telling.as_json(run, cases), indent=2, ensure_ascii=False)
        if as_json
        else telling.lines(run)
    )


@app.command("compare")
def compare_runs(
    run_a: UUID, run_b: UUID, organization: Organization = "evaluations", as_json: AsJson = False
) -> None:
    """Set two runs side by side; exit 1 when the second is worse by more than chance."""
    from core.errors import NotFound, Unprocessable
    from infra.evaluation import telling
    from infra.evaluation.playing import read_two

    quieten()
    try:
        with servers(with_demo=False) as settings:
            quieten()
            runs, comparison = asyncio.run(read_two(settings, organization, run_a, run_b))
    except (NotFound, Unprocessable) as err:
        fail(err.detail, BAD_INPUT)
    told = telling.comparison_as_json(runs, comparison)
    print(
        json.dumps(told, indent=2, ensure_ascii=False)
        if as_json
        else telling.comparison_lines(runs, comparison)
    )
    sys.exit(1 if comparison.is_worse else 0)


@app.command("report")
def report(
    run: UUID,
    html: Annotated[Path, typer.Option(help="The file to write.")],
    organization: Organization = "evaluations",
) -> None:
    """Write a run as one HTML file that needs nothing else."""
    from core.errors import NotFound, Unprocessable
    from evals.report import write_report
    from infra.evaluation.playing import read_run

    quieten()
    try:
        with servers(with_demo=False) as settings:
            quieten()
            found, cases = asyncio.run(read_run(settings, organization, run))
        html.write_text(write_report(found, cases), encoding="utf-8")
    except (NotFound, Unprocessable) as err:
        fail(err.detail, BAD_INPUT)
    except OSError as err:
        fail(f"{html} cannot be written: {err.strerror}.", BAD_INPUT)
    print(f"{html} tells about {len(cases)} cases.", file=sys.stderr)


@app.command("chart")
def chart(
    svg: Annotated[Path, typer.Argument(help="The file to write.")],
    runs: list[UUID],
    organization: Organization = "evaluations",
) -> None:
    """Draw the pass rates of several runs, by suite and model, with their intervals."""
    from core.errors import NotFound, Unprocessable
    from evals.chart import draw_chart
    from infra.evaluation.playing import read_runs

    quieten()
    try:
        with servers(with_demo=False) as settings:
            quieten()
            found = asyncio.run(read_runs(settings, organization, runs))
        svg.write_text(draw_chart(found), encoding="utf-8")
    except (NotFound, Unprocessable) as err:
        fail(err.detail, BAD_INPUT)
    except OSError as err:
        fail(f"{svg} cannot be written: {err.strerror}.", BAD_INPUT)
    print(f"{svg} tells about {len(found)} runs.", file=sys.stderr)
