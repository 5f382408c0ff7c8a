"""Makes the organization that a scene describes, by the same actions as people and channels."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from core.db import Tx
from core.envelopes import Keyring
from crm.automation.actions import create_trigger
from crm.automation.models import Condition, RunAgent, TriggerBody
from crm.bidi.actions import create_ai_bidi
from crm.channel_accounts.actions import LISTEN, connect_telegram_bot
from crm.channel_accounts.models import ChannelAccount
from crm.channel_accounts.queries import get_channel_account
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.conversations.history import PastMessage, import_conversation
from crm.deals.actions import create_deal
from crm.deals.models import NewDeal
from crm.facts.actions import assert_relation, assert_text
from crm.identity.actions import create_organization, create_stand_in
from crm.identity.models import Role
from crm.knowledge.actions import add_document
from crm.knowledge.models import File
from crm.notes.actions import create_note
from crm.pipelines.actions import add_stage, create_pipeline
from crm.pipelines.models import DEFAULT_STAGES, NewStage
from crm.pipelines.queries import list_stages
from crm.records.models import RecordRef
from crm.tasks.actions import create_task
from crm.tasks.models import NewTask
from evals.scene import Paper, Scene, Seat
from events import due
from events.ids import BidiId, ChannelAccountId, ContactId, RecordKind, UserId
from memory import knowledge
from memory.documents import markdown
from memory.documents.chunks import chunks_of
from memory.documents.reader import Read


@dataclass
class Furnished:
    """What was made; `ids` has the records by what a case may call them: `company`, `deal`, `deal 2`, `task` ..."""

    user_id: UserId
    account: ChannelAccount
    bidi_id: BidiId
    contact_id: ContactId
    ids: dict[str, UUID] = field(default_factory=dict)


async def furnish(tx: Tx, scene: Scene) -> Furnished:
    """Fill the organization whose id the transaction carries."""
    person = scene.contact
    await create_organization(
        tx, slug=f"arena-{tx.organization_id}", name="Arena", locale=person.language, time_zone="UTC"
    )
    user_id = await create_stand_in(tx, name="Olga Owner", role=Role.OWNER, locale=person.language)
    account_id = await _account(tx)
    bidi_id = await _seat(tx, scene.seat, user_id)
    ids: dict[str, UUID] = {}
    if person.company:
        ids["company"] = (await create_company(tx, NewCompany(person.company))).id
    contact = await create_contact(
        tx,
        NewContact(
            person.name,
            title=person.title,
            company_id=ids.get("company"),  # type: ignore[arg-type]  # the id of a company
            language=person.language,
            handles=(("telegram_id", person.telegram_id),),
        ),
    )
    ids["contact"] = contact.id
    made = Furnished(user_id, await get_channel_account(tx, account_id), bidi_id, contact.id, ids)
    await _knowledge(tx, scene, made)
    await _work(tx, scene, made)
    await _past(tx, scene, made)
    return made


async def _account(tx: Tx) -> ChannelAccountId:
    """A bot to which nobody listens and for which nobody sends: what goes out over it stays queued for ever."""
    account_id = await connect_telegram_bot(
        tx, name="Arena", address="arena", token="-", keys=Keyring("-"), delivery="webhook"
    )
    await due.cancel(tx, LISTEN, account_id)
    return account_id


async def _seat(tx: Tx, seat: Seat, responsible: UserId) -> BidiId:
    """The seat, and the rule that calls it when the contact writes."""
    bidi_id = await create_ai_bidi(
        tx,
        name=seat.name,
        agent=seat.agent,
        autonomy=seat.autonomy,
        persona=seat.persona,
        responsible_user_id=responsible,
    )
    free = [
        Condition(field="conversation.holder_kind", operator="not_in", value=["person", "campaign"]),
        Condition(field="contact.is_suppressed", operator="is", value=False),
    ]
    body = TriggerBody(conditions=free, actions=[RunAgent(bidi_id=bidi_id)])
    await create_trigger(tx, name="Answer incoming messages", event_type="message.received", body=body)
    return bidi_id


async def _knowledge(tx: Tx, scene: Scene, made: Furnished) -> None:
    """Facts, documents, and who knows whom."""
    for number, fact in enumerate(scene.facts, 1):
        kind = fact.about if fact.about in made.ids else "contact"
        stated = await assert_text(
            tx,
            subject=(kind, made.ids[kind]),
            predicate=fact.predicate,
            text=fact.text,
            source_label=fact.source,
            is_confirmed=fact.is_confirmed,
        )
        made.ids[_name("fact", number)] = stated.id
    for number, other in enumerate(scene.acquaintances, 1):
        friend = await create_contact(tx, NewContact(other.name, title=other.title))
        made.ids[_name("acquaintance", number)] = friend.id
        for one in (("contact", made.contact_id), ("user", made.user_id)):
            await assert_relation(
                tx, subject=one, predicate="knows", object=("contact", friend.id), strength=other.strength
            )
    for number, paper in enumerate(scene.documents, 1):
        made.ids[_name("document", number)] = await _paper(tx, paper, number)


async def _paper(tx: Tx, paper: Paper, number: int) -> UUID:
    content = paper.text.encode()
    lines = tuple(markdown.parse(content))
    key = f"{number:064x}"  # nobody opens the file: its text is read here
    document_id, _ = await add_document(
        tx, File(paper.name, key, len(content)), is_publishable=paper.is_publishable
    )
    version = await knowledge.find_unread(tx, document_id)
    if version is not None:
        chunks = chunks_of(lines)
        languages = tuple(sorted({chunk.language for chunk in chunks}))
        await knowledge.keep_passages(tx, version, Read("text/markdown", languages, None, len(lines), chunks))
    return document_id


async def _work(tx: Tx, scene: Scene, made: Furnished) -> None:
    """Deals, notes and tasks around the contact."""
    contact = RecordRef(RecordKind.CONTACT, made.contact_id)
    if scene.deals:
        own = {deal.stage for deal in scene.deals if deal.stage} - {stage.name for stage in DEFAULT_STAGES}
        pipeline = await create_pipeline(tx, "Sales")
        for stage in sorted(own):
            await add_stage(tx, pipeline.id, NewStage(stage))
        stages = {stage.name: stage.id for stage in await list_stages(tx, pipeline.id)}
        for number, deal in enumerate(scene.deals, 1):
            new = NewDeal(
                deal.name,
                stages.get(deal.stage) or next(iter(stages.values())),
                company_id=made.ids.get("company"),  # type: ignore[arg-type]  # the id of a company
                contact_id=made.contact_id,
                amount_minor=deal.amount_minor,
                currency=deal.currency,
                close_date=deal.close_date,
                next_step=deal.next_step,
            )
            made.ids[_name("deal", number)] = (await create_deal(tx, new)).id
    for number, body in enumerate(scene.notes, 1):
        made.ids[_name("note", number)] = (await create_note(tx, contact, body)).id
    for number, title in enumerate(scene.tasks, 1):
        made.ids[_name("task", number)] = (await create_task(tx, NewTask(title, contact))).id


async def _past(tx: Tx, scene: Scene, made: Furnished) -> None:
    """The talk so far: read by everybody, answered by nobody."""
    said = [
        PastMessage(
            is_inbound=line.by == "contact",
            author_kind="contact" if line.by == "contact" else "user",
            author_id=made.contact_id if line.by == "contact" else made.user_id,
            body=line.text,
            occurred_at=scene.now - timedelta(minutes=line.minutes_ago),
        )
        for line in scene.history
    ]
    if said:
        await import_conversation(
            tx, made.account, made.contact_id, chat_id=scene.contact.telegram_id, messages=said
        )


def _name(kind: str, number: int) -> str:
    return kind if number == 1 else f"{kind} {number}"
