"""`fields`: an answer with some of its fields only. It has a media type of its own, for it is not the whole record."""

from typing import Any, get_args, get_origin

from fastapi import Request
from fastapi.responses import Response

from core import jsons
from core.errors import Unprocessable

MEDIA_TYPE = "application/vnd.getsale.sparse+json"


def fields_of(answer: Any) -> frozenset[str]:
    """The fields that can be chosen of an answer: a record's, or those of the records of a list."""
    fields = getattr(answer, "model_fields", {})
    if "next_cursor" in fields:
        return fields_of(fields["items"].annotation)
    if get_origin(answer) is list:
        return fields_of(get_args(answer)[0])
    return frozenset(fields)


def chosen(request: Request, response: Response, possible: frozenset[str]) -> Response:
    """The answer with what `fields` names. Raises: Unprocessable for a field that is not there."""
    wanted = [name for name in request.query_params.get("fields", "").split(",") if name]
    if request.method != "GET" or not wanted or not possible or response.status_code != 200:
        return response
    for name in wanted:
        if name not in possible:
            raise Unprocessable(
                f"There is no field {name[:100]!r}; there is {', '.join(sorted(possible))}.", field="fields"
            )
    content = jsons.dump_bytes(_cut(jsons.loads(bytes(response.body)), frozenset(wanted)))
    return Response(content, media_type=MEDIA_TYPE)


def _cut(answer: Any, wanted: frozenset[str]) -> Any:
    if isinstance(answer, list):
        return [_cut(one, wanted) for one in answer]
    if answer.keys() == {"items", "next_cursor"}:
        return {**answer, "items": _cut(answer["items"], wanted)}
    return {name: value for name, value in answer.items() if name in wanted}
