"""One short function per reaction; worker/routes.py says what each reacts to."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import structlog

from channels.base import (
    AccountFault,
    Ambiguous,
    ChannelError,
    Credentials,
    Delayed,
    Limited,
    Permanent,
    Retryable,
)
from channels.email.outbound import EmailChannel
from core import clock
from core.db import Tx
from core.principal import system
from crm.api_keys import answers
from crm.automation import hearing
from crm.bidi.queries import get_bidi
from crm.channel_accounts import actions as accounts
from crm.channel_accounts import mailboxes
from crm.channel_accounts import queries as account_queries
from crm.channel_accounts.models import AccountStatus
from crm.companies import suggestions as company_suggestions
from crm.companies import sweeps
from crm.contacts import matches, suggestions
from crm.conversations import actions as conversations
from crm.conversations import attachments, outgoing_mail, sending
from crm.conversations import queries as conversation_queries
from crm.conversations.models import Attempt, HolderKind
from crm.conversations.sending import Wait
from crm.copilot import actions as copilot
from crm.drafts import actions as drafts
from crm.drafts.queries import get_draft
from crm.facts import actions as facts
from crm.leads.queries import get_lead
from crm.pipelines import moves, transitions
from crm.runs import actions as runs
from crm.runs import model_exchanges, visits, yielding
from crm.runs import queries as run_queries
from crm.runs.actions import QuietWindow, RunRequest
from crm.runs.models import OPEN
from crm.tasks.queries import get_task
from events.ids import (
    ApprovalId,
    CompanyId,
    ContactId,
    ConversationId,
    DocumentId,
    LeadId,
    MessageId,
    RecordKind,
    RunId,
)
from events.outbox import Delivery
from events.types import (
    AttachmentReceived,
    ConversationAssigned,
    DealClosed,
    DealCreated,
    DraftReturned,
    Event,
    MessageQueued,
    MessageReceived,
    MessageSent,
    RunCancelled,
    RunRequested,
    TaskCompleted,
)
from memory import knowledge
from memory.documents import reader
from memory.documents.models import Refusal, Refused
from worker.jobs import Job, Postpone, backoff, patience

if TYPE_CHECKING:  # the relay reads the routes too and must not load the agents
    from worker.services import Services

log = structlog.get_logger()

Kind = TypeVar("Kind", bound=Event)
NOW = QuietWindow(0, 0)
_MOST_DELAYS = 25
_COPY_TRIES = 3


def _event(job: Job, kind: type[Kind]) -> Kind:
    """The job's event as what the route says it is."""
    if not isinstance(job.event, kind):
        raise TypeError(
            f"{job.handler} is routed to {type(job.event).__name__}, which it does not understand"
        )
    return job.event


# messages in -----------------------------------------------------------------------------------------------------


async def evaluate_triggers(services: "Services", tx: Tx, job: Job) -> None:
    await hearing.hear_message(tx, _event(job, MessageReceived), services.quiet_window)


async def record_interaction(services: "Services", tx: Tx, job: Job) -> None:
    """Every message strengthens the relationship it belongs to."""
    event = job.event
    if not isinstance(event, MessageReceived | MessageSent):
        raise TypeError(f"{job.handler} is routed to {type(event).__name__}, which it does not understand")
    message = await conversation_queries.get_message(tx, event.message_id)
    conversation = await conversation_queries.get_conversation(tx, event.conversation_id)
    await facts.record_interaction(
        tx,
        conversation.contact_id,
        message.id,
        occurred_at=message.occurred_at,
        seat_kind=message.author_kind
        if message.author_kind in ("user", "bidi")
        else conversation.holder_kind or "",
        seat_id=message.author_id if message.author_kind in ("user", "bidi") else conversation.holder_id,
    )


async def fetch_attachments(job: Job) -> Postpone | None:
    """Download the files of a message; what cannot be had is refused by name and stays visible."""
    event = _event(job, AttachmentReceived)
    services = job.services
    async with job.transaction("list") as tx:
        pending = await attachments.list_pending(tx, event.message_id)
        if not pending:
            return None
        conversation = await conversation_queries.get_conversation(tx, event.conversation_id)
        credentials = await _credentials(services, tx, event.message_id)
    channel = services.channels[conversation.channel]
    for attachment in pending:
        try:
            content = await channel.fetch_file(credentials, attachment.provider_id)
        except Permanent as err:
            async with job.transaction("refuse") as tx:
                await attachments.refuse_attachment(
                    tx, event.conversation_id, event.message_id, attachment.id, reason=err.reason
                )
            continue
        blob_key = await services.blobs.put(job.principal.organization_id, content)
        async with job.transaction("store") as tx:
            await attachments.store_attachment(
                tx, event.conversation_id, attachment, blob_key=blob_key, size_bytes=len(content)
            )
    return None


async def refuse_attachments(tx: Tx, job: Job, reason: str) -> None:
    event = _event(job, AttachmentReceived)
    for attachment in await attachments.list_pending(tx, event.message_id):
        await attachments.refuse_attachment(
            tx, event.conversation_id, event.message_id, attachment.id, reason="The file could not be fetched"
        )


async def _credentials(services: "Services", tx: Tx, message_id: MessageId) -> Credentials:
    account_id = await conversation_queries.account_of_message(tx, message_id)
    secret = await account_queries.open_secret(tx, account_id, services.settings.keyring)
    return Credentials(account_id, secret, await mailboxes.find_mailbox(tx, account_id))


# pipelines -------------------------------------------------------------------------------------------------------


async def advance_records(services: "Services", tx: Tx, job: Job) -> None:
    """Leads and deals go on to a later stage where their pipeline says so; what lacks something stays."""
    event = job.event
    contact_id: UUID | None = None
    deal_id: UUID | None = None
    match event:
        case MessageReceived() | MessageSent():
            contact_id = (await conversation_queries.get_conversation(tx, event.conversation_id)).contact_id
        case DealCreated() | DealClosed():
            deal_id = event.deal_id
        case TaskCompleted():
            task = await get_task(tx, event.task_id)
            contact_id = task.record_id if task.record_kind is RecordKind.CONTACT else None
            deal_id = task.record_id if task.record_kind is RecordKind.DEAL else None
            if task.record_kind is RecordKind.LEAD and task.record_id is not None:
                contact_id = (await get_lead(tx, LeadId(task.record_id))).contact_id
        case _:
            raise TypeError(
                f"{job.handler} is routed to {type(event).__name__}, which it does not understand"
            )
    for moved in await transitions.apply_event(tx, event.name, contact_id=contact_id, deal_id=deal_id):
        log.info("stage.moved", kind=moved.kind, id=str(moved.id), is_refused=bool(moved.refusal))


async def note_slow_lead(services: "Services", tx: Tx, job: Job) -> None:
    await moves.note_breach(tx, RecordKind.LEAD, job.subject_id)


async def note_slow_deal(services: "Services", tx: Tx, job: Job) -> None:
    await moves.note_breach(tx, RecordKind.DEAL, job.subject_id)


# runs ------------------------------------------------------------------------------------------------------------


async def release_run(services: "Services", tx: Tx, job: Job) -> None:
    await runs.release_run(tx, RunId(job.subject_id))


async def end_visit(services: "Services", tx: Tx, job: Job) -> None:
    """A program that has called tools says nothing any more."""
    await visits.leave_if_silent(tx, RunId(job.subject_id))


async def execute_run(job: Job) -> Postpone | None:
    """Drive the agent; a run that another process still holds is looked at again when its lease may have ended."""
    event = _event(job, RunRequested)
    if await job.services.runtime.execute(job.principal.organization_id, event.run_id):
        return None
    async with job.transaction("check") as tx:
        run = await run_queries.get_run(tx, event.run_id)
    if run.status in OPEN:
        return Postpone(timedelta(seconds=1), "the run is held by another process")
    return None


async def close_question(services: "Services", tx: Tx, job: Job) -> None:
    """A question whose run was cancelled waits no longer."""
    await copilot.note_cancelled(tx, _event(job, RunCancelled).run_id)


async def show_answer(services: "Services", deliveries: Sequence[Delivery]) -> None:
    """Tell the pages that show a chat to fetch its answer."""
    for delivery in deliveries:
        message = {"type": delivery.event_type}
        await services.pubsub.publish(delivery.organization_id, message, about=delivery.subject_id)


async def give_up_run(tx: Tx, job: Job, reason: str) -> None:
    """A run that could not be carried out ends in a person's hands, with what happened."""
    await job.services.runtime.give_up(tx, _event(job, RunRequested).run_id, reason)


async def redraft(services: "Services", tx: Tx, job: Job) -> None:
    """Feedback on a draft asks the same seat for another one, at once; on a program's, the seat that worked here last."""
    draft = await get_draft(tx, _event(job, DraftReturned).draft_id)
    seat = await run_queries.last_seat(tx, draft.conversation_id)
    if seat is not None:
        author = await get_bidi(tx, draft.bidi_id)
        bidi_id = author.id if author.serves_conversations else seat.bidi_id
        request = RunRequest(bidi_id, seat.agent, draft.conversation_id, feedback=draft.reason)
        await runs.request_run(tx, request, NOW)


# messages out ----------------------------------------------------------------------------------------------------


async def release_message(services: "Services", tx: Tx, job: Job) -> None:
    await conversations.release_message(tx, MessageId(job.subject_id))


async def deliver_message(job: Job) -> Postpone | None:
    """Mark the attempt, call the channel, record the outcome: two short transactions, none during the call."""
    event = _event(job, MessageQueued)
    services = job.services
    async with job.transaction("attempt") as tx:
        attempt = await sending.begin_attempt(tx, event.message_id, services.settings.lease_seconds)
        if isinstance(attempt, Wait):
            return Postpone(attempt.delay, attempt.reason)
        if attempt is None:
            return None
        credentials = await _credentials(services, tx, event.message_id)
    try:
        receipt = await services.channels[attempt.channel].send(credentials, attempt)
    except Limited as err:
        return await _wait_as_told(job, attempt, err)
    except Delayed as err:
        return await _wait_longer(job, attempt, err)
    except Retryable as err:
        async with job.transaction("requeue") as tx:
            await sending.requeue(tx, attempt, err.reason)
        return Postpone(backoff(job.lease.attempts), err.reason, counts=True)
    except Permanent as err:
        await _refused(job, attempt, err)
        return None
    except Ambiguous as err:
        async with job.transaction("unknown") as tx:
            await sending.record_unknown(tx, attempt, err.reason)
        return None
    async with job.transaction("sent") as tx:
        if await sending.record_sent(tx, attempt, receipt.provider_id):
            log.info("message.sent", message_id=str(attempt.message_id), channel=attempt.channel)
    return None


async def _wait_as_told(job: Job, attempt: Attempt, err: Limited) -> Postpone:
    """The channel named a pause; the whole account keeps to it."""
    delay = timedelta(seconds=max(1.0, err.retry_after_seconds))
    async with job.transaction("limited") as tx:
        await sending.requeue(tx, attempt, err.reason)
        await accounts.block_until(tx, attempt.channel_account_id, clock.now() + delay)
    return Postpone(delay, err.reason)


async def _wait_longer(job: Job, attempt: Attempt, err: Delayed) -> Postpone | None:
    """The receiver wants this one message later; after some twenty tries, a day or so, it is not coming any more."""
    async with job.transaction("delayed") as tx:
        if attempt.delays >= _MOST_DELAYS:
            await sending.record_failed(tx, attempt, err.reason)
            return None
        await sending.delay(tx, attempt, err.reason)
    return Postpone(patience(err.pause_seconds, attempt.delays), err.reason)


async def _refused(job: Job, attempt: Attempt, err: Permanent) -> None:
    async with job.transaction("refused") as tx:
        await sending.record_failed(tx, attempt, err.reason)
        if isinstance(err, AccountFault):
            await accounts.record_status(
                tx, attempt.channel_account_id, AccountStatus.REAUTH_REQUIRED, err.reason
            )


async def keep_sent_copy(job: Job) -> Postpone | None:
    """A mail of ours belongs into the mailbox's Sent folder too; the send itself does not depend on it."""
    event = _event(job, MessageSent)
    channel = job.services.channels["email"]
    async with job.transaction("load") as tx:
        message = await conversation_queries.get_message(tx, event.message_id)
        # what another program sent lies in the folder already
        if not message.address or message.author_id is None or not isinstance(channel, EmailChannel):
            return None
        credentials = await _credentials(job.services, tx, message.id)
        mail = await outgoing_mail.get_sent_mail(tx, message.id)
    try:
        await channel.keep_copy(credentials, mail, message.address, message.body)
    except ChannelError as err:
        if isinstance(err, Retryable) and job.lease.attempts < _COPY_TRIES:
            return Postpone(backoff(job.lease.attempts), err.reason, counts=True)
        log.warning("mail.copy_not_kept", message_id=str(message.id), reason=err.reason)
    return None


async def fail_message(tx: Tx, job: Job, reason: str) -> None:
    await sending.fail_queued(tx, _event(job, MessageQueued).message_id, f"Not delivered: {reason}")


async def yield_to_author(services: "Services", tx: Tx, job: Job) -> None:
    """A person answered, here or with another program: what the agent was doing here is no longer needed."""
    event = job.event
    if not isinstance(event, MessageQueued | MessageSent):
        raise TypeError(f"{job.handler} is routed to {type(event).__name__}, which it does not understand")
    message = await conversation_queries.get_message(tx, event.message_id)
    is_from_elsewhere = message.author_id is None
    if message.author_kind == "user" and isinstance(event, MessageSent) == is_from_elsewhere:
        await yielding.yield_to_person(tx, event.conversation_id, yielding.ANSWERED)


async def yield_to_holder(services: "Services", tx: Tx, job: Job) -> None:
    """A person took the conversation over: no agent goes on in it."""
    event = _event(job, ConversationAssigned)
    conversation = await conversation_queries.get_conversation(tx, event.conversation_id)
    if conversation.holder_kind is HolderKind.PERSON:
        await yielding.yield_to_person(tx, event.conversation_id, yielding.TAKEN)


# documents -------------------------------------------------------------------------------------------------------


async def read_document(job: Job) -> Postpone | None:
    """Read the newest file of a document in a process of its own, and make its passages what agents find."""
    document_id = DocumentId(job.subject_id)
    async with job.transaction("find") as tx:
        version = await knowledge.find_unread(tx, document_id)
    if version is None:
        return None
    content = await job.services.blobs.get(job.principal.organization_id, version.sha256)
    try:
        read = await reader.read(version.name, content)
    except Refused as err:
        async with job.transaction("refuse") as tx:
            await knowledge.refuse(tx, document_id, err.reason.value)
        return None
    async with job.transaction("keep") as tx:
        await knowledge.keep_passages(tx, version, read)
    return None


async def refuse_document(tx: Tx, job: Job, reason: str) -> None:
    await knowledge.refuse(tx, DocumentId(job.subject_id), Refusal.LOST.value)


async def follow_document(services: "Services", tx: Tx, job: Job) -> None:
    """What is removed is forgotten; what may not be quoted is marked so."""
    await knowledge.follow(tx, DocumentId(job.subject_id))


# time ------------------------------------------------------------------------------------------------------------


async def wake_conversation(services: "Services", tx: Tx, job: Job) -> None:
    await conversations.wake_conversation(tx, ConversationId(job.subject_id))


async def return_approval(services: "Services", tx: Tx, job: Job) -> None:
    await drafts.return_approval(tx, ApprovalId(job.subject_id))


async def forget_answers(services: "Services", tx: Tx, job: Job) -> None:
    await answers.forget_old_answers(tx)


async def forget_exchanges(services: "Services", tx: Tx, job: Job) -> None:
    keep = timedelta(days=services.settings.model_exchange_days)
    await model_exchanges.forget_old_exchanges(tx, keep)


# projections -----------------------------------------------------------------------------------------------------


async def publish_live(services: "Services", deliveries: Sequence[Delivery]) -> None:
    """Tell every open page and socket of the organizations that something changed; ids only."""
    for delivery in deliveries:
        about = delivery.subject_id if delivery.subject_kind == "conversation" else ""
        message = {
            "event_id": str(delivery.event_id),
            "type": delivery.event_type,
            "conversation_id": str(about),
        }
        if delivery.subject_kind in tuple(RecordKind):
            message |= {"record_kind": delivery.subject_kind, "record_id": str(delivery.subject_id)}
        await services.pubsub.publish(delivery.organization_id, message)


async def record_employment(services: "Services", tx: Tx, job: Job) -> None:
    """Where a contact works is a relation too: it follows the contact's company."""
    await facts.record_employment(tx, ContactId(job.subject_id))


async def note_matches(services: "Services", tx: Tx, job: Job) -> None:
    """Somebody new or changed may be somebody known: noted for people, merged by nobody."""
    await matches.note_matches_of(tx, ContactId(job.subject_id))
    await suggestions.look_for_matches(tx, [ContactId(job.subject_id)])
    await sweeps.ask_for_sweep(tx, suggestions.NIGHTLY)


async def note_company_matches(services: "Services", tx: Tx, job: Job) -> None:
    """A company that is new or changed may be one that is known."""
    await company_suggestions.look_for_matches(tx, [CompanyId(job.subject_id)])
    await sweeps.ask_for_sweep(tx, company_suggestions.NIGHTLY)


async def match_imported(services: "Services", tx: Tx, job: Job) -> None:
    """An import may bring thousands: they are compared with all others in the next night."""
    for work in (suggestions.NIGHTLY, company_suggestions.NIGHTLY):
        await sweeps.ask_for_sweep(tx, work)


async def project_graph(services: "Services", deliveries: Sequence[Delivery]) -> None:
    """Bring both graph projections up to date with what the events are about; each is idempotent."""
    for delivery in deliveries:
        await services.graph.project(system(delivery.organization_id), delivery.event_of_subject())
