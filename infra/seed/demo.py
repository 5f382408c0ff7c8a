"""Builds the demo organization: people, companies, deals, what we know, and conversations in two languages.

Past talks are imported and trigger nothing. A few contacts write again at the end, as a channel would hand it in,
so that a new user sees the agent at work within the first seconds.
"""

import tomllib
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from core import clock
from core.blobs import Blobs
from core.db import Database, Tx
from core.ids import uuid7
from core.principal import system
from core.settings import Settings
from crm.bidi.partners import seat_partner
from crm.channel_accounts.models import ChannelAccount
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.conversations.actions import receive_message
from crm.conversations.history import PastMessage, import_conversation
from crm.conversations.models import InboundMessage
from crm.deals.actions import create_deal
from crm.deals.models import NewDeal
from crm.facts import actions as facts
from crm.identity.actions import create_organization, create_user
from crm.identity.models import Role
from crm.identity.queries import find_organization_id, list_members
from crm.pipelines.actions import create_pipeline
from crm.pipelines.queries import list_stages
from crm.suggestions import watching
from events import due
from events.ids import CompanyId, ContactId, ConversationId, DealId, MemberId, OrganizationId, UserId
from infra.knowledge import add_file
from infra.seed.activities import add_activities
from infra.seed.decisions import Talk, add_decisions
from infra.seed.mailbox import add_mailbox
from infra.seed.sales import add_sales
from infra.seed.workplace import Workplace, make_workplace

_HERE = Path(__file__).parent
SLUG = "norrwick"
TOTAL_CONTACTS = 200
TOTAL_CONVERSATIONS = 60
# whose the people of the crowd are, by their number in a dozen; the others are everybody's
_OWNERS = {3: "nora", 4: "nora", 9: "paulo"}


@dataclass(frozen=True)
class Demo:
    """What the start-up needs to know of the demo organization."""

    organization_id: OrganizationId
    is_new: bool


@dataclass
class _World:
    """The records made so far, by the keys of demo.toml."""

    zone: ZoneInfo
    users: dict[str, UserId] = field(default_factory=dict)
    members: dict[str, MemberId] = field(default_factory=dict)
    companies: dict[str, CompanyId] = field(default_factory=dict)
    contacts: dict[str, ContactId] = field(default_factory=dict)
    languages: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    deals: dict[str, DealId] = field(default_factory=dict)

    def node(self, key: str) -> tuple[str, UUID]:
        """The kind and id behind a key."""
        if key in self.users:
            return "user", self.users[key]
        if key in self.companies:
            return "company", self.companies[key]
        return "contact", self.contacts[key]

    def at(self, days_back: int, clock_time: str) -> datetime:
        """A moment in the organization's own day."""
        day = (clock.now().astimezone(self.zone) - timedelta(days=days_back)).date()
        return datetime.combine(day, time.fromisoformat(clock_time), self.zone)


async def seed(db: Database, settings: Settings, *, email: str, password: str, bot_token: str) -> Demo:
    """Make the demo organization once; a second call finds it and adds what demos of today have more."""
    existing = await find_organization_id(db, SLUG)
    if existing is not None:
        async with db.transaction(system(existing), "seed.again") as tx:
            await _mailbox(tx, settings, password)
        return Demo(existing, is_new=False)
    data = tomllib.loads((_HERE / "demo.toml").read_text())
    organization_id = OrganizationId(uuid7())
    principal = system(organization_id)
    async with db.transaction(principal, "seed") as tx:
        world = await _identity(tx, data, email=email, password=password)
        await _records(tx, data, world)
        workplace = await _workplace(tx, world, settings, bot_token)
        account = workplace.account
        await _mailbox(tx, settings, password)
        await _knowledge(tx, data, world)
        await _documents(tx, settings)
        await _past(tx, data, world, account)
        talks = await _crowd(tx, world, account)
        await add_decisions(tx, workplace.bidi_id, talks, [world.users["anna"], world.users["ilya"]])
        await add_sales(tx, members=world.members, contacts=world.contacts, deals=world.deals)
    async with db.transaction(principal, "seed.live") as tx:
        await _live(tx, data, world, account)
    return Demo(organization_id, is_new=True)


async def _identity(tx: Tx, data: dict[str, Any], *, email: str, password: str) -> _World:
    organization = data["organization"]
    await create_organization(tx, **organization)
    world = _World(ZoneInfo(organization["time_zone"]))
    for number, member in enumerate(data["members"]):
        address = email if number == 0 else f"{member['key']}@{SLUG}.example"
        world.users[member["key"]] = await create_user(
            tx, email=address, name=member["name"], password=password, role=Role(member["role"]), locale="en"
        )
        world.names[member["key"]] = member["name"]
        if "commission" in member:
            await seat_partner(tx, world.users[member["key"]], member["name"], member["commission"])
    by_user = {one.user_id: MemberId(one.id) for one in await list_members(tx)}
    world.members = {key: by_user[user_id] for key, user_id in world.users.items()}
    return world


async def _records(tx: Tx, data: dict[str, Any], world: _World) -> None:
    for company in data["companies"]:
        fields = {name: value for name, value in company.items() if name != "key"}
        world.companies[company["key"]] = (await create_company(tx, NewCompany(**fields))).id
    for person in data["contacts"]:
        await _contact(tx, world, person)
    pipeline = await create_pipeline(tx, "Sales")
    stages = {stage.name: stage.id for stage in await list_stages(tx, pipeline.id)}
    for deal in data["deals"]:
        made = await create_deal(
            tx,
            NewDeal(
                name=deal["name"],
                stage_id=stages[deal["stage"]],
                company_id=world.companies[deal["company"]],
                contact_id=world.contacts[deal["contact"]],
                amount_minor=deal["amount_minor"],
                currency=deal["currency"],
                close_date=date.today() + timedelta(days=30),
                next_step=deal.get("next_step", ""),
            ),
        )
        world.deals[deal["key"]] = made.id


async def _contact(tx: Tx, world: _World, person: dict[str, Any]) -> None:
    contact = await create_contact(
        tx,
        NewContact(
            name=person["name"],
            title=person["title"],
            company_id=world.companies[person["company"]],
            language=person["language"],
            time_zone=person.get("time_zone"),
            handles=tuple((kind, value) for kind, value in person.get("handles", ())),
            owner_id=world.members[person["owner"]] if "owner" in person else None,
        ),
    )
    world.contacts[person["key"]] = contact.id
    world.languages[person["key"]] = person["language"]
    world.names[person["key"]] = person["name"]
    await facts.assert_relation(
        tx,
        subject=("contact", contact.id),
        predicate="works_at",
        object=("company", world.companies[person["company"]]),
        strength=1.0,
        source_label="Business card",
    )


async def _workplace(tx: Tx, world: _World, settings: Settings, bot_token: str) -> Workplace:
    return await make_workplace(
        tx,
        name="Norrwick bot",
        bot_token=bot_token,
        keys=settings.keyring,
        responsible=world.users["anna"],
        delivery="webhook" if settings.public_url else "polling",
    )


async def _mailbox(tx: Tx, settings: Settings, password: str) -> None:
    await add_mailbox(tx, password=password, keys=settings.keyring)


async def _knowledge(tx: Tx, data: dict[str, Any], world: _World) -> None:
    for fact in data["facts"]:
        await facts.assert_text(
            tx,
            subject=world.node(fact["about"]),
            predicate=fact["predicate"],
            text=fact["text"],
            source_label=fact["source"],
            is_confirmed=fact.get("is_confirmed", True),
        )
    for tie in data["acquaintances"]:
        await facts.assert_relation(
            tx,
            subject=world.node(tie["from"]),
            predicate="knows",
            object=world.node(tie["to"]),
            strength=tie["strength"],
            source_label=tie["how"],
            text=tie["how"],
        )
    await add_activities(tx, data, users=world.users, contacts=world.contacts, at=world.at)


async def _documents(tx: Tx, settings: Settings) -> None:
    """The price list and the answers to frequent questions; a worker reads them once it is there."""
    for path in sorted((_HERE / "documents").iterdir()):
        await add_file(tx, Blobs(settings.data), path)


async def _past(tx: Tx, data: dict[str, Any], world: _World, account: ChannelAccount) -> None:
    for talk in data["conversations"]:
        contact_id = world.contacts[talk["contact"]]
        member_id = world.users[talk["member"]]
        messages = [
            _past_message(who == "them", contact_id, member_id, text, world.at(days, moment))
            for days, moment, who, text in talk["messages"]
        ]
        imported = await import_conversation(
            tx, account, contact_id, chat_id=_chat_of(data, talk["contact"]), messages=messages
        )
        if talk.get("rests"):
            # read at the first start, as if it had just come to rest: what was promised in it is due by now
            await due.schedule(tx, watching.REST, imported.conversation_id, clock.now())
        for message in messages:
            await facts.record_interaction(
                tx,
                contact_id,
                None,
                occurred_at=message.occurred_at,
                seat_kind="user",
                seat_id=member_id,
            )


def _past_message(
    is_inbound: bool, contact_id: ContactId, member_id: UserId, text: str, at: datetime
) -> PastMessage:
    author = ("contact", contact_id) if is_inbound else ("user", member_id)
    return PastMessage(is_inbound, author[0], author[1], text, at)


def _chat_of(data: dict[str, Any], key: str) -> str:
    """A private chat's id is the person's Telegram id."""
    person = next(person for person in data["contacts"] if person["key"] == key)
    return str(next(value for kind, value in person["handles"] if kind == "telegram_id"))


async def _crowd(tx: Tx, world: _World, account: ChannelAccount) -> list[Talk]:
    """The rest of the two hundred people and sixty conversations, put together from names.toml."""
    parts = tomllib.loads((_HERE / "names.toml").read_text())
    talks_left = TOTAL_CONVERSATIONS - 10
    talks = []
    for number in range(TOTAL_CONTACTS - len(world.contacts)):
        language = "ru" if number % 2 else "en"
        own = parts[language]
        key = f"crowd{number}"
        company_key = await _crowd_company(tx, world, own, language, number // 4)
        given = own["given"][(number // 2) % len(own["given"])]
        family = own["family"][(number * 7 // 2) % len(own["family"])]
        owner = _OWNERS.get(number % 12)
        await _contact(
            tx,
            world,
            {
                **({"owner": owner} if owner else {}),
                "key": key,
                "name": f"{given} {family}",
                "title": own["titles"][number % len(own["titles"])],
                "company": company_key,
                "language": language,
                "handles": [("telegram_id", str(701000000 + number))],
            },
        )
        if number < talks_left:
            conversation_id = await _crowd_talk(tx, world, account, own, key, given, number)
            talks.append(Talk(conversation_id, given, language))
    return talks


async def _crowd_company(tx: Tx, world: _World, own: dict[str, Any], language: str, number: int) -> str:
    key = f"{language}-company{number}"
    if key not in world.companies:
        first = own["company_first"][number % len(own["company_first"])]
        second = own["company_second"][(number // len(own["company_first"])) % len(own["company_second"])]
        name = f"{first} {second}"
        new = NewCompany(name=name, domain=f"{key}.example", employees=40 + number * 13 % 400)
        world.companies[key] = (await create_company(tx, new)).id
    return key


async def _crowd_talk(
    tx: Tx, world: _World, account: ChannelAccount, own: dict[str, Any], key: str, given: str, number: int
) -> ConversationId:
    contact_id = world.contacts[key]
    member_id = world.users[_OWNERS.get(number % 12) or ("anna" if number % 3 else "ilya")]
    days = 5 + number
    messages = [
        _past_message(
            who == "them",
            contact_id,
            member_id,
            text.format(given=given),
            world.at(days, f"{9 + position * 2:02d}:{(number * 7) % 60:02d}"),
        )
        for position, (who, text) in enumerate(own["talks"][(number // 2) % len(own["talks"])]["messages"])
    ]
    chat_id = str(701000000 + number)
    imported = await import_conversation(tx, account, contact_id, chat_id=chat_id, messages=messages)
    return imported.conversation_id


async def _live(tx: Tx, data: dict[str, Any], world: _World, account: ChannelAccount) -> None:
    """New messages, in through the same action as the channel's own."""
    for talk in data["conversations"]:
        key = talk["contact"]
        for number, text in enumerate(talk.get("live", ())):
            await receive_message(
                tx,
                account,
                InboundMessage(
                    update_id=f"demo-{key}-{number}",
                    chat_id=_chat_of(data, key),
                    message_id=f"demo-{key}-{number}",
                    sender_name=world.names[key],
                    sender_language=world.languages[key],
                    handles=(("telegram_id", _chat_of(data, key)),),
                    text=text,
                    occurred_at=clock.now() - timedelta(seconds=60 - number),
                ),
            )
