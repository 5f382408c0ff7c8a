"""`getsale eval judge`: a language model judges a run that was kept."""

import asyncio
import json
import sys
from typing import Annotated
from uuid import UUID

import typer

from infra.commands.evaluating import BAD_INPUT, Organization, quieten
from infra.commands.running import AsJson, fail, servers


def judge(
    run: UUID,
    judge: Annotated[str, typer.Option(help="The judge: local, or a name that OPENAI_BASE_URL knows.")],
    metric: Annotated[
        list[str] | None, typer.Option(help="faithfulness, answer_relevancy, ...; all, if none is named.")
    ] = None,
    n: Annotated[
        int | None, typer.Option(min=1, help="So many cases of the run, chosen by the seed.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Chooses the cases, and is given to the judge.")] = 0,
    organization: Organization = "evaluations",
    as_json: AsJson = False,
) -> None:
    """Have a language model judge a run by the metrics of ragas; exit 1 when the judge failed on any case."""
    from core.errors import NotFound, Unprocessable
    from evals.judging.judge import JudgeFailed
    from evals.judging.passing import known_metrics
    from infra.evaluation import telling
    from infra.evaluation.judging import judge_run

    quieten()
    try:
        metrics = known_metrics(metric or [])
        with servers(with_demo=False) as settings:
            quieten()
            judging = asyncio.run(
                judge_run(settings, organization, run, judge=judge, metrics=metrics, n=n, seed=seed)
            )
    except (NotFound, Unprocessable) as err:
        fail(err.detail, BAD_INPUT)
    except JudgeFailed as err:
        fail(str(err))
    told = telling.judging_as_json(judging)
    print(json.dumps(told, indent=2, ensure_ascii=False) if as_json else telling.judging_lines(judging))
    sys.exit(0 if judging.is_passed else 1)
