"""`getsale account`: the accounts that messages come and go over."""

import asyncio
from typing import Annotated

import typer

from infra.commands.running import DEMO_SLUG, servers

app = typer.Typer(no_args_is_help=True, help="The accounts that messages come and go over.")


@app.command("email")
def account_email(
    address: str,
    imap: Annotated[str, typer.Option(help="host, host:port, or tls://, starttls://, plain://host:port.")],
    smtp: Annotated[str, typer.Option(help="The same for sending.")],
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = DEMO_SLUG,
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, help="Asked for when left out.")
    ] = "",
    user: Annotated[str, typer.Option(help="The login; default: the address.")] = "",
    name: Annotated[str, typer.Option(help="What colleagues call it; default: the address.")] = "",
    sender_name: Annotated[str, typer.Option(help="What recipients see before the address.")] = "",
    check: Annotated[bool, typer.Option("--check/--no-check", help="Log in to both servers first.")] = True,
) -> None:
    """Connect a mailbox: it is read over IMAP and sends over SMTP."""
    from crm.channel_accounts.mailboxes import NewMailbox
    from infra import accounts

    new = NewMailbox(
        address,
        accounts.read_server(imap, accounts.IMAP),
        accounts.read_server(smtp, accounts.SMTP),
        password,
        username=user,
        name=name,
        sender_name=sender_name,
    )
    with servers(with_demo=organization == DEMO_SLUG) as settings:
        print(
            f"Connected {address} as {asyncio.run(accounts.connect(settings, organization, new, check=check))}"
        )


@app.command("list")
def account_list(
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = DEMO_SLUG,
) -> None:
    """Show how each account is, and the mails that it could not take in."""
    from infra import accounts

    with servers(with_demo=organization == DEMO_SLUG) as settings:
        print("\n".join(asyncio.run(accounts.describe(settings, organization))) or "No account is connected.")
