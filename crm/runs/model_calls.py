"""The record of what was asked of language models: one row per call, also for those that failed or were cut off.

What a row counts: the tokens that the provider reports; when its report never came although it had begun to answer,
an estimate, which the row says (`usage_from`); nothing when the provider refused or could not be reached.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from core.db import Tx
from core.ids import uuid7
from crm.runs import model_exchanges
from crm.runs.model_exchanges import ModelExchange
from events.ids import ModelCallId, RunId


class CallOutcome(StrEnum):
    ANSWERED = "answered"
    LIMITED = "limited"  # 429
    REFUSED = "refused"  # another 4xx: asking again would not help
    FAILED = "failed"  # 5xx, or no connection
    BROKEN = "broken"  # the answer stopped half-way, or was no answer of this protocol
    CUT_OFF = "cut_off"  # we stopped listening: out of time, or nobody wants the run any more


class UsageFrom(StrEnum):
    PROVIDER = "provider"
    ESTIMATE = "estimate"
    NONE = "none"


@dataclass(frozen=True)
class ModelCall:
    """One call. `attempt` counts the tries of one question from 1; `first_token_ms` is None when no word came.

    `exchange` is what was said in it, of a call that is being recorded; afterwards it is read by itself.
    """

    task: str
    model: str
    attempt: int
    outcome: CallOutcome
    usage_from: UsageFrom
    tokens_in: int
    tokens_out: int
    cost_usd_micros: int
    started_at: datetime
    latency_ms: int = 0
    first_token_ms: int | None = None
    id: ModelCallId = field(default_factory=lambda: ModelCallId(uuid7()), compare=False)
    exchange: ModelExchange | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class CallTotals:
    """What calls used together; `estimated` is how many of them had to be estimated."""

    calls: int
    tokens_in: int
    tokens_out: int
    cost_usd_micros: int
    estimated: int


async def record_model_calls(
    tx: Tx, run_id: RunId, calls: Sequence[ModelCall], *, keep: timedelta | None = None
) -> None:
    """Write down what a run asked of its models, and for how long what was said is to be kept: None keeps none of it."""
    for call in calls:
        await _record(tx, run_id, call, call.exchange if keep else None)
    if keep and any(call.exchange for call in calls):
        await model_exchanges.sweep_later(tx, keep)


async def _record(tx: Tx, run_id: RunId, call: ModelCall, said: ModelExchange | None) -> None:
    # one statement for both rows: a run makes many of these
    await tx.execute(
        """
        WITH made AS (
            INSERT INTO model_calls (organization_id, id, run_id, task, model, attempt, outcome, usage_from, tokens_in,
                                     tokens_out, cost_usd_micros, started_at, latency_ms, first_token_ms)
            VALUES (%(organization_id)s, %(id)s, %(run_id)s, %(task)s, %(model)s, %(attempt)s, %(outcome)s,
                    %(usage_from)s, %(tokens_in)s, %(tokens_out)s, %(cost_usd_micros)s, %(started_at)s, %(latency_ms)s,
                    %(first_token_ms)s)
            RETURNING organization_id, id, started_at
        )
        INSERT INTO model_exchanges (organization_id, call_id, asked_at, messages, answer, tools)
        SELECT organization_id, id, started_at, %(messages)s::jsonb, %(answer)s::jsonb, %(tools)s::text[]
          FROM made
         WHERE %(messages)s::jsonb IS NOT NULL
        """,
        organization_id=tx.organization_id,
        id=call.id,
        run_id=run_id,
        task=call.task,
        model=call.model,
        attempt=call.attempt,
        outcome=call.outcome,
        usage_from=call.usage_from,
        tokens_in=call.tokens_in,
        tokens_out=call.tokens_out,
        cost_usd_micros=call.cost_usd_micros,
        started_at=call.started_at,
        latency_ms=call.latency_ms,
        first_token_ms=call.first_token_ms,
        **model_exchanges.columns_of(said),
    )


async def list_model_calls(tx: Tx, run_id: RunId) -> list[ModelCall]:
    """Every call of a run, in order."""
    return await tx.all(
        ModelCall,
        """
        SELECT id, task, model, attempt, outcome, usage_from, tokens_in, tokens_out, cost_usd_micros, started_at,
               latency_ms, first_token_ms
          FROM model_calls
         WHERE run_id = %(run_id)s
         ORDER BY started_at, id
        """,
        run_id=run_id,
    )


async def total_of_run(tx: Tx, run_id: RunId) -> CallTotals:
    """What a run has used so far, whichever process carried it out."""
    return await tx.one(
        CallTotals,
        """
        SELECT count(*) AS calls,
               coalesce(sum(tokens_in), 0)::bigint AS tokens_in,
               coalesce(sum(tokens_out), 0)::bigint AS tokens_out,
               coalesce(sum(cost_usd_micros), 0)::bigint AS cost_usd_micros,
               count(*) FILTER (WHERE usage_from = 'estimate') AS estimated
          FROM model_calls
         WHERE run_id = %(run_id)s
        """,
        run_id=run_id,
    )


async def total_since(tx: Tx, since: datetime) -> CallTotals:
    """What the organization has used since a moment."""
    return await tx.one(
        CallTotals,
        """
        SELECT count(*) AS calls,
               coalesce(sum(tokens_in), 0)::bigint AS tokens_in,
               coalesce(sum(tokens_out), 0)::bigint AS tokens_out,
               coalesce(sum(cost_usd_micros), 0)::bigint AS cost_usd_micros,
               count(*) FILTER (WHERE usage_from = 'estimate') AS estimated
          FROM model_calls
         WHERE started_at >= %(since)s
        """,
        since=since,
    )
