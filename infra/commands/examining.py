"""Looking at the product: its tools, its speed, its health, its API."""

import asyncio
import importlib
import inspect
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from core.settings import load
from infra.commands.running import AsJson, fail


def tools(as_json: AsJson = False) -> None:
    """List the tools that agents may be given."""
    from tools.registry import TOOLS, describe

    if as_json:
        print(json.dumps([describe(tool) for tool in TOOLS], indent=2, ensure_ascii=False))
        return
    for tool in TOOLS:
        print(f"{tool.name:<28} {tool.risk:<9} {tool.scope:<22} {tool.description.splitlines()[0]}")


def bench(
    name: str,
    paths: Annotated[list[Path] | None, typer.Argument(help="The data, for a bench that reads some.")] = None,
    as_json: AsJson = False,
    scale: Annotated[
        float | None,
        typer.Option(min=0.001, max=1.0, help="A share of the data, for a bench that makes some."),
    ] = None,
) -> None:
    """Measure one part of the product and print the figures; `dedupe` prints its pairs, and the figures on stderr."""
    known = sorted(file.stem for file in Path(__file__).parent.parent.joinpath("bench").glob("[a-z]*.py"))
    if name not in known:
        fail(f"There is no bench {name}; there are: {', '.join(known) or 'none'}.", 2)
    module = importlib.import_module(f"infra.bench.{name}")
    given = paths or []
    parameters = inspect.signature(module.run).parameters
    wanted = [parameter for name, parameter in parameters.items() if name != "scale"]
    if scale is not None and "scale" not in parameters:
        fail(f"The bench {name} makes no data to be scaled.", 2)
    least = sum(parameter.default is parameter.empty for parameter in wanted)
    if not least <= len(given) <= len(wanted):
        fail(f"The bench {name} {'needs a path to its data' if wanted else 'reads no data'}.", 2)
    for path in given:
        if not path.exists():
            fail(f"{path} does not exist.", 2)
    report = module.run(*given, **({} if scale is None else {"scale": scale}))
    out = sys.stderr if getattr(module, "PRINTS_DATA", False) else sys.stdout
    print(json.dumps(report.as_json()) if as_json else "\n".join(report.lines()), file=out)


def doctor(as_json: AsJson = False) -> None:
    """Name what is missing or wrong on this machine, and each one's fix."""
    from infra import doctor as examination

    findings = asyncio.run(examination.examine(load()))
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        print("\n".join(str(finding) for finding in findings))
    sys.exit(0 if all(finding.is_fine for finding in findings) else 1)


def openapi() -> None:
    """Print the API's OpenAPI document."""
    from api.main import create_app

    print(json.dumps(create_app().openapi(), indent=2, ensure_ascii=False))
