"""`getsale search`: the index of the search box."""

import asyncio
import json

import typer

from infra.commands.running import AsJson, servers

app = typer.Typer(no_args_is_help=True, help="The index of the search box, made from the records.")


@app.callback()
def _of_search() -> None:
    """The index of the search box, made from the records."""


@app.command("rebuild")
def rebuild_search(as_json: AsJson = False) -> None:
    """Empty the index of every organization, fill it again, and print how many records can be found."""
    from infra import search_rebuild

    with servers(with_demo=False) as settings:
        found = asyncio.run(search_rebuild.run(settings))
    print(
        json.dumps(found) if as_json else "\n".join(f"{kind}: {count} found" for kind, count in found.items())
    )
