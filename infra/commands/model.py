"""`getsale model`: the language models that agents ask."""

import asyncio
import sys
from typing import Annotated

import typer

from infra.commands.running import DEMO_SLUG, fail, servers

app = typer.Typer(no_args_is_help=True, help="The language models that agents ask.")


@app.command("add")
def add_model(
    name: Annotated[str, typer.Argument(help="What the organization calls it; an existing one is changed.")],
    base_url: Annotated[
        str, typer.Option(help="An OpenAI-compatible address, as https://api.example.com/v1.")
    ],
    model: Annotated[str, typer.Option(help="What the endpoint calls it.")],
    key: Annotated[str, typer.Option(help="The endpoint's key; - reads it from standard input.")] = "",
    tool_choice: Annotated[
        str, typer.Option(help="native, or structured for models bad at tool calls.")
    ] = "native",
    small: Annotated[
        bool, typer.Option("--small", help="Brief prompts, for models of few billion weights.")
    ] = False,
    context_tokens: Annotated[int, typer.Option(help="How much fits into one call.")] = 32_768,
    output_tokens: Annotated[int, typer.Option(help="The longest answer; 0 leaves it to the endpoint.")] = 0,
    price_in: Annotated[str, typer.Option(help="USD per million tokens in.")] = "0",
    price_out: Annotated[str, typer.Option(help="USD per million tokens out.")] = "0",
    fallback: Annotated[str, typer.Option(help="The model to ask when this one does not answer.")] = "",
    default: Annotated[
        bool, typer.Option("--default", help="For every seat without one of its own.")
    ] = False,
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = DEMO_SLUG,
) -> None:
    """Set up a language model for an organization."""
    from crm.language_models.models import NewLanguageModel, ToolChoice
    from infra import models

    if tool_choice not in set(ToolChoice):
        fail(f"--tool-choice {tool_choice} is not one of {', '.join(ToolChoice)}.", 2)
    new = NewLanguageModel(
        name=name,
        base_url=base_url,
        model=model,
        api_key=sys.stdin.readline().strip() if key == "-" else key,
        tool_choice=ToolChoice(tool_choice),
        is_small=small,
        context_tokens=context_tokens,
        output_tokens=output_tokens,
        price_in_usd_micros=models.usd_micros(price_in, "--price-in"),
        price_out_usd_micros=models.usd_micros(price_out, "--price-out"),
        fallback=fallback,
        is_default=default,
    )
    with servers(with_demo=organization == DEMO_SLUG) as settings:
        print(asyncio.run(models.add(models.Desk(settings, organization), new)))


@app.command("list")
def list_models(
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = DEMO_SLUG,
) -> None:
    """Print the models of an organization, and which one each agent uses."""
    from infra import models

    with servers(with_demo=organization == DEMO_SLUG) as settings:
        print("\n".join(asyncio.run(models.list_lines(models.Desk(settings, organization)))))


@app.command("test")
def ask_model(
    name: Annotated[str | None, typer.Argument(help="Default: the one that agents use.")] = None,
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = DEMO_SLUG,
) -> None:
    """Ask a model for one word, and say how it did."""
    from infra import models

    with servers(with_demo=organization == DEMO_SLUG) as settings:
        print(asyncio.run(models.test(models.Desk(settings, organization), name)))


@app.command("assign")
def assign_model(
    seat: Annotated[str, typer.Argument(help="The agent's name.")],
    name: Annotated[str | None, typer.Argument(help="Left out: the organization's model again.")] = None,
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = DEMO_SLUG,
) -> None:
    """Let one agent use a model of its own."""
    from infra import models

    with servers(with_demo=organization == DEMO_SLUG) as settings:
        print(asyncio.run(models.assign(models.Desk(settings, organization), seat, name)))


@app.command("remove")
def remove_model(
    name: str, organization: Annotated[str, typer.Option(help="The organization's slug.")] = DEMO_SLUG
) -> None:
    """Take a model away that no agent uses and no other model falls back to."""
    from infra import models

    with servers(with_demo=organization == DEMO_SLUG) as settings:
        print(asyncio.run(models.remove(models.Desk(settings, organization), name)))


@app.command("fetch")
def fetch_model() -> None:
    """Fetch the small model of `getsale up --local-model`; a broken fetch goes on where it ended."""
    from infra.local_model.fetch import fetch

    print(fetch().weights)
