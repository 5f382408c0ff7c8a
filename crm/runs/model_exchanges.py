"""What went into a call of a language model, and what came out: kept for some days beside the account of the call.

It holds what contacts and colleagues wrote, so it is bounded in size, read by those only who may read the run, and
forgotten by a sweep; what was used and what it cost stays.
"""

from dataclasses import dataclass
from datetime import timedelta

from pydantic import TypeAdapter

from core import clock, jsons
from core.db import Tx
from core.errors import NotFound
from crm.runs import traces
from events import due
from events.ids import ModelCallId, RunId

FORGET = "model_exchange.forget"
_SWEPT_EVERY = timedelta(days=1)
# In characters: of one text, and of all texts of a call together. A page of a book has about two thousand.
LONGEST_TEXT, LONGEST_EXCHANGE = 16_000, 64_000


@dataclass(frozen=True)
class RequestedCall:
    """A tool call as the model wrote it down: `arguments` is text, and may be anything."""

    name: str
    arguments: str


@dataclass(frozen=True)
class ExchangeTurn:
    """One turn. `left_out` counts the characters that its end lost when it was kept."""

    role: str
    text: str
    requests: tuple[RequestedCall, ...] = ()
    left_out: int = 0


@dataclass(frozen=True)
class ModelExchange:
    """`messages` as they were sent, `tools` by name as they were offered, and the `answer` as far as it came."""

    messages: tuple[ExchangeTurn, ...]
    tools: tuple[str, ...]
    answer: ExchangeTurn


_turns = TypeAdapter(tuple[ExchangeTurn, ...])


def bounded(exchange: ModelExchange) -> ModelExchange:
    """The exchange as it is kept: of what is too long the answer, the instructions and the newest turns stay."""
    turns = [exchange.answer, *exchange.messages[:1], *reversed(exchange.messages[1:])]
    left = LONGEST_EXCHANGE
    kept: list[ExchangeTurn] = []
    for turn in turns:
        kept.append(_cut(turn, min(left, LONGEST_TEXT)))
        left -= sum(map(len, _texts(kept[-1])))
    answer, first, newest = kept[0], kept[1:2], kept[2:]
    return ModelExchange((*first, *reversed(newest)), tuple(map(_storable, exchange.tools)), answer)


def _cut(turn: ExchangeTurn, longest: int) -> ExchangeTurn:
    """The turn within so many characters: its text first, then its calls."""
    left = longest
    kept: list[str] = []
    for text in _texts(turn):
        kept.append(_storable(text)[:left])
        left -= len(kept[-1])
    text, *parts = kept
    requests = tuple(RequestedCall(*pair) for pair in zip(parts[::2], parts[1::2], strict=True))
    left_out = turn.left_out + sum(map(len, _texts(turn))) - sum(map(len, kept))
    return ExchangeTurn(turn.role, text, requests, left_out)


def _texts(turn: ExchangeTurn) -> list[str]:
    return [turn.text, *(part for wanted in turn.requests for part in (wanted.name, wanted.arguments))]


def _storable(text: str) -> str:
    """Models write what PostgreSQL does not keep: half a surrogate pair, and the character zero."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def columns_of(exchange: ModelExchange | None) -> dict[str, object]:
    """The exchange as its row holds it; nothing for one that is not kept."""
    if exchange is None:
        return {"messages": None, "answer": None, "tools": None}
    kept = bounded(exchange)
    return {
        "messages": jsons.dumps(kept.messages),
        "answer": jsons.dumps(kept.answer),
        "tools": list(kept.tools),
    }


async def sweep_later(tx: Tx, keep: timedelta) -> None:
    """See to it that what is kept now is forgotten in time."""
    await due.schedule_sweep(tx, FORGET, keep=keep, every=_SWEPT_EVERY)


@dataclass(frozen=True)
class _Row:
    messages: list[dict[str, object]]
    tools: list[str]
    answer: dict[str, object]


async def find_model_exchange(tx: Tx, run_id: RunId, call_id: ModelCallId) -> ModelExchange | None:
    """What was said in a call of a run; None once it is forgotten. Raises: NotFound, Forbidden for the run."""
    await traces.get_run_line(tx, run_id)
    row = await tx.find(
        _Row,
        """
        SELECT x.messages, x.tools, x.answer
          FROM model_exchanges x
          JOIN model_calls c ON (c.organization_id, c.id) = (x.organization_id, x.call_id)
         WHERE x.call_id = %(call_id)s
           AND c.run_id = %(run_id)s
        """,
        call_id=call_id,
        run_id=run_id,
    )
    if row is None:
        return None
    *messages, answer = _turns.validate_python([*row.messages, row.answer])
    return ModelExchange(tuple(messages), tuple(row.tools), answer)


async def get_model_exchange(tx: Tx, run_id: RunId, call_id: ModelCallId) -> ModelExchange:
    """Raises: NotFound, also once it is forgotten; Forbidden."""
    found = await find_model_exchange(tx, run_id, call_id)
    if found is None:
        raise NotFound("What was said in this call is not kept, or no more.")
    return found


async def forget_old_exchanges(tx: Tx, keep: timedelta) -> int:
    """Remove what is past its time; returns how many."""
    return await tx.execute(
        "DELETE FROM model_exchanges WHERE asked_at < %(forgotten_before)s",
        forgotten_before=clock.now() - keep,
    )
