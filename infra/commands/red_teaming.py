"""`getsale eval redteam`: what texts from outside can make a model do that obeys them."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from core.errors import Unprocessable
from infra.commands.running import AsJson, fail

BAD_INPUT = 2
# Those of crm.bidi.models, which is not loaded for the help alone.
LEVELS = ("observe", "suggest", "assist", "autopilot")
# Those of evals.redteam.readers.
AGENTS = ("inbox", "memory_writer", "follow_up")


def redteam(
    cases: Annotated[
        list[Path] | None, typer.Option(help="JSON lines, one case each; without it our own set.")
    ] = None,
    n: Annotated[
        int | None, typer.Option(min=1, help="A sample of so many cases, over all carriers.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Chooses the sample.")] = 0,
    workers: Annotated[int, typer.Option(min=1, max=32, help="Processes.")] = min(4, os.cpu_count() or 2),
    level: Annotated[
        list[str] | None, typer.Option(help=f"Only these of {', '.join(LEVELS)}; without it all.")
    ] = None,
    agent: Annotated[
        list[str] | None, typer.Option(help=f"Only before these of {', '.join(AGENTS)}; without it all.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="A real model in place of the one that obeys: local, or as of `eval run`.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Let a model obey every text of the cases, and say what happened: 0 when every aim is met, 1 when not, 2 for bad input.

    Starts servers of its own; what they hold is gone when it ends. A real model (--model) drives the agents as
    they are shipped, with policy only, and how well it answers is told without an aim.
    """
    from core.settings import load
    from crm.bidi.models import Autonomy
    from evals.redteam.cases import OWN, read_cases, sample
    from evals.redteam.readers import Reader
    from evals.redteam.scores import troubles
    from infra.redteam.running import Plan, report, run

    unknown = next((one for one in level or () if one not in LEVELS), None)
    if unknown is not None:
        fail(f"There is no autonomy level {unknown!r}; there are: {', '.join(LEVELS)}.", BAD_INPUT)
    stranger = next((one for one in agent or () if one not in AGENTS), None)
    if stranger is not None:
        fail(f"There is no agent {stranger!r} here; there are: {', '.join(AGENTS)}.", BAD_INPUT)
    try:
        plan = Plan(
            sample(read_cases(cases or OWN), n, seed),
            [Autonomy(one) for one in level or LEVELS],
            workers,
            model,
            [Reader(one) for one in agent or AGENTS],
        )
        scores = run(plan, load())
    except Unprocessable as err:
        fail(err.detail, BAD_INPUT)
    for line in troubles(scores):
        print(line, file=sys.stderr)
    told, is_met = report(scores, is_own_set=not cases)
    print(json.dumps(told.as_json()) if as_json else "\n".join(told.lines()))
    sys.exit(0 if is_met else 1)
