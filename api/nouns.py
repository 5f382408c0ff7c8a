"""Routers of the API: what every call gets, whichever noun it is about.

A noun's file makes its router with `Noun(prefix=..., tags=[...])` and says what its operations do; keys, versions,
tags and sparse answers are dealt with here, and `api/document.py` writes them into the OpenAPI document.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from api import answers, cursors, sparse, versions
from core.errors import Unprocessable

Answering = Callable[[Request], Coroutine[Any, Any, Response]]


class Operation(APIRoute):
    """One operation: its answer carries a tag, and is given once for every key."""

    def get_route_handler(self) -> Answering:
        handle, fields = super().get_route_handler(), sparse.fields_of(self.response_model)

        async def answer(request: Request) -> Response:
            try:
                response = await handle(self._expecting(request))
                await answers.keep(request, response)
            except answers.Replay as replay:
                response = replay.response
            if self.is_paged:
                response = cursors.bound(request, response)
            version = versions.version_of(response) if self.shows_version else None
            return versions.tagged(request, sparse.chosen(request, response, fields), version)

        return answer

    @property
    def takes_key(self) -> bool:
        """Whether a repetition of it can name the call that it repeats."""
        return "POST" in (self.methods or ())

    @property
    def is_paged(self) -> bool:
        return "next_cursor" in getattr(self.response_model, "model_fields", {})

    @property
    def shows_version(self) -> bool:
        """Whether its answer is one record with a version."""
        return "version" in getattr(self.response_model, "model_fields", {})

    @property
    def body_takes_version(self) -> bool:
        return any(
            "version" in getattr(parameter.field_info.annotation, "model_fields", {})
            for parameter in self.dependant.body_params
        )

    @property
    def takes_if_match(self) -> bool:
        """Whether it can refuse a lost update by `If-Match`."""
        asked = {dependency.call for dependency in self.dependant.dependencies}
        return self.body_takes_version or versions.if_match in asked

    def _expecting(self, request: Request) -> Request:
        """The request with the version of `If-Match` in its body. Raises: Stale, Unprocessable."""
        if "If-Match" not in request.headers or request.method == "GET":
            return request
        if not self.takes_if_match:
            raise Unprocessable("This operation knows no versions; leave If-Match out.", field="If-Match")
        version = versions.expected_version(request)
        return versions.VersionedRequest(request, version) if version and self.body_takes_version else request


class Noun(APIRouter):
    """The router of one noun under /api/v1."""

    def __init__(self, *, prefix: str = "", tags: list[str]) -> None:
        super().__init__(prefix=prefix, tags=list(tags), route_class=Operation)


class PublicOperation(Operation):
    """One that nobody has to be signed in for: there is no caller under whom an answer could be kept."""

    @property
    def takes_key(self) -> bool:
        return False


class Door(APIRouter):
    """The router of what leads into /api/v1."""

    def __init__(self, *, prefix: str = "", tags: list[str]) -> None:
        super().__init__(prefix=prefix, tags=list(tags), route_class=PublicOperation)
