"""Errors for callers: each has a code, an HTTP status and fields, and becomes problem+json or a flash."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar


class AppError(Exception):
    """A refusal that the caller can understand: it names the thing and the way out."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    code: ClassVar[str] = "bad_request"

    def __init__(self, detail: str, **fields: str | int) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields: Mapping[str, str | int] = fields


class NotFound(AppError):
    status = HTTPStatus.NOT_FOUND
    code = "not_found"


class Conflict(AppError):
    status = HTTPStatus.CONFLICT
    code = "conflict"


class Stale(AppError):
    """The caller read an older version than the one it wants to change."""

    status = HTTPStatus.PRECONDITION_FAILED
    code = "stale"


class Unprocessable(AppError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "unprocessable"


class Unauthorized(AppError):
    status = HTTPStatus.UNAUTHORIZED
    code = "unauthorized"


class Forbidden(AppError):
    status = HTTPStatus.FORBIDDEN
    code = "forbidden"


class TooLarge(AppError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "too_large"


class UnsupportedMedia(AppError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported_media"


class Limited(AppError):
    """Too many requests; `retry_after_seconds` says when to come back."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "limited"

    def __init__(self, detail: str, *, retry_after_seconds: int) -> None:
        super().__init__(detail, retry_after_seconds=retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(AppError):
    """A server that the request needs does not answer."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "unavailable"
