"""What every answer tells a browser: whatever it is, it is no page of another site and runs nothing of theirs."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Source: OWASP HTTP Headers Cheat Sheet. What is no page loads nothing at all; pages say in web/security.py what they do.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), midi=(), "
        "display-capture=(), publickey-credentials-get=(), browsing-topics=()"
    ),
    "Cache-Control": "no-store",
}
# A year, as the preload lists want it; told over https only, where it means something.
HSTS = "max-age=31536000; includeSubDomains"


def headers_of(*, is_https: bool) -> dict[str, str]:
    return {**HEADERS, **({"Strict-Transport-Security": HSTS} if is_https else {})}


class AnswerHeaders:
    """Adds them to whatever answers; what an answer says itself stays."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        self._headers = headers_of(is_https=is_https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, add if scope["type"] == "http" else send)
