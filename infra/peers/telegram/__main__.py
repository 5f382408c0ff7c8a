"""Start the peer: `python -m infra.peers.telegram --port 8081 --token 1000001:demo-abcdef`."""

from pathlib import Path
from typing import Annotated

import typer
from aiohttp import web

from infra.peers.mail.person import MailPerson
from infra.peers.telegram.app import create_app

# The prospect of the demo, whom it knows in Telegram too.
_VERA = "vera@lindlogistics.example"


def main(
    host: str = "127.0.0.1",
    port: int = 8081,
    data: Annotated[Path | None, typer.Option(help="Keep chats here.")] = None,
    token: Annotated[str, typer.Option(help="The bot whose page / opens.")] = "",
    bot_name: str = "Norrwick",
    inbox_url: Annotated[str, typer.Option(help="Linked from the page.")] = "",
    smtp_port: Annotated[int, typer.Option(help="Where the prospect's mails go; 0 for no mail.")] = 0,
    imap_port: Annotated[int, typer.Option(help="Where the prospect's mailbox is read.")] = 0,
    mail_to: Annotated[str, typer.Option(help="Whom the prospect writes to by mail.")] = "",
) -> None:
    """Serve the Bot API and the prospect's page until SIGINT or SIGTERM."""
    mail = MailPerson(_VERA, "Vera Lind", mail_to, smtp_port, imap_port) if smtp_port else None
    app = create_app(data=data, bot_name=bot_name, token=token, inbox_url=inbox_url, mail=mail)
    print(f"Bot API peer: http://{host}:{port}", flush=True)
    web.run_app(app, host=host, port=port, print=None, access_log=None, shutdown_timeout=1.0)


if __name__ == "__main__":
    typer.run(main)
