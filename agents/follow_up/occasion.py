"""What a run of the follow-up agent is about: the promise or the deal, with whom, and what may be done."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from agents.agent import Unwanted
from agents.follow_up.contract import DuePromise, Line, Occasion, StalledDeal
from agents.said import SaidMessages
from core import clock
from core.db import Tx
from core.errors import NotFound
from core.languages import Language
from crm.contacts.models import Contact
from crm.contacts.queries import get_contact
from crm.conversations.models import Conversation, HolderKind
from crm.conversations.queries import get_conversation, list_conversations_of_contact
from crm.deals.models import Deal
from crm.deals.queries import get_deal
from crm.identity.queries import find_member_id, get_organization
from crm.pipelines.models import Outcome
from crm.pipelines.queries import list_stages
from crm.promises.models import Promise, PromiseStatus
from crm.promises.queries import get_promise
from crm.runs.models import AboutKind, Run
from crm.suggestions.watching import find_quiet_deal
from events.ids import ContactId, DealId, PromiseId

LAST = 30


@dataclass(frozen=True)
class Subject:
    """`assignee_id` is the colleague whose matter it is: who owns the deal, or holds the conversation."""

    promise: Promise | None
    deal: Deal | None
    stalled: StalledDeal | None
    contact: Contact | None
    conversation: Conversation | None
    assignee_id: UUID | None
    language: Language
    zone: ZoneInfo
    now: datetime

    @property
    def may_draft(self) -> bool:
        """A person who holds a conversation writes in it themselves."""
        conversation = self.conversation
        return conversation is not None and conversation.holder_kind in (None, HolderKind.AGENT)


async def load_subject(tx: Tx, run: Run) -> Subject:
    """Raises: Unwanted when it is over meanwhile: kept, closed, moved, or gone."""
    return await _load(tx, run, None)


async def recall_subject(tx: Tx, run: Run) -> Subject:
    """What it was about when it was asked for, also where that is over. Raises: Unwanted when it is gone."""
    return await _load(tx, run, run.due_at)


async def _load(tx: Tx, run: Run, then: datetime | None) -> Subject:
    if run.about_id is None:
        raise ValueError(f"The run {run.id} is about nothing.")
    try:
        if run.about_kind is AboutKind.PROMISE:
            return await _of_promise(tx, PromiseId(run.about_id), then)
        return await _of_deal(tx, DealId(run.about_id), then)
    except NotFound as err:
        raise Unwanted("what it is about is gone") from err


async def _of_promise(tx: Tx, promise_id: PromiseId, then: datetime | None) -> Subject:
    promise = await get_promise(tx, promise_id)
    if then is None and promise.status is not PromiseStatus.OPEN:
        raise Unwanted(f"the promise is {promise.status}")
    conversation = await get_conversation(tx, promise.conversation_id)
    contact = await get_contact(tx, promise.contact_id)
    return await _subject(tx, promise, None, None, contact, conversation, then or clock.now())


async def _of_deal(tx: Tx, deal_id: DealId, then: datetime | None) -> Subject:
    deal, quiet = await get_deal(tx, deal_id), await find_quiet_deal(tx, deal_id, at=then)
    now = then or clock.now()
    if quiet is None or quiet.stalls_at > now:
        raise Unwanted("the deal does not stand still")
    contact = await get_contact(tx, deal.contact_id) if deal.contact_id else None
    conversation = await _last_conversation(tx, contact) if contact else None
    stages = await list_stages(tx, deal.pipeline_id)
    here = next(stage for stage in stages if stage.id == quiet.stage_id)
    ahead = [one for one in stages if one.is_open and one.position > here.position][:1]
    lost = [one for one in stages if one.outcome is Outcome.LOST]
    stalled = StalledDeal(
        name=deal.name,
        stage=here.name,
        quiet_days=max((now - quiet.quiet_since).days, 0),
        next_step=deal.next_step,
        stages=tuple(one.name for one in [*ahead, *lost]),
    )
    return await _subject(tx, None, deal, stalled, contact, conversation, now)


async def _last_conversation(tx: Tx, contact: Contact) -> Conversation | None:
    found = await list_conversations_of_contact(tx, ContactId(contact.id))
    return await get_conversation(tx, found[0].id) if found else None


async def _subject(
    tx: Tx,
    promise: Promise | None,
    deal: Deal | None,
    stalled: StalledDeal | None,
    contact: Contact | None,
    conversation: Conversation | None,
    now: datetime,
) -> Subject:
    organization = await get_organization(tx)
    zone = ZoneInfo(organization.time_zone)
    assignee: UUID | None = deal.owner_id if deal else None
    is_held = conversation is not None and conversation.holder_kind is HolderKind.PERSON
    if assignee is None and conversation is not None and is_held and conversation.holder_id:
        assignee = await find_member_id(tx, conversation.holder_id)
    return Subject(
        promise,
        deal,
        stalled,
        contact,
        conversation,
        assignee,
        "ru" if organization.locale == "ru" else "en",
        zone,
        now.astimezone(zone),
    )


def occasion_of(subject: Subject, said: JsonValue) -> tuple[Occasion, dict[int, UUID]]:
    """The occasion as a model sees it, and which message each number is."""
    messages = [
        one
        for one in SaidMessages.model_validate(said or {}).messages
        if one.status not in ("cancelled", "failed")
    ]
    lines = tuple(
        Line(
            n=n,
            author="us" if one.direction == "out" else "contact",
            text=one.text,
            at=one.occurred_at.astimezone(subject.zone),
            files=one.files,
        )
        for n, one in enumerate(messages, 1)
    )
    ids = dict(enumerate((one.id for one in messages), 1))
    contact = subject.contact
    shown = Occasion(
        now=subject.now,
        language=subject.language,
        contact=contact.name if contact else "",
        contact_language="ru" if contact and contact.language == "ru" else "en",
        may_draft=subject.may_draft,
        promise=_promise(subject, ids),
        deal=subject.stalled,
        lines=lines,
    )
    return shown, ids


def _promise(subject: Subject, ids: dict[int, UUID]) -> DuePromise | None:
    promise = subject.promise
    if promise is None:
        return None
    return DuePromise(
        message=next((n for n, id in ids.items() if id == promise.message_id), None),
        is_ours=promise.is_ours,
        quote=promise.quote,
        made_at=promise.made_at.astimezone(subject.zone),
        due_at=promise.due_at.astimezone(subject.zone),
    )
