"""The other side of a webhook: a real server that keeps what it is sent and answers as it is told."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response
from standardwebhooks import Webhook

from core import jsons
from tests.support.site import running_app
from tests.support.until import until


@dataclass(frozen=True)
class Received:
    """One call as it came in."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def said(self) -> dict[str, Any]:
        said: dict[str, Any] = jsons.loads(self.body)
        return said

    def verify(self, secret: str) -> None:
        """Raises: WebhookVerificationError, as it does for whoever follows Standard Webhooks."""
        Webhook(secret).verify(self.body, dict(self.headers))


@dataclass
class Receiver:
    """`answers` are given in turn, the last one from then on: a status, or None for silence."""

    address: str = ""
    received: list[Received] = field(default_factory=list)
    answers: deque[int | None] = field(default_factory=lambda: deque([200]))
    headers: dict[str, str] = field(default_factory=dict)
    text: str = "thanks"

    @property
    def url(self) -> str:
        return f"{self.address}/hooks"

    async def take(self, request: Request) -> Response:
        self.received.append(Received(dict(request.headers), await request.body()))
        status = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        if status is None:
            await asyncio.sleep(30)
        return Response(self.text, status or 200, headers=self.headers)

    async def wait_for(self, event_type: str, seconds: float = 30) -> list[Received]:
        async def found() -> list[Received]:
            return [one for one in self.received if one.said["type"] == event_type]

        return await until(found, seconds)


@asynccontextmanager
async def running_receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = FastAPI()
    app.add_api_route("/hooks", receiver.take, methods=["POST"])
    async with running_app(app) as address:
        receiver.address = address
        yield receiver
