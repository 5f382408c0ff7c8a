"""`getsale audit`: whether the record of what was done is as it was written."""

import asyncio
import json
import sys
from typing import Annotated

import typer

from infra.commands.running import AsJson, servers

app = typer.Typer(no_args_is_help=True, help="The record of what was done, and by whom.")


@app.callback()
def _of_audit() -> None:
    """The record of what was done, and by whom."""


@app.command("verify")
def verify(
    organization: Annotated[str, typer.Option(help="The organization's slug; default: every one.")] = "",
    as_json: AsJson = False,
) -> None:
    """Walk the chain of events and compare it with its anchors; name the first broken place, if any.

    Ends with 1 when something was changed, taken away or put in.
    """
    from infra import auditing

    with servers(with_demo=False) as settings:
        found = asyncio.run(auditing.verify(settings, organization))
    print(json.dumps([one.to_json() for one in found]) if as_json else "\n".join(map(str, found)))
    if any(one.verdict.broken for one in found):
        sys.exit(1)
