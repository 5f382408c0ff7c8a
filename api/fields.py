"""Values that every noun of the API shares: text, moments, versions, pages."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Generic, Self, TypeVar

from fastapi import Query, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from api.cursors import Cursor as Cursor  # a field of lists like the others, with a module of its own
from core import clock
from core.errors import UnsupportedMedia
from core.pagination import MAX_PAGE, Page

Item = TypeVar("Item")
# PostgreSQL keeps no NUL in text.
_WITHOUT_NUL = r"^[^\x00]*$"
_FARTHEST = timedelta(days=3660)


def _within_reach(moment: datetime) -> datetime:
    if abs(moment - clock.now()) > _FARTHEST:
        raise ValueError("This lies more than ten years away; choose a nearer time.")
    return moment


Line = Annotated[str, StringConstraints(max_length=200, pattern=_WITHOUT_NUL)]
Text = Annotated[str, StringConstraints(max_length=8192, pattern=_WITHOUT_NUL)]
Moment = Annotated[
    AwareDatetime,
    AfterValidator(_within_reach),
    Field(
        description="A time with its offset, at most ten years away.", examples=["2026-12-01T09:00:00+01:00"]
    ),
]
Version = Annotated[
    int, Field(ge=1, description="The version that was read; an older one is refused with 412.", examples=[1])
]
Custom = Annotated[
    dict[str, JsonValue],
    Field(max_length=100, description="Values of custom fields by their keys; null empties one."),
]
Search = Annotated[str, Query(max_length=100, pattern=_WITHOUT_NUL, description="Keeps what contains this.")]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many to return at most.")]


class In(BaseModel):
    """A body: a name that it does not have is a mistake, not something to pass over."""

    model_config = ConfigDict(extra="forbid")


def example(**values: JsonValue) -> ConfigDict:
    """The configuration of a body with one example for the document."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [values]})


class Out(BaseModel):
    """An answer, filled from a record of the domain."""

    model_config = ConfigDict(from_attributes=True)


class PageOut(Out, Generic[Item]):
    """One page of a list; `next_cursor` leads to the next one and is null on the last."""

    items: list[Item]
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[Any]) -> Self:
        """The page with its records as the API shows them."""
        return cls.model_validate(page)


async def require_json(request: Request) -> None:
    """Raises: UnsupportedMedia for a body that is something else."""
    headers = request.headers
    has_body = headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers
    if has_body and headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMedia("The body must be JSON; send it with Content-Type: application/json.")
