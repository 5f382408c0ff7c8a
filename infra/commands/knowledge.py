"""`getsale knowledge`: the documents of an organization."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.commands.running import DEMO_SLUG, servers

app = typer.Typer(no_args_is_help=True, help="The organization's own documents.")


@app.command("add")
def add_knowledge(
    files: list[Path],
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = DEMO_SLUG,
) -> None:
    """Add PDF, DOCX, Markdown, text or HTML files; a running `getsale up` reads them."""
    from infra import knowledge as documents

    with servers(with_demo=organization == DEMO_SLUG) as settings:
        added = asyncio.run(documents.add(settings, organization, files))
    for each in added:
        print(f"{each.name}: {each.said}", file=sys.stderr if each.is_refused else sys.stdout)
    sys.exit(1 if any(each.is_refused for each in added) else 0)


@app.command("list")
def list_knowledge(
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = DEMO_SLUG,
) -> None:
    """Print every document and how it stands."""
    from infra import knowledge as documents

    with servers(with_demo=organization == DEMO_SLUG) as settings:
        lines = asyncio.run(documents.list_lines(settings, organization))
    print(
        "\n".join(lines)
        if lines
        else "There are no documents yet; add some with `getsale knowledge add FILE`."
    )
