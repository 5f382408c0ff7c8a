"""Versions over HTTP: an ETag for what is read, 304 for what has not changed, 412 for what was changed meanwhile.

A tag begins with the record's version and ends with a digest of the answer: the first is what `If-Match` compares, the
second what `If-None-Match` does. Source: RFC 9110, sections 8.8.3 and 13.1.
"""

import hashlib
import re
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from core import jsons
from core.errors import Stale, Unprocessable

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_VERSION = re.compile(r"([1-9][0-9]{0,8})(?:-[0-9a-f]+)?")
# Whoever keeps an answer asks whether it still holds, and keeps it for one caller only.
_CACHING = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}


def expected_version(request: Request) -> int | None:
    """The version that `If-Match` names, or None without one.

    Raises: Stale for the tag of something else; Unprocessable for what names no single version.
    """
    header = request.headers.get("If-Match")
    if header is None:
        return None
    tags = _TAG.findall(header)
    if len(tags) != 1 or header.strip() == "*":
        raise Unprocessable(
            "If-Match takes one ETag, as it came with the record that was read.", field="If-Match"
        )
    version = _VERSION.fullmatch(tags[0])
    if version is None:
        raise Stale("If-Match names no version of this record; read it again.")
    return int(version[1])


class VersionedRequest(Request):
    """A request whose JSON body takes its `version` from `If-Match`, so that no route needs to look there."""

    def __init__(self, request: Request, version: int) -> None:
        super().__init__(request.scope, request.receive)
        self._version = version

    async def json(self) -> Any:
        """Raises: HTTPException when body and header name different versions."""
        sent = await super().json()
        if not isinstance(sent, dict):
            return sent
        if sent.get("version", self._version) != self._version:
            # this kind passes through whoever reads the body, and api/errors.py makes a problem of it
            raise HTTPException(422, "If-Match and `version` name different versions; send one of them.")
        return {**sent, "version": self._version}


def version_of(response: Response) -> int | None:
    """The version of the record that an answer shows."""
    version = jsons.loads(bytes(response.body)).get("version") if response.status_code in (200, 201) else None
    return version if isinstance(version, int) else None


def tagged(request: Request, response: Response, version: int | None) -> Response:
    """The answer with its ETag, or 304 without a body when the caller has it already."""
    if response.status_code not in (200, 201) or (request.method != "GET" and version is None):
        return response
    tag = _tag(bytes(response.body), version)
    if request.method == "GET" and _knows(request, tag):
        return Response(status_code=304, headers={"ETag": tag, **_CACHING})
    response.headers["ETag"] = tag
    if request.method == "GET":
        response.headers.update(_CACHING)
    return response


def _tag(body: bytes, version: int | None) -> str:
    digest = hashlib.blake2b(body, digest_size=8).hexdigest()
    return f'"{digest}"' if version is None else f'"{version}-{digest}"'


def _knows(request: Request, tag: str) -> bool:
    header = request.headers.get("If-None-Match", "")
    return header.strip() == "*" or tag.strip('"') in _TAG.findall(header)


async def if_match(request: Request) -> int | None:
    """For a route whose call has no body: the version of the record that the caller has read."""
    return expected_version(request)


IfMatch = Annotated[int | None, Depends(if_match)]
