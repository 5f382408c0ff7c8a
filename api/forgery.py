"""What tells a request of our own page from one that another site made a browser send."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from core import crypto
from core.errors import Forbidden

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def csrf_token(secret: str, seed: str) -> str:
    """The token of a session's forms and calls, or of a browser's before anybody is signed in."""
    return crypto.sign(secret, f"csrf {seed}")


def refuse_other_sites(connection: HTTPConnection, public_url: str) -> None:
    """Raises: Forbidden when a browser says that another site made it ask."""
    is_ours = connection.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")
    origin = connection.headers.get("Origin")
    if not is_ours or (
        origin is not None and urlsplit(origin).netloc not in _own_hosts(connection, public_url)
    ):
        raise Forbidden("This was sent by another site; open the page here and send it again.")


def _own_hosts(connection: HTTPConnection, public_url: str) -> set[str]:
    public = urlsplit(public_url).netloc
    return {connection.headers.get("Host", ""), *([public] if public else [])}
