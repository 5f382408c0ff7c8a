"""Start the peer: `python -m infra.peers.oidc --port 8091`."""

import typer
from aiohttp import web

from infra.peers.oidc.app import create_app


def main(host: str = "127.0.0.1", port: int = 8091) -> None:
    """Serve until SIGINT or SIGTERM; a client is whoever comes with an id, its secret is `secret`."""
    issuer = f"http://{host}:{port}"
    print(f"OpenID Connect peer: {issuer}", flush=True)
    web.run_app(create_app(issuer), host=host, port=port, print=None, access_log=None, shutdown_timeout=1.0)


if __name__ == "__main__":
    typer.run(main)
