"""The parts of a Bot API update that inbound code reads, checked at the edge.

Source: https://core.telegram.org/bots/api#update. Unknown fields are kept aside, not refused: Telegram adds
some every month.
"""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _storable(value: object) -> object:
    """PostgreSQL takes neither NUL nor half of a surrogate pair, and JSON can carry both."""
    if not isinstance(value, str):
        return value
    return value.replace("\x00", "").encode("utf-8", "replace").decode()


Text = Annotated[str, BeforeValidator(_storable)]
Id = Annotated[
    int, Field(strict=True, gt=-(2**53), lt=2**53)
]  # Telegram promises at most 52 significant bits
UnixSeconds = Annotated[int, Field(strict=True, gt=0, lt=2**35)]
Count = Annotated[int, Field(strict=True, ge=0, lt=2**53)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow")

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        """Recordings made from other programs' objects spell missing fields as null."""
        if not isinstance(value, dict):
            return value
        return {name: part for name, part in value.items() if part is not None}


class Chat(_Part):
    id: Id
    type: Text


class User(_Part):
    id: Id
    is_bot: bool = False
    first_name: Text = ""
    last_name: Text = ""
    username: Text = ""
    language_code: Text = ""


class File(_Part):
    file_id: Text = Field(min_length=1)
    file_size: Count = 0
    file_name: Text = ""
    mime_type: Text = ""
    duration: Count = 0


class PhotoSize(_Part):
    file_id: Text = Field(min_length=1)
    file_size: Count = 0
    width: Count = 0
    height: Count = 0


class Sticker(_Part):
    emoji: Text = ""


class SharedContact(_Part):
    phone_number: Text
    first_name: Text = ""
    last_name: Text = ""
    user_id: Id | None = None


class Location(_Part):
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class Venue(_Part):
    title: Text = ""
    address: Text = ""


class PollOption(_Part):
    text: Text = ""


class Poll(_Part):
    question: Text = ""
    options: list[PollOption] = []


class Dice(_Part):
    emoji: Text = ""
    value: Count = 0


class Message(_Part):
    message_id: Id
    date: UnixSeconds
    edit_date: UnixSeconds | None = None
    chat: Chat
    from_: User = Field(alias="from")
    text: Text = ""
    caption: Text = ""
    photo: list[PhotoSize] = []
    document: File | None = None
    voice: File | None = None
    audio: File | None = None
    video: File | None = None
    video_note: File | None = None
    animation: File | None = None
    sticker: Sticker | None = None
    contact: SharedContact | None = None
    location: Location | None = None
    venue: Venue | None = None
    poll: Poll | None = None
    dice: Dice | None = None

    def unknown_parts(self) -> list[str]:
        """Names of the fields that this model does not know, in the order in which they came."""
        return list(self.model_extra or {})


class Update(_Part):
    update_id: Annotated[int, Field(strict=True, ge=0, lt=2**53)]
