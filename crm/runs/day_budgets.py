"""What a seat, and all seats of an organization, may use in a day; a day begins at midnight where the seat works."""

from dataclasses import dataclass
from datetime import datetime

from core.db import Tx
from crm.bidi import hours
from crm.bidi.models import Bidi


@dataclass(frozen=True)
class _Day:
    """What was used since midnight, beside what may be; a limit that is None is none."""

    whose: str
    runs: int
    tokens: int
    cost_usd_micros: int
    max_runs: int | None
    max_tokens: int | None
    max_cost_usd_micros: int | None

    @property
    def why_spent(self) -> str:
        """Which limit is passed, for people; empty when none is."""
        if self.max_runs is not None and self.runs > self.max_runs:
            return f"{self.whose} had all of its {self.max_runs} runs of today"
        if self.max_tokens is not None and self.tokens >= self.max_tokens:
            return f"{self.whose} used all of its {self.max_tokens} tokens of today"
        if self.max_cost_usd_micros is not None and self.cost_usd_micros >= self.max_cost_usd_micros:
            return f"{self.whose} cost the {self.max_cost_usd_micros / 1e6:.2f} USD that it may a day"
        return ""


async def why_spent(tx: Tx, bidi: Bidi) -> str:
    """Why no run of this seat may go on today, its current one counted; empty while it may."""
    zone = await tx.value("SELECT time_zone FROM organizations")
    return await _why_spent_since(tx, bidi, hours.midnight(hours.zone_of(bidi, zone)))


async def _why_spent_since(tx: Tx, bidi: Bidi, since: datetime) -> str:
    days = await tx.all(
        _Day,
        """
        WITH limits AS (
            SELECT 'the seat' AS whose, id AS bidi_id, max_runs_a_day AS max_runs, max_tokens_a_day AS max_tokens,
                   max_cost_usd_micros_a_day AS max_cost_usd_micros
              FROM bidi
             WHERE id = %(bidi_id)s
             UNION ALL
            SELECT 'the organization', NULL, max_runs_a_day, max_tokens_a_day, max_cost_usd_micros_a_day
              FROM organizations
        )
        SELECT l.whose, l.max_runs, l.max_tokens, l.max_cost_usd_micros, coalesce(begun.runs, 0) AS runs,
               coalesce(used.tokens, 0)::bigint AS tokens, coalesce(used.cost_usd_micros, 0)::bigint AS cost_usd_micros
          FROM limits l
          -- a run counts on the day on which it began, and may have been asked for the day before
          LEFT JOIN LATERAL (SELECT count(*) AS runs
                               FROM runs r
                              WHERE l.max_runs IS NOT NULL
                                AND r.started_at >= %(since)s
                                AND r.created_at >= %(since)s - interval '1 day'
                                AND (l.bidi_id IS NULL OR r.bidi_id = l.bidi_id)) begun ON true
          LEFT JOIN LATERAL (SELECT sum(m.tokens_in + m.tokens_out) AS tokens,
                                    sum(m.cost_usd_micros) AS cost_usd_micros
                               FROM model_calls m
                               JOIN runs r ON r.id = m.run_id
                              WHERE coalesce(l.max_tokens, l.max_cost_usd_micros) IS NOT NULL
                                AND m.started_at >= %(since)s
                                AND (l.bidi_id IS NULL OR r.bidi_id = l.bidi_id)) used ON true
         WHERE coalesce(l.max_runs, l.max_tokens, l.max_cost_usd_micros) IS NOT NULL
         ORDER BY l.whose DESC
        """,
        bidi_id=bidi.id,
        since=since,
    )
    return next((day.why_spent for day in days if day.why_spent), "")
