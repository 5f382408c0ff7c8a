"""Lets the pages of a chat read an answer while it is being written."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from redis.exceptions import RedisError

from agents.copilot.desk import Desk

# Words that come closer together than this are shown together.
GATHER_SECONDS = 0.03
_log = structlog.get_logger("agents")


class _Speech:
    """An answer as far as it is written; whoever listens gets all of it each time, so that nothing can be missed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._text = ""
        self._has_more = asyncio.Event()

    def add(self, words: str) -> None:
        self._text += words
        # A model that answers in JSON writes nothing that a person reads.
        if not self._text.lstrip().startswith("{"):
            self._has_more.set()

    async def tell(self) -> None:
        """Publish until cancelled: the first words at once."""
        while True:
            await self._has_more.wait()
            self._has_more.clear()
            await _publish(self._desk, self._text)
            await asyncio.sleep(GATHER_SECONDS)


@asynccontextmanager
async def speaking(desk: Desk) -> AsyncIterator[Callable[[str], None]]:
    """Publish the words that are given to the yielded function, inside the block."""
    speech = _Speech(desk)
    telling = asyncio.create_task(speech.tell())
    try:
        yield speech.add
    finally:
        telling.cancel()


async def tell_step(desk: Desk, tool: str) -> None:
    """Say what the copilot looks at now."""
    await _publish(desk, "", step=tool)


async def _publish(desk: Desk, text: str, *, step: str = "") -> None:
    question = desk.thread.question
    message = {"type": "words", "question_id": str(question.id), "text": text, "step": step}
    try:
        await desk.publish(message, about=question.chat_id)
    except RedisError:
        _log.warning("copilot.unheard", run_id=str(desk.ctx.run_id))
