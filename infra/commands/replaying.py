"""`getsale eval import-decisions | replay | backtest | export-pairs`: what people decided and wrote is the ground truth."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from core.settings import load
from infra.commands.evaluating import BAD_INPUT, quieten
from infra.commands.running import DEMO_SLUG, AsJson, fail, servers

Organization = Annotated[str, typer.Option(help="The slug of the organization whose people decided.")]
Model = Annotated[str, typer.Option(help="offline, local, or a name that OPENAI_BASE_URL knows.")]
Prompts = Annotated[
    list[str] | None, typer.Option(help="NAME=VERSION or NAME=FILE in place of a prompt in force.")
]
Workers = Annotated[int, typer.Option(min=0, max=32, help="Worker processes; 0: this process.")]


def import_decisions(organization: Organization = DEMO_SLUG, as_json: AsJson = False) -> None:
    """Make a case of every approval, edit and rejection of a draft, as rows of the organization that decided."""
    from core.errors import Unprocessable
    from infra.evaluation import past, telling

    quieten()
    try:
        with servers(with_demo=organization == DEMO_SLUG) as settings:
            quieten()
            (run, cases), is_new = asyncio.run(past.import_decisions(settings, organization))
    except Unprocessable as err:
        fail(err.detail, BAD_INPUT)
    told = past.counts(cases)
    if as_json:
        print(json.dumps({"run": str(run.id), "is_new": is_new, **told, "figures": run.figures}, indent=2))
        return
    if not is_new:
        print(f"Nothing was decided since the run {run.id}.", file=sys.stderr)
    print(" ".join(f"{name}={count}" for name, count in told.items()))
    print(telling.lines(run))


def replay(
    model: Model = "",
    prompt: Prompts = None,
    n: Annotated[int | None, typer.Option(min=1, help="A stratified sample of so many decisions.")] = None,
    seed: Annotated[int, typer.Option(help="Chooses the sample.")] = 0,
    workers: Workers = 0,
    organization: Organization = DEMO_SLUG,
    as_json: AsJson = False,
) -> None:
    """Play another model or prompt over what people decided: exit 1 when fewer would go out unedited, by more than chance.

    Nothing is sent: every case is played in a throw-away organization.
    """
    from core.errors import Unprocessable
    from evals.past.standing import side_by_side
    from evals.planning import chosen_prompts
    from infra.evaluation import past, telling

    quieten()
    try:
        prompts = chosen_prompts(prompt or [])
        with servers(with_demo=organization == DEMO_SLUG) as settings:
            quieten()
            before, after = asyncio.run(
                past.replay(
                    settings,
                    organization,
                    model=model or load().agent_model,
                    prompts=prompts,
                    n=n,
                    seed=seed,
                    workers=workers,
                )
            )
    except Unprocessable as err:
        fail(err.detail, BAD_INPUT)
    standing = side_by_side(before[1], after[1])
    if as_json:
        print(json.dumps(telling.standing_as_json(before, after, standing), indent=2, ensure_ascii=False))
    else:
        print(telling.standing_lines(before, after, standing))
    sys.exit(1 if standing.comparison.is_worse else 0)


def backtest(
    place: Annotated[
        Path | None,
        typer.Argument(
            help="An mbox file or a Telegram Desktop export; without it the organization's own talks."
        ),
    ] = None,
    model: Model = "",
    prompt: Prompts = None,
    knowledge: Annotated[
        list[Path] | None,
        typer.Option(help="Markdown that is taken as known all along; else nothing younger is."),
    ] = None,
    me: Annotated[
        str, typer.Option(help="Our address in the mails; default: the one most of them name.")
    ] = "",
    n: Annotated[int | None, typer.Option(min=1, help="A stratified sample of so many answers.")] = None,
    seed: Annotated[int, typer.Option(help="Chooses the sample.")] = 0,
    workers: Workers = 0,
    organization: Annotated[
        str, typer.Option(help="The slug of the organization that keeps the run, and whose talks are read.")
    ] = DEMO_SLUG,
    as_json: AsJson = False,
) -> None:
    """Draft wherever a colleague once answered, knowing only what was known then, and say how often both agree."""
    from core.errors import Unprocessable
    from evals.planning import chosen_prompts
    from infra.evaluation import past, telling

    quieten()
    try:
        prompts = chosen_prompts(prompt or [])
        with servers(with_demo=organization == DEMO_SLUG) as settings:
            quieten()
            cases = asyncio.run(past.points(settings, organization, place, me=me, papers=knowledge or []))
            run, played = asyncio.run(
                past.backtest(
                    settings,
                    organization,
                    cases,
                    model=model or load().agent_model,
                    prompts=prompts,
                    n=n,
                    seed=seed,
                    workers=workers,
                )
            )
    except (Unprocessable, UnicodeDecodeError) as err:
        fail(str(err), BAD_INPUT)
    except OSError as err:
        fail(f"{err.filename or place} cannot be read: {err.strerror}.", BAD_INPUT)
    if as_json:
        print(json.dumps(telling.as_json(run, played), indent=2, ensure_ascii=False))
    else:
        print(telling.backtest_lines(run, played))


def export_pairs(
    file: Annotated[Path, typer.Argument(help="The file to write; for its owner's eyes only.")],
    organization: Organization = DEMO_SLUG,
) -> None:
    """Write what agents drafted and what people made of it as JSON lines, for training; it holds what contacts wrote."""
    from core.errors import Unprocessable
    from evals.past.pairs import write_pairs
    from infra.evaluation import past

    quieten()
    try:
        with servers(with_demo=organization == DEMO_SLUG) as settings:
            quieten()
            cases = asyncio.run(past.read_decisions(settings, organization))
        write_private(file, write_pairs(cases))
    except Unprocessable as err:
        fail(err.detail, BAD_INPUT)
    except OSError as err:
        fail(f"{file} cannot be written: {err.strerror}.", BAD_INPUT)
    print(f"{file} holds {len(cases)} pairs.", file=sys.stderr)


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner reads, also where it was there before and everybody's."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        os.fchmod(descriptor, 0o600)
        opened.write(text)
