"""Writes down every call of a model, also the ones that failed or were cut off."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from agents.llm.base import LanguageModel, ModelReply, ModelRequest
from crm.runs.model_calls import ModelCall

Write = Callable[[Sequence[ModelCall]], Awaitable[None]]


class Metered:
    """A model and the book in which its calls are entered."""

    def __init__(self, model: LanguageModel, write: Write) -> None:
        self._model = model
        self._write = write

    @property
    def label(self) -> str:
        return self._model.label

    @property
    def context_tokens(self) -> int:
        return self._model.context_tokens

    async def complete(self, request: ModelRequest) -> ModelReply:
        """As the model does. Raises: ModelUnavailable."""
        calls: list[ModelCall] = []

        def record(call: ModelCall) -> None:
            calls.append(call)
            request.record(call)

        try:
            return await self._model.complete(replace(request, record=record))
        finally:
            if calls:
                # Also when we are cancelled: the tokens are spent.
                await asyncio.shield(asyncio.ensure_future(self._write(calls)))
