"""What the memory writer shows a model, and the answers that it takes."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class Line(_Shown):
    """One message; `is_new` says that nobody has read it for this before."""

    n: int
    author: Literal["contact", "us"]
    text: str
    at: datetime
    files: tuple[str, ...] = ()
    is_new: bool = True


class Known(_Shown):
    """What is known of the contact already."""

    n: int
    predicate: str
    text: str
    is_confirmed: bool


class OpenPromise(_Shown):
    """What somebody said they would do, and has not done as far as we know; `message` says it."""

    n: int
    message: int
    is_ours: bool
    quote: str
    due_at: datetime


class Talk(_Shown):
    """Everything that a model is told. Times stand in the organization's time zone."""

    contact: str
    lines: tuple[Line, ...]
    known: tuple[Known, ...] = ()
    promises: tuple[OpenPromise, ...] = ()


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class FoundFact(_Answer):
    """What the contact said of themselves or their company. `replaces` is the number of what holds no longer."""

    message: int
    predicate: str = Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")
    text: str = Field(min_length=1, max_length=300)
    confidence: float = Field(0.7, ge=0, le=1)
    replaces: int | None = None
    holds_until: AwareDatetime | None = None


class FoundPromise(_Answer):
    message: int
    quote: str = Field(min_length=1, max_length=500)
    due_at: AwareDatetime


class KeptPromise(_Answer):
    """`message` shows that the promise with this number was kept."""

    promise: int
    message: int


class Found(_Answer):
    facts: list[FoundFact] = Field(default=[], max_length=12)
    promises: list[FoundPromise] = Field(default=[], max_length=6)
    kept: list[KeptPromise] = Field(default=[], max_length=6)
