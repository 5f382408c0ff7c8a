"""The parts of a Telegram Desktop export that are read; everything else in it is passed over.

Source: the JSON writer of Telegram Desktop, `export_output_json.cpp`, as its exports show.
"""

from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _text(value: object) -> str:
    """A string without what PostgreSQL cannot hold; null is empty."""
    return "" if value is None else str(value).replace("\0", "").encode(errors="replace").decode()


def _plain(value: object) -> str:
    """A text is a string, or a list of strings and of marked-up pieces."""
    if not isinstance(value, list):
        return _text(value)
    return "".join(_piece(piece) for piece in value)


def _piece(piece: object) -> str:
    if not isinstance(piece, dict):
        return _text(piece)
    text, link = _text(piece.get("text")), _text(piece.get("href"))
    return f"{text} ({link})" if piece.get("type") == "text_link" and link else text


Text = Annotated[str, BeforeValidator(_text)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class _Person(_Part):
    first_name: Text = ""
    last_name: Text = ""
    phone_number: Text = ""

    @property
    def name(self) -> str:
        return " ".join(f"{self.first_name} {self.last_name}".split())[:128]


class Owner(_Person):
    """Whose export it is."""

    user_id: Text = ""
    username: Text = ""


class Contact(_Person):
    """An entry of the address book; older exports say which account it is."""

    user_id: Text = ""


class _Location(_Part):
    latitude: float
    longitude: float


class _Poll(_Part):
    question: Annotated[str, BeforeValidator(_plain)] = ""


class Message(_Part):
    """One message, or a service line such as a call."""

    id: int
    type: str
    date: datetime
    date_unixtime: int | None = None
    from_id: Text = ""
    plain_text: Annotated[str, BeforeValidator(_plain)] = Field("", alias="text")
    forwarded_from: str | None = None
    file: Text = ""
    file_name: Text = ""
    file_size: int = 0
    photo: Text = ""
    photo_file_size: int = 0
    mime_type: Text = ""
    media_type: Text = ""
    duration_seconds: int = 0
    sticker_emoji: Text = ""
    contact_information: _Person | None = None
    location_information: _Location | None = None
    poll: _Poll | None = None

    def at(self, zone: tzinfo) -> datetime:
        """When it was written; `zone` is taken for exports that name a local time only."""
        if self.date_unixtime is not None:
            return datetime.fromtimestamp(self.date_unixtime, UTC)
        return (self.date if self.date.tzinfo else self.date.replace(tzinfo=zone)).astimezone(UTC)


class Chat(_Part):
    """One chat; its messages are checked one by one, so that a strange one does not hide the others."""

    id: Text
    type: str
    name: Text = ""
    messages: list[Any] = []
