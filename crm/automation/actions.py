"""Making triggers and evaluating them."""

from typing import assert_never

from core import jsons
from core.db import Tx
from core.ids import uuid7
from crm.automation import queries
from crm.automation.models import Condition, RunAgent, Trigger, TriggerBody
from crm.automation.queries import Situation
from crm.bidi.models import Bidi
from crm.bidi.queries import get_bidi
from crm.conversations.models import HolderKind
from crm.runs import actions as runs
from crm.runs.actions import QuietWindow, RunRequest
from events.ids import BidiId, ConversationId, TriggerId
from events.outbox import emit
from events.types import MessageReceived, TriggerExecuted


async def create_trigger(tx: Tx, *, name: str, event_type: str, body: TriggerBody) -> TriggerId:
    """Store a rule."""
    tx.principal.require("automation:manage")
    trigger_id = TriggerId(uuid7())
    stored = body.model_dump(mode="json")
    await tx.execute(
        """
        INSERT INTO triggers (organization_id, id, name, event_type, conditions, actions)
        VALUES (%(organization_id)s, %(id)s, %(name)s, %(event_type)s, %(conditions)s::jsonb, %(actions)s::jsonb)
        """,
        organization_id=tx.organization_id,
        id=trigger_id,
        name=name,
        event_type=event_type,
        conditions=jsons.dumps(stored["conditions"]),
        actions=jsons.dumps(stored["actions"]),
    )
    return trigger_id


async def evaluate(tx: Tx, event: MessageReceived, quiet: QuietWindow) -> None:
    """Carry out every enabled trigger of the event whose conditions hold."""
    triggers = await queries.list_triggers(tx, event.name)
    if not triggers:
        return
    situation = await queries.get_situation(tx, event.conversation_id, event.message_id)
    for trigger in triggers:
        if all(holds(condition, situation) for condition in trigger.body.conditions):
            await _execute(tx, trigger, event.conversation_id, situation, quiet)


def holds(condition: Condition, situation: Situation) -> bool:
    """Whether one condition is true in a situation."""
    actual = situation.value(condition.field)
    wanted = condition.value if isinstance(condition.value, list) else [condition.value]
    match condition.operator:
        case "is" | "in":
            return actual in wanted
        case "is_not" | "not_in":
            return actual not in wanted
        case "contains":
            return any(str(value).casefold() in str(actual).casefold() for value in wanted)
        case _:
            assert_never(condition.operator)


async def _execute(
    tx: Tx, trigger: Trigger, conversation_id: ConversationId, situation: Situation, quiet: QuietWindow
) -> None:
    for action in trigger.body.actions:
        await _run_agent(tx, trigger, action, conversation_id, situation, quiet)
    await emit(tx, TriggerExecuted(trigger.id))


async def _run_agent(
    tx: Tx,
    trigger: Trigger,
    action: RunAgent,
    conversation_id: ConversationId,
    situation: Situation,
    quiet: QuietWindow,
) -> None:
    seat = await _at_work(tx, await get_bidi(tx, BidiId(action.bidi_id)), situation)
    if seat.is_paused or seat.agent is None:
        return
    request = RunRequest(seat.id, seat.agent, conversation_id, trigger.id, situation.seq)
    await runs.request_run(tx, request, quiet)


async def _at_work(tx: Tx, named: Bidi, situation: Situation) -> Bidi:
    """The seat that a rule calls, or the one that holds the conversation, if its agent is the same."""
    if situation.holder_kind != HolderKind.AGENT or situation.holder_id is None:
        return named
    holder = await get_bidi(tx, BidiId(situation.holder_id))
    return holder if holder.agent == named.agent else named
