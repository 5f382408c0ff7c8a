"""What a case finds in its organization before it begins, as data that a line of JSON can hold."""

from datetime import UTC, date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from core.languages import Language
from crm.bidi.models import Autonomy

# A Monday morning. Every case is played then, unless it names another moment.
NOW = datetime(2026, 9, 14, 9, 0, tzinfo=UTC)
About = Literal["contact", "company"]


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Person(_Told):
    """The contact who writes, and where they work."""

    name: str = "Vera Lind"
    title: str = ""
    company: str = ""
    language: Language = "en"
    telegram_id: str = "700000001"


class Statement(_Told):
    """Something that the team knows about the contact or the company; unconfirmed facts are kept in quarantine."""

    text: str
    about: About = "company"
    predicate: str = "says"
    source: str = ""
    is_confirmed: bool = True


class DealAtHand(_Told):
    name: str
    amount_minor: int = 0
    currency: str = "EUR"
    stage: str = ""
    next_step: str = ""
    close_date: date | None = None


class Said(_Told):
    """A message of the talk so far; `minutes_ago` counts back from the case's moment."""

    by: Literal["contact", "us"]
    text: str
    minutes_ago: int = Field(default=24 * 60, ge=0)


class Paper(_Told):
    """A document of the organization, as Markdown."""

    name: str
    text: str
    is_publishable: bool = True


class Acquaintance(_Told):
    """Somebody whom the contact knows, and whom a colleague of ours knows as well."""

    name: str
    title: str = ""
    strength: float = Field(default=0.6, ge=0, le=1)


class Seat(_Told):
    """The AI seat at work."""

    name: str = "Mira"
    agent: str = "inbox"
    autonomy: Autonomy = Autonomy.SUGGEST
    persona: str = "Warm, brief and exact. Answers the question first."


class Scene(_Told):
    """The organization of one case. Everything has a default: an empty scene is a contact nobody knows."""

    contact: Person = Person()
    facts: tuple[Statement, ...] = ()
    deals: tuple[DealAtHand, ...] = ()
    notes: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    documents: tuple[Paper, ...] = ()
    acquaintances: tuple[Acquaintance, ...] = ()
    history: tuple[Said, ...] = ()
    seat: Seat = Seat()
    now: datetime = NOW
