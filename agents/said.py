"""What a tool that reads a conversation returns, as far as agents need it."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class SaidMessage(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    id: UUID
    direction: str
    status: str
    text: str
    occurred_at: datetime
    files: tuple[str, ...] = ()


class SaidMessages(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    messages: tuple[SaidMessage, ...] = ()
