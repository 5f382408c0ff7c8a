"""A second model that answers when the first one cannot."""

import asyncio
from dataclasses import replace
from time import monotonic

import structlog

from agents.llm.base import LanguageModel, ModelReply, ModelRequest, ModelUnavailable

# A first model that hangs must leave the second one time enough.
FIRST_SHARE = 0.6

_log = structlog.get_logger("agents")


class WithFallback:
    """Made for one run: once it has fallen back it stays there, and its label says who answered."""

    def __init__(self, first: LanguageModel, second: LanguageModel) -> None:
        self._first = first
        self._second = second
        self._has_fallen_back = False

    @property
    def label(self) -> str:
        return (
            f"{self._second.label}, in place of {self._first.label}"
            if self._has_fallen_back
            else self._first.label
        )

    @property
    def context_tokens(self) -> int:
        return min(self._first.context_tokens, self._second.context_tokens)

    async def complete(self, request: ModelRequest) -> ModelReply:
        """The first model's answer, else the second one's. Raises: ModelUnavailable when neither answers."""
        started = monotonic()
        if not self._has_fallen_back:
            first = replace(request, seconds=request.seconds * FIRST_SHARE)
            try:
                async with asyncio.timeout(first.seconds):
                    return await self._first.complete(first)
            except (ModelUnavailable, TimeoutError) as err:
                reason = str(err) or f"no answer within {first.seconds:.0f} seconds"
                _log.warning(
                    "model.fell_back", first=self._first.label, second=self._second.label, reason=reason
                )
                self._has_fallen_back = True
        left = max(request.seconds - (monotonic() - started), 0.01)
        return await self._second.complete(replace(request, seconds=left))
