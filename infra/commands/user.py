"""`getsale user`: the people who may sign in, and their keys."""

import asyncio
from typing import Annotated

import typer

from infra.commands.running import DEMO_SLUG, servers

app = typer.Typer(no_args_is_help=True, help="The people who may sign in.")


@app.command("add")
def add_user(
    email: str,
    name: Annotated[str, typer.Option(help="As colleagues see it.")] = "",
    role: Annotated[str, typer.Option(help="owner, admin, supervisor, bidi or viewer.")] = "bidi",
    organization: Annotated[str, typer.Option(help="The slug; made if it is new.")] = DEMO_SLUG,
    locale: Annotated[str, typer.Option(help="en or ru.")] = "en",
    password: Annotated[str, typer.Option(help="Made up and printed when left out.")] = "",
) -> None:
    """Let a person sign in."""
    from infra import users

    wanted = users.NewUser(email, name or email.partition("@")[0], role, organization, locale, password)
    with servers(with_demo=False) as settings:
        print(f"Login {email} {asyncio.run(users.add(settings, wanted))}")


@app.command("key")
def add_key(
    email: str,
    organization: Annotated[str, typer.Option(help="The slug; default: the person's first one.")] = "",
    name: Annotated[str, typer.Option(help="What the key is for.")] = "",
    scope: Annotated[
        list[str] | None, typer.Option(help="What it may do at most, such as contacts:read; may be repeated.")
    ] = None,
    days: Annotated[int, typer.Option(min=0, help="How long it is good; 0: until it is revoked.")] = 0,
) -> None:
    """Print a new API key that acts as this person; it cannot be shown again."""
    from infra import keys

    wanted = keys.Wanted(name, scope or (), days)
    with servers(with_demo=False) as settings:
        print(asyncio.run(keys.add(settings, email, organization, wanted)))


@app.command("keys")
def list_keys(
    email: str,
    organization: Annotated[str, typer.Option(help="The slug; default: the person's first one.")] = "",
) -> None:
    """List a person's API keys."""
    from infra import keys

    with servers(with_demo=False) as settings:
        print("\n".join(asyncio.run(keys.list_lines(settings, email, organization))) or "There is none.")


@app.command("revoke-key")
def revoke_key(key_id: str) -> None:
    """Shut an API key off at once; `getsale user keys EMAIL` shows the ids."""
    from infra import keys

    with servers(with_demo=False) as settings:
        asyncio.run(keys.revoke(settings, key_id))
    print(f"The key {key_id} is revoked.")
