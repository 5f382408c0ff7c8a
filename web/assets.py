"""Static files under an address that carries a hash of their content, so that browsers keep them for good."""

import hashlib
from functools import lru_cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"


@lru_cache
def version() -> str:
    """Hash over every static file; style sheets refer to their neighbours, so one hash covers all."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def url(path: str) -> str:
    """The address of a static file."""
    return f"/static/{version()}/{path}"


class HashedStatic(StaticFiles):
    """Serves `/static/<hash>/<path>`; only the current hash may be kept."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        asked, _, rest = path.partition("/")
        response = await super().get_response(rest, scope)
        is_current = asked == version() and response.status_code == 200
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if is_current else "no-cache"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
