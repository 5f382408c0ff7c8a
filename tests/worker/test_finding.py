"""What is written on records is found once the worker has seen it, and is found no more once it is gone."""

from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import pytest

from core import clock
from core.db import Tx
from core.filters import ValueKind
from core.principal import Principal
from core.settings import Settings
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact, delete_contact, restore_contact, update_contact
from crm.contacts.models import Contact, ContactEdit, NewContact
from crm.contacts.queries import get_contact
from crm.custom_fields.actions import archive_custom_field, create_custom_field, restore_custom_field
from crm.custom_fields.models import CustomField, NewCustomField
from crm.deals.actions import create_deal
from crm.deals.models import NewDeal
from crm.files.actions import add_file, remove_file
from crm.files.models import File, NewFile
from crm.leads.actions import create_lead
from crm.leads.models import NewLead
from crm.meetings.actions import create_meeting, remove_meeting
from crm.meetings.models import MeetingLine, NewMeeting
from crm.merges.actions import merge_records
from crm.notes.actions import create_note, remove_note, restore_note, update_note
from crm.notes.models import Note
from crm.pipelines.actions import create_pipeline
from crm.pipelines.models import Outcome
from crm.pipelines.queries import list_all_stages
from crm.records.models import RecordRef
from crm.search.models import FoundKind, Hit
from crm.search.queries import search
from crm.tags.actions import delete_tag, ensure_tag, merge_tags, put_tag, take_tag, update_tag
from crm.tags.models import Tag, TagEdit
from events.ids import RecordKind
from tests.support.working import carry_out_due, carry_out_events
from worker import services as worker_services
from worker.services import Services

T = TypeVar("T")


@dataclass
class Office:
    """Anna with whatever hangs on her, and the worker."""

    services: Services
    owner: Principal
    anna: Contact
    note: Note
    meeting: MeetingLine
    file: File
    field: CustomField
    tag: Tag

    async def do(self, action: Callable[[Tx], Coroutine[None, None, T]]) -> T:
        """Do something, and let the worker see it."""
        async with self.services.db.transaction(self.owner, "test") as tx:
            done = await action(tx)
        await carry_out_events(self.services, self.owner)
        await carry_out_due(self.services, self.owner, "search.look_again")
        return done

    async def hits(self, text: str, principal: Principal | None = None) -> list[Hit]:
        async with self.services.db.transaction(principal or self.owner, "test") as tx:
            return (await search(tx, text)).hits

    async def found(self, text: str, principal: Principal | None = None) -> list[tuple[FoundKind, str]]:
        return [(hit.kind, hit.title.text) for hit in await self.hits(text, principal)]


NOTE, MEETING, FILE = (
    (FoundKind.NOTE, "Анна Петрова"),
    (FoundKind.MEETING, "Показ терминалов"),
    (FoundKind.FILE, "Спецификация Север.pdf"),
)
ANNA = (FoundKind.CONTACT, "Анна Петрова")


@pytest.fixture
async def office(settings: Settings, organization: Principal) -> AsyncIterator[Office]:
    async with worker_services.build(settings) as services:
        async with services.db.transaction(organization, "test") as tx:
            field = await create_custom_field(
                tx, NewCustomField(RecordKind.CONTACT, "Contract", ValueKind.TEXT)
            )
            anna = await create_contact(
                tx, NewContact("Анна Петрова", custom={"contract": "Рамочный договор 2026-114"})
            )
            about = RecordRef(RecordKind.CONTACT, anna.id)
            tag = await ensure_tag(tx, "Выставка Экспо")
            await put_tag(tx, RecordKind.CONTACT, anna.id, tag.id)
            note = await create_note(tx, about, "Просила рассрочку на холодильники до весны.")
            starts_at = clock.now() + timedelta(days=1)
            meeting = await create_meeting(
                tx,
                NewMeeting(
                    "Показ терминалов",
                    starts_at,
                    starts_at + timedelta(hours=1),
                    place="Шоурум на Ленина",
                    contact_ids=(anna.id,),
                ),
            )
            file = await add_file(
                tx, about, NewFile("Спецификация Север.pdf", "application/pdf", 10, "a key")
            )
        made = Office(services, organization, anna, note, meeting, file, field, tag)
        await carry_out_events(services, organization)
        yield made


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("рассрочка", NOTE), ("холодильник", NOTE), ("расср", NOTE), ("расрочка", NOTE), ("hfcchjxre", NOTE),
        ("показ", MEETING), ("терминалы", MEETING), ("gjrfp", MEETING), ("шоурум", MEETING), ("анна показ", MEETING),
        ("спецификации", FILE), ("север", FILE), ("cgtwbabrfwbz", FILE), ("анна спецификация", FILE),
        ("экспо", ANNA), ("выставке", ANNA), ("'rcgj", ANNA), ("выстовка", ANNA),
        ("рамочный", ANNA), ("2026-114", ANNA), ("договора", ANNA),
    ],
)  # fmt: skip
async def test_what_is_written_on_a_record_is_found(
    office: Office, typed: str, wanted: tuple[FoundKind, str]
) -> None:
    assert (await office.found(typed))[0] == wanted


async def test_a_note_is_found_by_what_it_says_and_not_by_whose_it_is(office: Office) -> None:
    kinds = [kind for kind, _ in await office.found("петрова")]

    assert kinds == [FoundKind.CONTACT, FoundKind.MEETING, FoundKind.FILE]


async def test_a_find_says_what_it_hangs_on_and_where_the_words_stand(office: Office) -> None:
    (note,) = await office.hits("рассрочка")
    (anna,) = await office.hits("экспо")

    assert (note.record_kind, note.record_id) == (RecordKind.CONTACT, office.anna.id)
    assert [text for text, is_marked in note.snippet.pieces() if is_marked] == ["рассрочку"]
    assert anna.snippet.pieces() == [("Выставка ", False), ("Экспо", True)]


async def test_companies_deals_and_leads_are_found_by_their_tags_and_texts(office: Office) -> None:
    async def fill(tx: Tx) -> None:
        await create_pipeline(tx, "Sales")
        for kind in (RecordKind.COMPANY, RecordKind.DEAL):
            await create_custom_field(tx, NewCustomField(kind, "Code", ValueKind.TEXT, key="code"))
        company = await create_company(tx, NewCompany("Lind", custom={"code": "quokka"}))
        stage = next(one for one in await list_all_stages(tx) if one.outcome is Outcome.OPEN)
        new = NewDeal("40 scanners", stage.id, company_id=company.id, custom={"code": "wombat"})
        deal = await create_deal(tx, new)
        lead = await create_lead(tx, NewLead(office.anna.id))
        for kind, id in (
            (RecordKind.COMPANY, company.id), (RecordKind.DEAL, deal.id), (RecordKind.LEAD, lead.id)
        ):  # fmt: skip
            await put_tag(tx, kind, id, (await ensure_tag(tx, f"Kept {kind}")).id)

    await office.do(fill)

    assert await office.found("quokka") == [(FoundKind.COMPANY, "Lind")]
    assert await office.found("wombat") == [(FoundKind.DEAL, "40 scanners")]
    assert {kind for kind, _ in await office.found("kept")} == {
        FoundKind.COMPANY, FoundKind.DEAL, FoundKind.LEAD
    }  # fmt: skip


async def test_a_kind_that_one_may_not_read_is_not_found(office: Office) -> None:
    clerk = replace(office.owner, scopes=frozenset({"contacts:read"}))

    for typed in ("рассрочка", "показ", "спецификация"):
        assert await office.found(typed, clerk) == []


async def test_another_organization_finds_none_of_it(office: Office, other_organization: Principal) -> None:
    for typed in ("рассрочка", "показ", "спецификация", "экспо", "рамочный"):
        assert await office.found(typed, other_organization) == []


async def test_a_changed_note_is_found_by_its_new_words_only(office: Office) -> None:
    await office.do(lambda tx: update_note(tx, office.note.id, "Ждёт каталог.", version=office.note.version))

    assert await office.found("рассрочка") == []
    assert await office.found("каталог") == [NOTE]


async def test_what_was_removed_is_found_no_more_and_again_after_it_came_back(office: Office) -> None:
    await office.do(lambda tx: remove_note(tx, office.note.id))
    await office.do(lambda tx: remove_meeting(tx, office.meeting.id))
    await office.do(lambda tx: remove_file(tx, office.file.id))
    removed = [await office.found(typed) for typed in ("рассрочка", "терминалы", "спецификация")]
    await office.do(lambda tx: restore_note(tx, office.note.id))

    assert removed == [[], [], []]
    assert await office.found("рассрочка") == [NOTE]


async def test_notes_and_files_go_to_the_trash_and_come_back_with_their_record(office: Office) -> None:
    async def trash(tx: Tx) -> Contact:
        return await delete_contact(
            tx, office.anna.id, version=(await get_contact(tx, office.anna.id)).version
        )

    await office.do(trash)
    gone = [await office.found(typed) for typed in ("рассрочка", "спецификация")]
    words = await _words_of(office, "рассрочку")
    await office.do(lambda tx: restore_contact(tx, office.anna.id))

    assert gone == [[], []]
    assert words == 0
    assert await office.found("рассрочка") == [NOTE]
    assert await office.found("спецификация") == [FILE]


async def _words_of(office: Office, word: str) -> int:
    """In how many records a word stands; a record in the trash leaves none behind."""
    async with office.services.db.transaction(office.owner, "test") as tx:
        count: int = await tx.value("SELECT count(*) FROM search_postings WHERE word = %(word)s", word=word)
        return count


async def test_a_merge_moves_what_is_found_to_the_record_that_stays(office: Office) -> None:
    kept = await office.do(lambda tx: create_contact(tx, NewContact("Anna Petrova")))

    await office.do(lambda tx: merge_records(tx, RecordKind.CONTACT, kept.id, office.anna.id))

    (note,) = await office.hits("рассрочка")
    assert (note.title.text, note.record_id) == ("Anna Petrova", kept.id)
    assert await office.found("экспо") == [(FoundKind.CONTACT, "Anna Petrova")]
    assert await office.found("anna показ") == [MEETING]


async def test_a_renamed_person_renames_their_meetings_and_files(office: Office) -> None:
    async def rename(tx: Tx) -> Contact:
        version = (await get_contact(tx, office.anna.id)).version
        return await update_contact(tx, office.anna.id, ContactEdit(name="Вера Зимина"), version=version)

    await office.do(rename)

    assert {kind for kind, _ in await office.found("зимина")} == {
        FoundKind.CONTACT, FoundKind.MEETING, FoundKind.FILE
    }  # fmt: skip
    assert await office.found("петрова") == []


async def test_a_renamed_tag_is_found_by_its_new_name_only(office: Office) -> None:
    await office.do(
        lambda tx: update_tag(tx, office.tag.id, TagEdit(name="Ярмарка"), version=office.tag.version)
    )

    assert await office.found("ярмарка") == [ANNA]
    assert await office.found("экспо") == []


async def test_a_tag_that_is_taken_off_merged_or_removed_is_found_no_more(office: Office) -> None:
    other = await office.do(lambda tx: ensure_tag(tx, "Семинар"))
    await office.do(lambda tx: merge_tags(tx, office.tag.id, other.id))
    merged = [await office.found("экспо"), await office.found("семинар")]
    await office.do(lambda tx: delete_tag(tx, other.id))
    removed = await office.found("семинар")
    third = await office.do(lambda tx: ensure_tag(tx, "Вебинар"))
    await office.do(lambda tx: put_tag(tx, RecordKind.CONTACT, office.anna.id, third.id))
    put = await office.found("вебинар")
    await office.do(lambda tx: take_tag(tx, RecordKind.CONTACT, office.anna.id, third.id))

    assert merged == [[], [ANNA]]
    assert removed == []
    assert put == [ANNA]
    assert await office.found("вебинар") == []


async def test_an_archived_field_takes_its_texts_with_it(office: Office) -> None:
    await office.do(lambda tx: archive_custom_field(tx, office.field.id))
    archived = await office.found("рамочный")
    await office.do(lambda tx: restore_custom_field(tx, office.field.id))

    assert archived == []
    assert await office.found("рамочный") == [ANNA]
