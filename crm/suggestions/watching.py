"""What agents are sent to look at by themselves: conversations that came to rest, promises that are due, deals that
stand still. Their runs serve no conversation, and are about that one thing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core import clock
from core.db import Tx
from crm.bidi.actions import ensure_seat
from crm.runs import actions as runs
from crm.runs.models import About, AboutKind
from crm.suggestions import actions as suggestions
from crm.suggestions.models import SuggestionKind
from events import due
from events.ids import ContactId, ConversationId, DealId, PromiseId, RunId

FOLLOW_UP, MEMORY_WRITER = "follow_up", "memory_writer"
REST, STALLED = "conversation.rest", "deal.stalled"
# A deal that agents have been sent to is looked at again after its limit, but not more often than this.
_LEAST = timedelta(days=1)


async def note_said(tx: Tx, conversation_id: ConversationId, *, rest: timedelta) -> None:
    """Something was said: the conversation is read once nothing more comes for as long as `rest`; never without it."""
    if rest:
        await due.schedule(tx, REST, conversation_id, clock.now() + rest)


async def read_at_rest(tx: Tx, conversation_id: ConversationId, *, rest: timedelta) -> RunId | None:
    """A conversation came to rest: have it read for what is worth remembering."""
    run_id = await _send(tx, MEMORY_WRITER, About(AboutKind.CONVERSATION, conversation_id))
    if run_id is None and rest:
        await due.schedule(tx, REST, conversation_id, clock.now() + rest)
    return run_id


async def follow_promise(tx: Tx, promise_id: PromiseId) -> RunId | None:
    """A promise is due, and nothing shows that it was kept."""
    return await _send(tx, FOLLOW_UP, About(AboutKind.PROMISE, promise_id))


async def follow_deal(tx: Tx, deal_id: DealId) -> RunId | None:
    """Look whether a deal stands still; one about which something happens, or is planned, is looked at later."""
    deal = await find_quiet_deal(tx, deal_id)
    if deal is None:
        return None
    now = clock.now()
    if deal.stalls_at > now:
        await due.schedule(tx, STALLED, deal_id, deal.stalls_at)
        return None
    await due.schedule(tx, STALLED, deal_id, now + max(deal.limit, _LEAST))
    return await _send(tx, FOLLOW_UP, About(AboutKind.DEAL, deal_id))


async def _send(tx: Tx, agent: str, about: About) -> RunId | None:
    """None when a run of this agent about it has not ended, or its seat is paused."""
    seat = await ensure_seat(tx, agent)
    if seat.is_paused:
        return None
    return await runs.start_run_about(tx, seat.id, agent, about)


@dataclass(frozen=True)
class QuietDeal:
    """An open deal in a stage that has a limit. `quiet_since` is the last thing that happened about it, or, when
    something is planned, that."""

    stage_id: UUID
    limit_hours: int
    quiet_since: datetime

    @property
    def limit(self) -> timedelta:
        return timedelta(hours=self.limit_hours)

    @property
    def stalls_at(self) -> datetime:
        return self.quiet_since + self.limit


async def find_quiet_deal(tx: Tx, deal_id: DealId, *, at: datetime | None = None) -> QuietDeal | None:
    """How a deal stands, or stood `at` a time before; None when it was closed or is gone, or nobody said how long it may
    stay in its stage."""
    return await tx.find(
        QuietDeal,
        """
        SELECT s.id AS stage_id, s.limit_hours,
               greatest(
                   coalesce(was.entered_at, d.stage_entered_at),
                   (SELECT max(m.occurred_at)
                      FROM conversations v
                      JOIN messages m ON (m.organization_id, m.conversation_id) = (v.organization_id, v.id)
                     WHERE v.contact_id = d.contact_id
                       AND m.status <> 'cancelled'
                       AND m.kind = 'ordinary'
                       AND m.occurred_at <= coalesce(%(at)s::timestamptz, 'infinity')),
                   (SELECT max(greatest(t.created_at, t.due_at, t.done_at))
                      FROM tasks t
                     WHERE (t.record_kind, t.record_id) IN (('deal', d.id), ('contact', d.contact_id))
                       AND t.removed_at IS NULL
                       AND t.created_at <= coalesce(%(at)s::timestamptz, 'infinity')),
                   (SELECT max(n.created_at)
                      FROM notes n
                     WHERE (n.record_kind, n.record_id) IN (('deal', d.id), ('contact', d.contact_id))
                       AND n.removed_at IS NULL
                       AND n.created_at <= coalesce(%(at)s::timestamptz, 'infinity')),
                   (SELECT max(g.starts_at)
                      FROM meetings g
                     WHERE (g.record_kind, g.record_id) IN (('deal', d.id), ('contact', d.contact_id))
                       AND g.status IN ('planned', 'held')
                       AND g.removed_at IS NULL
                       AND g.created_at <= coalesce(%(at)s::timestamptz, 'infinity'))) AS quiet_since
          FROM deals d
          LEFT JOIN stage_visits was ON was.record_kind = 'deal'
                                     AND was.record_id = d.id
                                     AND was.entered_at <= %(at)s::timestamptz
                                     AND coalesce(was.left_at, 'infinity') > %(at)s::timestamptz
          JOIN stages s ON (s.organization_id, s.id) = (d.organization_id, coalesce(was.stage_id, d.stage_id))
         WHERE d.id = %(deal_id)s
           AND d.deleted_at IS NULL
           AND s.outcome = 'open'
           AND s.limit_hours IS NOT NULL
        """,
        deal_id=deal_id,
        at=at,
    )


async def note_kept(tx: Tx, promise_id: PromiseId) -> None:
    """A promise is closed: nothing need be suggested about it."""
    await suggestions.expire_about(tx, SuggestionKind.PROMISE, promise_id)


async def note_moved(tx: Tx, deal_id: DealId) -> None:
    """A deal moved: it does not stand still."""
    await suggestions.expire_about(tx, SuggestionKind.STALLED_DEAL, deal_id)


async def note_heard(tx: Tx, contact_id: ContactId) -> None:
    """A contact wrote: the deals with them do not stand still."""
    for found in await tx.all(
        _Deal,
        """
        SELECT d.id
          FROM deals d
          JOIN suggestions s ON (s.organization_id, s.record_id) = (d.organization_id, d.id)
         WHERE d.contact_id = %(contact_id)s
           AND s.kind = 'stalled_deal'
           AND s.status = 'open'
        """,
        contact_id=contact_id,
    ):
        await note_moved(tx, DealId(found.id))


@dataclass(frozen=True)
class _Deal:
    id: UUID
