"""The record of what a run called: one row per (run, call key), which makes a call happen once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core import clock, jsons
from core.db import Tx
from core.ids import uuid7
from events.ids import BidiId, RunId


@dataclass(frozen=True)
class ToolCall:
    """One recorded call. `result` is what the tool returned; `error` the text for the model, with its `code`."""

    id: UUID
    run_id: RunId
    call_key: str
    tool: str
    arguments: Any
    decision: str
    is_tainted: bool
    status: str
    result: Any
    error: str


@dataclass(frozen=True)
class NewToolCall:
    run_id: RunId
    call_key: str
    tool: str
    risk: str
    arguments: object
    decision: str
    is_tainted: bool


def turn_of(run_id: RunId) -> str:
    """The name under which the calls of a run take turns."""
    return f"tool_calls {run_id}"


async def take_turn(tx: Tx, run_id: RunId) -> None:
    """Wait until no other call of this run is being decided or recorded; held until the transaction ends."""
    # Not the run's row: whoever cancels a run locks the conversation first and the row after, as tools may not.
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended(%(turn)s, 0))", turn=turn_of(run_id))


async def is_held(tx: Tx, run_id: RunId, fence: int) -> bool:
    """Whether the run is still running under this fence, at this moment."""
    found = await tx.value(
        "SELECT 1 FROM runs WHERE id = %(run_id)s AND fence = %(fence)s AND status = 'running'",
        run_id=run_id,
        fence=fence,
    )
    return found is not None


async def find_tool_call(tx: Tx, run_id: RunId, call_key: str) -> ToolCall | None:
    """What was recorded under this key, or None."""
    return await tx.find(
        ToolCall,
        """
        SELECT id, run_id, call_key, tool, arguments, decision, is_tainted, status, result, error
          FROM tool_calls
         WHERE run_id = %(run_id)s
           AND call_key = %(call_key)s
        """,
        run_id=run_id,
        call_key=call_key,
    )


async def list_tool_calls(tx: Tx, run_id: RunId) -> list[ToolCall]:
    """Every call of a run, in order."""
    return await tx.all(
        ToolCall,
        """
        SELECT id, run_id, call_key, tool, arguments, decision, is_tainted, status, result, error
          FROM tool_calls
         WHERE run_id = %(run_id)s
         ORDER BY started_at, id
        """,
        run_id=run_id,
    )


async def count_tool_calls(tx: Tx, run_id: RunId) -> int:
    count = await tx.value("SELECT count(*) FROM tool_calls WHERE run_id = %(run_id)s", run_id=run_id)
    return int(count)


async def list_called_tools(tx: Tx, run_id: RunId) -> set[str]:
    """The tools that the run has called and got something from."""
    names: list[str] = await tx.value(
        """
        SELECT coalesce(array_agg(DISTINCT tool), '{}')
          FROM tool_calls
         WHERE run_id = %(run_id)s
           AND status = 'done'
        """,
        run_id=run_id,
    )
    return set(names)


async def find_last_result(tx: Tx, run_id: RunId, tool: str, arguments: object) -> Any | None:
    """What the run was told last by a tool that it called with these arguments, or with more of them; or None."""
    return await tx.value(
        """
        SELECT result
          FROM tool_calls
         WHERE run_id = %(run_id)s
           AND tool = %(tool)s
           AND arguments @> %(arguments)s::jsonb
           AND status = 'done'
         ORDER BY started_at DESC, id DESC
         LIMIT 1
        """,
        run_id=run_id,
        tool=tool,
        arguments=jsons.dumps(arguments),
    )


async def count_calls_of_seat(tx: Tx, bidi_id: BidiId, tool: str, since: datetime) -> int:
    """How often a seat has done this by itself since a time, in all of its runs; what people approved is not counted."""
    count = await tx.value(
        """
        SELECT count(*)
          FROM runs r
          JOIN tool_calls t ON (t.organization_id, t.run_id) = (r.organization_id, r.id)
         WHERE r.bidi_id = %(bidi_id)s
           AND t.tool = %(tool)s
           AND t.status = 'done'
           AND t.decision = 'allow'
           AND t.started_at >= %(since)s
           AND r.created_at >= %(since)s - interval '1 day'
        """,
        bidi_id=bidi_id,
        tool=tool,
        since=since,
    )
    return int(count)


async def open_tool_call(tx: Tx, call: NewToolCall) -> UUID:
    """Record that a call begins."""
    call_id = uuid7()
    await tx.execute(
        """
        INSERT INTO tool_calls (organization_id, id, run_id, call_key, tool, risk, arguments, decision, is_tainted,
                                status, started_at)
        VALUES (%(organization_id)s, %(id)s, %(run_id)s, %(call_key)s, %(tool)s, %(risk)s, %(arguments)s::jsonb,
                %(decision)s, %(is_tainted)s, 'running', %(now)s)
        """,
        organization_id=tx.organization_id,
        id=call_id,
        run_id=call.run_id,
        call_key=call.call_key,
        tool=call.tool,
        risk=call.risk,
        arguments=jsons.dumps(call.arguments),
        decision=call.decision,
        is_tainted=call.is_tainted,
        now=clock.now(),
    )
    return call_id


async def settle_tool_call(
    tx: Tx,
    call_id: UUID,
    *,
    status: str,
    result: object,
    error: str,
    duration_ms: int,
    fence: int | None = None,
) -> bool:
    """Record how a call ended; with a fence only while the run is running under it, and nobody takes it over before this
    transaction ends. False when somebody has. Take it last: see `take_turn`."""
    settled = await tx.execute(
        """
        WITH held AS (SELECT r.id
                        FROM runs r
                        JOIN tool_calls t ON (t.organization_id, t.run_id) = (r.organization_id, r.id)
                       WHERE t.id = %(call_id)s
                         AND r.fence = %(fence)s
                         AND r.status = 'running'
                         FOR SHARE OF r)
        UPDATE tool_calls
           SET status = %(status)s, result = %(result)s::jsonb, error = %(error)s, duration_ms = %(duration_ms)s
         WHERE id = %(call_id)s
           AND (%(fence)s::int IS NULL OR EXISTS (SELECT FROM held))
        """,
        call_id=call_id,
        status=status,
        result=jsons.dumps(result),
        error=error,
        duration_ms=duration_ms,
        fence=fence,
    )
    return settled == 1


async def lock_tool_call(tx: Tx, call_id: UUID) -> ToolCall:
    """A recorded call under a row lock: those who carry it out or end it take turns. Raises: NotFound."""
    return await tx.one(
        ToolCall,
        """
        SELECT id, run_id, call_key, tool, arguments, decision, is_tainted, status, result, error
          FROM tool_calls
         WHERE id = %(call_id)s
           FOR UPDATE
        """,
        call_id=call_id,
    )


async def mark_running(tx: Tx, call_id: UUID) -> None:
    """A call that was asked about is begun outside of this transaction."""
    await tx.execute("UPDATE tool_calls SET status = 'running' WHERE id = %(call_id)s", call_id=call_id)
