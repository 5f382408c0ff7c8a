"""A small firm with a CRM that questions are asked about: made out of data, by the same actions as people.

firm = read_firm()
made = await furnish(tx, firm)       # the organization whose id the transaction carries
made.members["anna"], made.ids["deal:havik-freezer-gates"]
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from core import clock
from core.db import Tx
from core.principal import Principal, PrincipalKind
from crm.channel_accounts.actions import keep_imported_account
from crm.channel_accounts.queries import get_channel_account
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.conversations.history import PastMessage, import_conversation
from crm.deals.actions import create_deal
from crm.deals.models import NewDeal
from crm.facts.actions import assert_relation, assert_text, record_employment
from crm.identity.actions import create_organization, create_stand_in
from crm.identity.models import SCOPES, Role
from crm.identity.queries import find_member_id
from crm.meetings.actions import create_meeting
from crm.meetings.models import NewMeeting
from crm.notes.actions import create_note
from crm.pipelines.actions import create_pipeline
from crm.pipelines.queries import list_stages
from crm.records.models import RecordRef
from crm.tags.actions import ensure_tag, put_tag
from crm.tasks.actions import create_task
from crm.tasks.models import NewTask
from events.ids import CompanyId, ContactId, MemberId, OrganizationId, RecordKind, UserId

DATA = Path(__file__).parent / "datasets" / "copilot.firm.json"


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Keyed(Protocol):
    """Whatever the data of the firm calls by a key."""

    @property
    def key(self) -> str: ...


class Colleague(_Told):
    key: str
    name: str
    role: Role


class Company(_Told):
    key: str
    name: str
    city: str
    employees: int
    about: str


class Contact(_Told):
    key: str
    name: str
    title: str
    company: str
    language: str
    owner: str


class Deal(_Told):
    """`touched_days_ago` is when anything of it changed last, counted back from the firm's present."""

    key: str
    name: str
    company: str
    contact: str
    stage: str
    amount_minor: int
    currency: str
    owner: str
    touched_days_ago: int
    created_days_ago: int
    close_date: date | None
    next_step: str


class Task(_Told):
    key: str
    title: str
    assignee: str
    due: datetime | None
    deal: str = ""
    contact: str = ""


class Meeting(_Told):
    key: str
    title: str
    starts: datetime
    minutes: int
    contact: str
    members: tuple[str, ...]


class Remark(_Told):
    """A note on a contact or a deal."""

    body: str
    contact: str = ""
    deal: str = ""


class Statement(_Told):
    text: str
    contact: str = ""
    company: str = ""


class Acquaintance(_Told):
    """A member, or a contact, knows a contact."""

    strength: float
    contact: str
    member: str = ""
    other: str = ""


class Talk(_Told):
    """Everything that was written with a contact: by whom, which member it was, when, and what."""

    contact: str
    lines: tuple[tuple[Literal["contact", "us"], str, datetime, str], ...]


class Tagged(_Told):
    tags: tuple[str, ...]
    company: str = ""
    contact: str = ""


class Firm(_Told):
    organization: str
    time_zone: str
    now: datetime
    members: tuple[Colleague, ...]
    companies: tuple[Company, ...]
    contacts: tuple[Contact, ...]
    deals: tuple[Deal, ...]
    tasks: tuple[Task, ...]
    meetings: tuple[Meeting, ...]
    notes: tuple[Remark, ...]
    facts: tuple[Statement, ...]
    knows: tuple[Acquaintance, ...]
    talks: tuple[Talk, ...]
    tags: tuple[Tagged, ...]


@cache
def read_firm() -> Firm:
    return Firm.model_validate_json(DATA.read_text(encoding="utf-8"))


def names_of(firm: Firm) -> list[str]:
    """What cases may call its members and records: `member:KEY`, `user:KEY`, `deal:KEY` ..."""
    named: dict[str, Iterable[Keyed]] = {
        "member": firm.members,
        "user": firm.members,
        "company": firm.companies,
        "contact": firm.contacts,
        "deal": firm.deals,
        "task": firm.tasks,
        "meeting": firm.meetings,
    }
    return [f"{kind}:{one.key}" for kind, those in named.items() for one in those]


@dataclass
class Furnished:
    """What was made: members as principals by key, and records by `kind:key`."""

    members: dict[str, Principal] = field(default_factory=dict)
    member_ids: dict[str, MemberId] = field(default_factory=dict)
    ids: dict[str, UUID] = field(default_factory=dict)

    def record(self, kind: RecordKind, key: str) -> RecordRef:
        return RecordRef(kind, self.ids[f"{kind.value}:{key}"])


async def furnish(tx: Tx, firm: Firm) -> Furnished:
    """Fill the organization whose id the transaction carries; time stands still meanwhile."""
    made = Furnished()
    with _at(firm, 90):
        await create_organization(
            tx,
            slug=f"firm-{tx.organization_id}",
            name=firm.organization,
            locale="en",
            time_zone=firm.time_zone,
        )
        await _people(tx, firm, made)
    await _sales(tx, firm, made)
    with _at(firm, 1):
        await _work(tx, firm, made)
        await _knowledge(tx, firm, made)
        await _talks(tx, firm, made)
    return made


@contextmanager
def _at(firm: Firm, days_ago: int) -> Iterator[None]:
    with clock.frozen(firm.now - timedelta(days=days_ago)):
        yield


def _acting(tx: Tx, made: Furnished, key: str) -> Tx:
    return replace(tx, principal=made.members[key])


async def _people(tx: Tx, firm: Firm, made: Furnished) -> None:
    organization_id = OrganizationId(tx.organization_id)
    for one in firm.members:
        user_id = await create_stand_in(tx, name=one.name, role=one.role, locale="en")
        made.members[one.key] = Principal(
            PrincipalKind.USER, user_id, organization_id, scopes=SCOPES[one.role]
        )
        member_id = await find_member_id(tx, user_id)
        assert member_id is not None
        made.member_ids[one.key] = member_id
    for company in firm.companies:
        new = NewCompany(company.name, city=company.city, employees=company.employees, about=company.about)
        made.ids[f"company:{company.key}"] = (await create_company(tx, new)).id
    for contact in firm.contacts:
        person = NewContact(
            contact.name,
            title=contact.title,
            company_id=CompanyId(made.ids[f"company:{contact.company}"]),
            language=contact.language,
            owner_id=made.member_ids[contact.owner],
        )
        contact_id = (await create_contact(tx, person)).id
        made.ids[f"contact:{contact.key}"] = contact_id
        await record_employment(tx, contact_id)


async def _sales(tx: Tx, firm: Firm, made: Furnished) -> None:
    with _at(firm, 90):
        pipeline = await create_pipeline(tx, "Sales")
    stages = {stage.name: stage.id for stage in await list_stages(tx, pipeline.id)}
    for deal in firm.deals:
        with _at(firm, deal.touched_days_ago):
            new = NewDeal(
                deal.name,
                stages[deal.stage],
                company_id=CompanyId(made.ids[f"company:{deal.company}"]),
                contact_id=ContactId(made.ids[f"contact:{deal.contact}"]),
                amount_minor=deal.amount_minor,
                currency=deal.currency,
                close_date=deal.close_date,
                next_step=deal.next_step,
                owner_id=made.member_ids[deal.owner],
                lost_reason="No budget" if deal.stage == "Lost" else "",
            )
            made.ids[f"deal:{deal.key}"] = (await create_deal(tx, new)).id


async def _work(tx: Tx, firm: Firm, made: Furnished) -> None:
    for task in firm.tasks:
        about = _about(made, contact=task.contact, deal=task.deal)
        new = NewTask(task.title, about, assignee_id=made.member_ids[task.assignee], due_at=task.due)
        made.ids[f"task:{task.key}"] = (await create_task(_acting(tx, made, task.assignee), new)).id
    for meeting in firm.meetings:
        planned = NewMeeting(
            meeting.title,
            meeting.starts,
            meeting.starts + timedelta(minutes=meeting.minutes),
            contact_ids=(ContactId(made.ids[f"contact:{meeting.contact}"]),),
            member_ids=tuple(made.member_ids[key] for key in meeting.members),
        )
        by = _acting(tx, made, meeting.members[0])
        made.ids[f"meeting:{meeting.key}"] = (await create_meeting(by, planned)).id
    for note in firm.notes:
        place = _about(made, contact=note.contact, deal=note.deal)
        if place is not None:
            await create_note(_acting(tx, made, "anna"), place, note.body)


def _about(made: Furnished, *, contact: str = "", deal: str = "") -> RecordRef | None:
    if deal:
        return made.record(RecordKind.DEAL, deal)
    return made.record(RecordKind.CONTACT, contact) if contact else None


async def _knowledge(tx: Tx, firm: Firm, made: Furnished) -> None:
    by = _acting(tx, made, "anna")
    for fact in firm.facts:
        kind = "contact" if fact.contact else "company"
        about = (kind, made.ids[f"{kind}:{fact.contact or fact.company}"])
        await assert_text(by, subject=about, predicate="says", text=fact.text)
    for one in firm.knows:
        target = ("contact", made.ids[f"contact:{one.other or one.contact}"])
        knower = (
            ("user", UUID(str(made.members[one.member].id)))
            if one.member
            else ("contact", made.ids[f"contact:{one.contact}"])
        )
        await assert_relation(by, subject=knower, predicate="knows", object=target, strength=one.strength)
    for tagged in firm.tags:
        kind = RecordKind.COMPANY if tagged.company else RecordKind.CONTACT
        record = made.record(kind, tagged.company or tagged.contact)
        for name in tagged.tags:
            tag_id = made.ids[f"tag:{name}"] = (await ensure_tag(by, name)).id
            await put_tag(by, kind, record.id, tag_id)


async def _talks(tx: Tx, firm: Firm, made: Furnished) -> None:
    account_id = await keep_imported_account(tx, channel="telegram", name="Telegram", address="firm")
    account = await get_channel_account(tx, account_id)
    for number, talk in enumerate(firm.talks, start=1):
        contact_id = ContactId(made.ids[f"contact:{talk.contact}"])
        said = [
            PastMessage(
                is_inbound=by == "contact",
                author_kind="contact" if by == "contact" else "user",
                author_id=contact_id if by == "contact" else UserId(made.members[member].id),
                body=words,
                occurred_at=at,
            )
            for by, member, at, words in talk.lines
        ]
        await import_conversation(tx, account, contact_id, chat_id=f"7{number:08}", messages=said)
