"""`getsale privacy`: what has to be done for people's privacy by whoever runs the product."""

import asyncio
import json
import sys
from typing import Annotated

import typer

from infra.commands.running import AsJson, servers

app = typer.Typer(no_args_is_help=True, help="Erasures of people.")


@app.callback()
def _of_privacy() -> None:
    """Erasures of people."""


@app.command("reapply")
def reapply(
    organization: Annotated[str, typer.Option(help="The organization's slug; default: every one.")] = "",
    as_json: AsJson = False,
) -> None:
    """Erase once more, after a backup was restored, whoever was erased since it was made.

    Takes the journal beside the anchors of the audit; run it before the product is started. Ends with 1 when
    something is left.
    """
    from infra import privacy

    with servers(with_demo=False) as settings:
        told = asyncio.run(privacy.reapply(settings, organization))
    print(json.dumps([one.to_json() for one in told]) if as_json else "\n".join(map(str, told)))
    if any(one.left_over for one in told):
        sys.exit(1)
