"""`getsale keys`: the keys that secrets at rest are sealed with."""

import asyncio
import base64
import json
import sys
from typing import Annotated

import typer

from infra.commands.running import AsJson, fail, servers

app = typer.Typer(no_args_is_help=True, help="The keys that secrets at rest are sealed with.")


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """Say which key seals how many secrets, and where it comes from."""
    from infra import sealing_keys

    with servers(with_demo=False) as settings:
        lines = asyncio.run(sealing_keys.list_keys(settings))
    print(json.dumps([vars(line) for line in lines]) if as_json else "\n".join(map(str, lines)))


@app.command("rotate")
def rotate(
    key: Annotated[
        str, typer.Option(help="A key of your own, 32 bytes in base64; - reads it from standard input.")
    ] = "",
    to: Annotated[str, typer.Option(help="The id of a key that is here already.")] = "",
) -> None:
    """Seal with a new key and wrap everything with it, while the product runs; again to go on after a kill."""
    from infra import sealing_keys

    given = _given(sys.stdin.readline().strip() if key == "-" else key) if key else None
    with servers(with_demo=False) as settings:
        current, count = asyncio.run(
            sealing_keys.rotate(
                settings, given=given, key_id=to, progress=lambda n: print(n, file=sys.stderr)
            )
        )
    print(f"{current.id.hex()} seals everything; {count} wrapped anew. Keep a copy of {current.source}.")


def _given(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        fail("--key is no base64; `openssl rand -base64 32` makes a key.", 2)


@app.command("drop")
def drop(key_id: str) -> None:
    """Take a key away that seals nothing any more."""
    from infra import sealing_keys

    with servers(with_demo=False) as settings:
        asyncio.run(sealing_keys.drop(settings, key_id))
    print(f"The key {key_id} is gone.")
