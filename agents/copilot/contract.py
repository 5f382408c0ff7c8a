"""What the copilot shows a model, and the form of what tools return to it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class Person(_Shown):
    """Who asks; `member_id` is what assignee_id, owner_id and member_id take."""

    name: str
    member_id: UUID
    role: str


class Seen(_Shown):
    """What the colleague looks at while asking; for a conversation `contact_id` is whom it is with."""

    kind: str
    id: UUID
    name: str
    contact_id: UUID | None = None


class Question(_Shown):
    """The question with everything that it may mean: "me", "today", "this deal"."""

    question: str
    asked_by: Person
    now: datetime
    time_zone: str
    language: Literal["en", "ru"]
    looking_at: Seen | None = None


class Returned(_Shown):
    """What became of a tool call. In `result` everything that can be cited has its number, `n`."""

    status: str
    result: JsonValue = None
    error: str = ""
