"""What the inbox agent shows a model, and the answers that it takes."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_BODY = 4096

Decision = Literal["answer", "notify", "ignore"]
Reason = Literal[
    "customer_request",
    "missing_knowledge",
    "unsupported_request",
    "policy_restriction",
    "pending_clarification",
]


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class CaseMessage(_Shown):
    """One message of the thread; `n` is its number as evidence."""

    n: int
    author: Literal["contact", "us"]
    text: str
    at: datetime
    files: tuple[str, ...] = ()


class CaseEvidence(_Shown):
    """One thing that a tool returned; `id` is what tools take, `details` holds its values by name."""

    n: int
    kind: str
    id: str
    label: str
    text: str
    trust: str
    details: dict[str, str] = Field(default_factory=dict)


class CaseContact(_Shown):
    id: str
    company_id: str = ""
    name: str
    language: str
    title: str = ""
    company: str = ""


class Case(_Shown):
    """Everything that a model is told; `new_messages` is the burst that waits for an answer."""

    now: datetime
    contact: CaseContact
    new_messages: tuple[CaseMessage, ...]
    history: tuple[CaseMessage, ...] = ()
    evidence: tuple[CaseEvidence, ...] = ()
    feedback: str = ""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class HandOff(_Answer):
    reason: Reason
    summary: str = Field(min_length=1, max_length=600)
    next_step: str = Field(default="", max_length=300)


class TriageAnswer(_Answer):
    decision: Decision
    language: str = Field(pattern=r"^[a-z]{2}$")
    intents: tuple[str, ...] = ()
    hand_off: HandOff | None = None


class Sentence(_Answer):
    """A part of the reply and the numbers of the evidence that it rests on."""

    text: str = Field(min_length=1, max_length=MAX_BODY)
    evidence: tuple[int, ...] = ()
    starts_paragraph: bool = False


class Doubt(_Answer):
    """A value in the reply, and what else is on record about it."""

    value: str = Field(min_length=1, max_length=200)
    text: str = Field(min_length=1, max_length=400)


class DraftAnswer(_Answer):
    """The reply sentence by sentence; `missing` is what no evidence answers, `hand_off` gives up on a draft.

    `doubts` names values of the reply that other evidence contradicts; a person looks at them first.
    """

    language: str = Field(pattern=r"^[a-z]{2}$")
    sentences: tuple[Sentence, ...] = ()
    missing: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    ignored_feedback: bool = False
    hand_off: HandOff | None = None
