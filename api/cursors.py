"""Page cursors as callers see them: each is bound to the list, filters, order and organization that it was made for."""

from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import Response

from api.deps import Caller, get_services
from core import crypto
from core.errors import Unprocessable

# What may change from page to page.
_FREE = frozenset({"cursor", "limit", "include", "fields"})
_SEAL_LENGTH = 16
# The last field of a page, and the only one in which a cursor stands; cursors need no escaping.
_BEFORE, _AFTER = b'"next_cursor":"', b'"}'


async def own_cursor(
    request: Request,
    caller: Caller,
    cursor: Annotated[
        str | None, Query(max_length=1000, description="`next_cursor` of the page before.")
    ] = None,
) -> str | None:
    """The position that a cursor stands for. Raises: Unprocessable for one of another list."""
    if cursor is None:
        return None
    seal, _, position = cursor.partition(".")
    if not crypto.same(seal.encode(), _seal(request, position).encode()):
        raise Unprocessable(
            "This page cursor is of another list, filter, order or organization; start from the first page.",
            field="cursor",
        )
    return position


def bound(request: Request, response: Response) -> Response:
    """A page whose cursor, if it has one, leads on in this list only."""
    body = bytes(response.body)
    head, found, position = body.rpartition(_BEFORE)
    if response.status_code != 200 or not found or not position.endswith(_AFTER):
        return response
    seal = _seal(request, position.removesuffix(_AFTER).decode())
    content = b"".join((head, found, seal.encode(), b".", position))
    return Response(content, response.status_code, media_type=response.media_type or "application/json")


def _seal(request: Request, position: str) -> str:
    services = get_services(request)
    organization_id = request.state.caller.principal.organization_id
    asked = sorted(pair for pair in request.query_params.multi_items() if pair[0] not in _FREE)
    said = f"cursor {organization_id} {request.url.path} {asked!r} {position}"
    return crypto.sign(services.settings.secret_key.get_secret_value(), said)[:_SEAL_LENGTH]


Cursor = Annotated[str | None, Depends(own_cursor)]
