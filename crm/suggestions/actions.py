"""Making suggestions, and deciding about them. Lock order: suggestion, then approval, then tool call."""

from dataclasses import asdict, replace
from uuid import UUID

from core import clock, jsons
from core.db import Tx
from core.errors import Conflict
from core.ids import uuid7
from crm.approvals import actions as approvals
from crm.records.queries import require_record
from crm.runs import asked_calls
from crm.runs.asked_calls import NewAsk
from crm.runs.tool_calls import NewToolCall
from crm.runs.touched import Touched, find_touched
from crm.suggestions.models import (
    EXPIRE,
    WAITS,
    NewSuggestion,
    ProposedCall,
    Suggestion,
    SuggestionKind,
    SuggestionStatus,
)
from crm.suggestions.queries import find_standing, get_suggestion
from events import due
from events.ids import SuggestionId
from events.outbox import emit
from events.types import SuggestionAccepted, SuggestionDismissed, SuggestionExpired, SuggestionMade

MAX_REASON = 500


async def make_suggestion(tx: Tx, new: NewSuggestion) -> Suggestion:
    """Put a next step before people; about one thing of one kind one waits at a time.

    Raises:
        Unprocessable: no such record.
        Conflict: the same waits, or somebody decided about it a short while ago; or the record is in the trash.
    """
    tx.principal.require("suggestions:write")
    record = await require_record(tx, new.record)
    target_id = new.promise_id or new.record.id
    standing = await find_standing(tx, new.kind, target_id)
    if standing is not None:
        raise Conflict(f"This was suggested about {record.name} before and is {standing}.", state=standing)
    expires_at = clock.now() + WAITS
    suggestion_id = await tx.value(
        """
        INSERT INTO suggestions (organization_id, id, kind, record_kind, record_id, promise_id, conversation_id, title,
                                 why, evidence, calls, is_tainted, run_id, bidi_id, expires_at, created_at)
        VALUES (%(organization_id)s, %(id)s, %(kind)s, %(record_kind)s, %(record_id)s, %(promise_id)s,
                %(conversation_id)s, %(title)s, %(why)s, %(evidence)s::jsonb, %(calls)s::jsonb, %(is_tainted)s,
                %(run_id)s, %(bidi_id)s, %(expires_at)s, %(now)s)
        ON CONFLICT (organization_id, kind, coalesce(promise_id, record_id)) WHERE status = 'open' DO NOTHING
        RETURNING id
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        kind=new.kind,
        record_kind=new.record.kind,
        record_id=new.record.id,
        promise_id=new.promise_id,
        conversation_id=new.conversation_id,
        title=new.title,
        why=new.why,
        evidence=jsons.dumps([asdict(one) for one in new.evidence]),
        calls=jsons.dumps([asdict(call) for call in new.calls]),
        is_tainted=new.is_tainted,
        run_id=new.run_id,
        bidi_id=new.bidi_id,
        expires_at=expires_at,
        now=clock.now(),
    )
    if suggestion_id is None:
        raise Conflict(f"The same waits for {record.name} already.", state=SuggestionStatus.OPEN)
    await due.schedule(tx, EXPIRE, suggestion_id, expires_at)
    await emit(tx, SuggestionMade(suggestion_id))
    return await get_suggestion(tx, suggestion_id)


async def accept_suggestion(tx: Tx, suggestion_id: SuggestionId, *, is_checked: bool = False) -> Suggestion:
    """Let its calls be made: each once, as the agent, within what the principal may do; a worker makes them.

    `is_checked` says that the principal has looked at what is marked.

    Raises:
        NotFound: no such suggestion.
        Forbidden: the principal may not decide, or may not do one of these things themselves.
        Conflict: decided already, or something is marked and unchecked.
    """
    suggestion = await get_suggestion(tx, suggestion_id, lock=True)
    approvals.require_approver(tx)
    for call in suggestion.proposed:
        tx.principal.require(call.scope)
    _require_open(suggestion)
    if suggestion.needs_check and not is_checked:
        raise Conflict("Something in this is marked and nobody has checked it; check it first.")
    await _close(tx, suggestion, SuggestionStatus.ACCEPTED)
    for number, call in enumerate(suggestion.proposed):
        await _approve(tx, suggestion, number, call)
    await emit(tx, SuggestionAccepted(suggestion_id))
    return await get_suggestion(tx, suggestion_id)


async def _approve(tx: Tx, suggestion: Suggestion, number: int, call: ProposedCall) -> None:
    """The call goes the way of every call that a person approved."""
    records = [Touched(**record) for record in call.records]
    if call.only_adds:
        records, _ = await find_touched(tx, call.arguments)
    key = f"suggestion.{suggestion.id}.{number}"
    await asked_calls.approve_at_once(
        tx,
        NewToolCall(
            run_id=suggestion.run_id,
            call_key=key,
            tool=call.tool,
            risk=call.risk,
            arguments=call.arguments,
            decision="ask",
            is_tainted=suggestion.is_tainted,
        ),
        NewAsk(
            run_id=suggestion.run_id,
            bidi_id=suggestion.bidi_id,
            tool=call.tool,
            arguments=call.arguments,
            scope=call.scope,
            why=("autonomy",),
            records=tuple(records),
            marks=tuple(call.marks),
        ),
        suggestion_id=suggestion.id,
    )


async def dismiss_suggestion(tx: Tx, suggestion_id: SuggestionId, *, reason: str = "") -> Suggestion:
    """Say no; the same is not suggested again for a while. Raises: NotFound, Forbidden; Conflict when decided."""
    suggestion = await get_suggestion(tx, suggestion_id, lock=True)
    approvals.require_approver(tx)
    _require_open(suggestion)
    await _close(tx, replace(suggestion, reason=reason.strip()[:MAX_REASON]), SuggestionStatus.DISMISSED)
    await emit(tx, SuggestionDismissed(suggestion_id))
    return await get_suggestion(tx, suggestion_id)


async def expire_suggestion(tx: Tx, suggestion_id: SuggestionId) -> None:
    """Nobody has decided for too long; nothing happens to one that is decided."""
    suggestion = await get_suggestion(tx, suggestion_id, lock=True)
    if suggestion.is_open:
        await _expire(tx, suggestion)


async def expire_about(tx: Tx, kind: SuggestionKind, target_id: UUID) -> None:
    """What it is about is over: the deal moved, the promise was kept."""
    found = await tx.value(
        """
        SELECT id
          FROM suggestions
         WHERE kind = %(kind)s
           AND coalesce(promise_id, record_id) = %(target_id)s
           AND status = 'open'
        """,
        kind=kind,
        target_id=target_id,
    )
    if found is not None:
        await expire_suggestion(tx, SuggestionId(found))


async def _expire(tx: Tx, suggestion: Suggestion) -> None:
    await _close(tx, suggestion, SuggestionStatus.EXPIRED)
    await emit(tx, SuggestionExpired(suggestion.id))


async def _close(tx: Tx, suggestion: Suggestion, status: SuggestionStatus) -> None:
    await tx.execute(
        """
        UPDATE suggestions
           SET status = %(status)s, decided_by = %(decided_by)s, decided_at = %(now)s, reason = %(reason)s
         WHERE id = %(id)s
        """,
        status=status,
        decided_by=None if status is SuggestionStatus.EXPIRED else tx.principal.id,
        now=clock.now(),
        reason=suggestion.reason,
        id=suggestion.id,
    )
    await due.cancel(tx, EXPIRE, suggestion.id)


def _require_open(suggestion: Suggestion) -> None:
    if not suggestion.is_open:
        raise Conflict(
            f"This is already {suggestion.status}; nothing more was done.", state=suggestion.status
        )
