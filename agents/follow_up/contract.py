"""What the follow-up agent shows a model, and the answers that it takes."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_BODY = 2000
Do = Literal["task", "draft", "stage", "next_step"]


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class Line(_Shown):
    """One message of the conversation."""

    n: int
    author: Literal["contact", "us"]
    text: str
    at: datetime
    files: tuple[str, ...] = ()


class DuePromise(_Shown):
    """`message` is the line that says it, if that is among those shown."""

    message: int | None
    is_ours: bool
    quote: str
    made_at: datetime
    due_at: datetime


class StalledDeal(_Shown):
    """`stages` are those that it may move to."""

    name: str
    stage: str
    quiet_days: int
    next_step: str
    stages: tuple[str, ...]


class Occasion(_Shown):
    """Everything that a model is told. Colleagues read `language`; the contact reads `contact_language`."""

    now: datetime
    language: Literal["en", "ru"]
    contact: str
    contact_language: Literal["en", "ru"]
    may_draft: bool
    promise: DuePromise | None = None
    deal: StalledDeal | None = None
    lines: tuple[Line, ...] = ()


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Step(_Answer):
    """`text` is the title of a task, the words of a draft, the name of a stage, or the next step of the deal."""

    do: Do
    text: str = Field(min_length=1, max_length=MAX_BODY)


class Advice(_Answer):
    """Either `settled_by`, the number of the line that shows that the promise was kept, or what to do."""

    settled_by: int | None = None
    title: str = Field("", max_length=200)
    why: str = Field("", max_length=500)
    steps: list[Step] = Field(default=[], max_length=3)
