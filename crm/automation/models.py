"""Triggers: event -> conditions -> actions, as data."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from events.ids import TriggerId

# What a condition may look at when a message event is evaluated.
FieldName = Literal[
    "message.text", "message.direction", "conversation.channel", "conversation.status", "conversation.holder_kind",
    "contact.language", "contact.is_suppressed",
]  # fmt: skip
Operator = Literal["is", "is_not", "in", "not_in", "contains"]
Value = str | bool | None


class Condition(BaseModel):
    """One comparison; all conditions of a trigger must hold."""

    model_config = ConfigDict(extra="forbid")

    field: FieldName
    operator: Operator
    value: Value | list[Value]


class RunAgent(BaseModel):
    """Ask an AI seat to work on the conversation of the event."""

    model_config = ConfigDict(extra="forbid")

    do: Literal["run_agent"] = "run_agent"
    bidi_id: UUID


class TriggerBody(BaseModel):
    """The stored rule; an action that nothing carries out cannot be written."""

    model_config = ConfigDict(extra="forbid")

    conditions: list[Condition] = []
    actions: list[RunAgent] = Field(min_length=1)


@dataclass(frozen=True)
class Trigger:
    id: TriggerId
    name: str
    event_type: str
    conditions: list[dict[str, object]]
    actions: list[dict[str, object]]
    is_enabled: bool

    @property
    def body(self) -> TriggerBody:
        return TriggerBody.model_validate({"conditions": self.conditions, "actions": self.actions})
