"""`getsale graph`: the relationship graph."""

import asyncio
import json
import sys

import typer

from infra.commands.running import AsJson, servers

app = typer.Typer(no_args_is_help=True, help="The relationship graph, a projection of the facts.")


@app.command("rebuild")
def rebuild_graph(as_json: AsJson = False) -> None:
    """Drop the graphs, build them again from the facts, and print how many differences are left."""
    from infra import graph_rebuild

    with servers(with_demo=False) as settings:
        left = asyncio.run(graph_rebuild.run(settings))
    print(
        json.dumps(left)
        if as_json
        else "\n".join(f"{name}: {count} differences" for name, count in left.items())
    )
    sys.exit(1 if any(left.values()) else 0)
