"""The frames that a client may send on `/ws`."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Frame(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Login(_Frame):
    """The first frame, with a ticket of POST /api/v1/ws-tickets."""

    type: Literal["login"]
    ticket: str = Field(max_length=200)


class Subscribe(_Frame):
    """Follow a topic; `after` is the last event that the client knows, and what came since is sent first."""

    type: Literal["subscribe"]
    topic: str = Field(max_length=100)
    after: UUID | None = None


class Unsubscribe(_Frame):
    type: Literal["unsubscribe"]
    topic: str = Field(max_length=100)


class Ping(_Frame):
    type: Literal["ping"]


class Pong(_Frame):
    """The answer to the server's `ping`."""

    type: Literal["pong"]


Frame = Login | Subscribe | Unsubscribe | Ping | Pong
_frames: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="type")])


def parse_frame(text: str) -> Frame:
    """Raises: ValidationError for what is no frame."""
    return _frames.validate_json(text)
