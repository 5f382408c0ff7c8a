"""The cookies of pages: by https no other host, path or plain connection can set or read them."""

from starlette.requests import HTTPConnection
from starlette.responses import Response

from core.settings import Settings

SESSION_COOKIE = "getsale_session"


def named(settings: Settings, name: str) -> str:
    """A cookie's name: by https with the prefix that browsers hold to. Source: RFC 6265bis, section 4.1.3.2."""
    return f"__Host-{name}" if settings.is_https else name


def read(connection: HTTPConnection, settings: Settings, name: str) -> str:
    """A cookie's value, or '' when the browser sent none."""
    return connection.cookies.get(named(settings, name), "")


def write(
    response: Response,
    settings: Settings,
    name: str,
    value: str,
    *,
    max_age: int | None,
    is_strict: bool = False,
) -> None:
    """Give the browser a cookie that scripts cannot read; `max_age` in seconds, None until it is closed."""
    response.set_cookie(
        named(settings, name),
        value,
        max_age=max_age,
        httponly=True,
        samesite="strict" if is_strict else "lax",
        secure=settings.is_https,
    )


def forget(response: Response, settings: Settings, name: str) -> None:
    """A cookie with the prefix goes away only by an answer that names it with all its marks."""
    response.delete_cookie(named(settings, name), httponly=True, samesite="lax", secure=settings.is_https)
