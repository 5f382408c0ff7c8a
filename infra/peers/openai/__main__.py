"""Start the peer: `python -m infra.peers.openai --port 8090`."""

import typer
from aiohttp import web

from infra.peers.openai.app import create_app


def main(host: str = "127.0.0.1", port: int = 8090, key: str = "") -> None:
    """Serve /v1 until SIGINT or SIGTERM; with a key, only for those who know it."""
    print(f"OpenAI peer: http://{host}:{port}/v1", flush=True)
    web.run_app(create_app(key=key), host=host, port=port, print=None, access_log=None, shutdown_timeout=1.0)


if __name__ == "__main__":
    typer.run(main)
