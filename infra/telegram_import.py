"""Brings a Telegram Desktop export in: survey, steps, progress; goes on where a kill stopped it; undoes it."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from channels.telegram.export import Export, ExportedChat, ExportedFile, ExportedMessage, Survey
from channels.telegram.export_schema import Contact
from core.blobs import Blobs
from core.db import Database
from core.errors import NotFound
from core.principal import Principal
from crm.channel_accounts.actions import keep_imported_account
from crm.contacts import erased
from crm.conversations.history import PastFile
from crm.identity.queries import find_organization_id, get_organization, list_members
from crm.imports import actions as imports
from crm.imports import undo
from crm.imports.models import (
    Import,
    ImportedChat,
    ImportedLine,
    ImportedPerson,
    ImportKind,
    NewImport,
)
from crm.imports.queries import get_import, list_imports
from events.ids import ImportId, UserId
from infra.operators import operator

Progress = Callable[[int, int], None]
_BLOCK = 1024 * 1024
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Outcome:
    """A finished import. `unread` messages of it were not understood; `passed_over` counts other chats by kind."""

    done: Import
    resumed_at: int
    unread: int
    passed_over: Counter[str]

    def lines(self) -> list[str]:
        done = self.done
        said = [
            f"import={done.id} contacts_made={done.contacts_made} contacts_found={done.contacts_found}"
            f" conversations={done.conversations} messages={done.messages} files={done.files}"
        ]
        if self.unread:
            said.append(f"{self.unread} messages of an unknown shape were passed over.")
        if self.passed_over:
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.passed_over.items()))
            said.append(f"Passed over, since they are no private talks: {kinds}.")
        return said


@dataclass(frozen=True)
class Desk:
    """Where an import goes: the organization, and the member whose chats they are."""

    db: Database
    blobs: Blobs
    principal: Principal
    member_id: UserId
    zone: ZoneInfo
    erased_key: bytes


async def find_desk(db: Database, blobs: Blobs, slug: str, member: str | None, *, sealing_key: str) -> Desk:
    """`member` is a name or id; without one the chats are the organization's first member's. Raises: NotFound."""
    organization_id = await find_organization_id(db, slug)
    if organization_id is None:
        raise NotFound(f"There is no organization {slug}; give its slug with --organization.")
    principal = operator(organization_id)
    async with db.transaction(principal, "import.desk") as tx:
        members = await list_members(tx)
        zone = ZoneInfo((await get_organization(tx)).time_zone)
    chosen = [found for found in members if member in (None, found.name, str(found.user_id))]
    if not chosen:
        names = ", ".join(found.name for found in members)
        raise NotFound(f"There is no member {member}; give one of {names} with --member.")
    erased_key = erased.key_of(sealing_key, organization_id)
    return Desk(db, blobs, principal, chosen[0].user_id, zone, erased_key)


async def import_export(desk: Desk, place: Path, progress: Progress) -> Outcome:
    """Import a folder step by step; what a killed import has committed is not done again.

    Raises:
        Unprocessable: there is no export at `place`, or it is broken.
        Conflict: this very export is imported already.
    """
    export = Export(place, zone=desk.zone)
    survey = await asyncio.to_thread(export.survey)
    alone, phones = _address_book(survey)
    current = await _start(desk, export, survey, total=len(alone) + survey.chats.total())
    resumed_at = current.position
    progress(resumed_at, current.total)
    for position, person in islice(enumerate(alone), resumed_at, None):
        async with desk.db.transaction(desk.principal, "import.person") as tx:
            await imports.import_person(tx, current.id, position, person, erased_key=desk.erased_key)
        progress(position + 1, current.total)
    unread = 0
    chats = enumerate(export.private_chats(survey.owner), start=len(alone))
    while (step := await asyncio.to_thread(next, chats, None)) is not None:
        position, chat = step
        unread += chat.unread
        if position < resumed_at:
            continue
        taken = await _taken(desk, chat, phones.get(chat.name, ""))
        async with desk.db.transaction(desk.principal, "import.chat") as tx:
            await imports.import_chat(tx, current.id, position, taken, erased_key=desk.erased_key)
        progress(position + 1, current.total)
    async with desk.db.transaction(desk.principal, "import.finish") as tx:
        done = await imports.finish_import(tx, current.id)
    return Outcome(done, resumed_at, unread, survey.passed_over)


async def _start(desk: Desk, export: Export, survey: Survey, *, total: int) -> Import:
    fingerprint = await asyncio.to_thread(_fingerprint, export.path)
    owner = survey.owner
    name = f"Telegram of {owner.name or owner.user_id}"[:_LONGEST_NAME]
    async with desk.db.transaction(desk.principal, "import.start") as tx:
        account_id = await keep_imported_account(
            tx, channel="telegram", name=f"{name}, imported", address=owner.user_id
        )
        new = NewImport(
            ImportKind.TELEGRAM_DESKTOP, name, fingerprint, account_id, desk.member_id, total=total
        )
        return await imports.start_import(tx, new)


def _fingerprint(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _address_book(survey: Survey) -> tuple[list[ImportedPerson], dict[str, str]]:
    """The people without a chat, and the phone of each chat's person by name.

    Telegram shows people under their names in the address book, so a name that stands once among the contacts and
    once among the chats is the same person; one that stands twice proves nothing.
    """
    entries = Counter(person.name for person in survey.people)
    phones, alone = {}, []
    for person in survey.people:
        if survey.chats[person.name] == 1 and entries[person.name] == 1:
            phones[person.name] = _phone(person)
        elif handles := _handles(person.user_id, _phone(person)):
            alone.append(ImportedPerson(person.name or _phone(person), "en", handles))
    return alone, phones


def _phone(person: Contact) -> str:
    """With a leading plus; exports write `+7 ...` or, in the address book, `007...`."""
    digits = "".join(filter(str.isdigit, person.phone_number)).removeprefix("00")
    return f"+{digits}" if len(digits) >= 5 else ""


def _handles(user_id: str, phone: str) -> tuple[tuple[str, str], ...]:
    known = (("telegram_id", user_id if user_id != "0" else ""), ("phone", phone))
    return tuple((kind, value) for kind, value in known if value)


async def _taken(desk: Desk, chat: ExportedChat, phone: str) -> ImportedChat:
    """The chat with its files in storage; files go first, so that no transaction waits for a disk."""
    person = ImportedPerson(chat.name or f"Telegram {chat.id}", chat.language, _handles(chat.id, phone))
    lines = [await _line(desk, message) for message in chat.messages]
    return ImportedChat(chat.id, person, tuple(lines))


async def _line(desk: Desk, message: ExportedMessage) -> ImportedLine:
    files = [await _stored(desk, file) for file in message.files]
    return ImportedLine(message.id, message.is_own, message.text, message.at, tuple(files))


async def _stored(desk: Desk, file: ExportedFile) -> PastFile:
    if file.path is None:
        return PastFile(file.name, file.mime, file.size_bytes, refusal=file.refusal)
    content = await asyncio.to_thread(file.path.read_bytes)
    key = await desk.blobs.put(desk.principal.organization_id, content)
    return PastFile(file.name, file.mime, len(content), blob_key=key)


async def undo_import(desk: Desk, import_id: ImportId, progress: Progress) -> int:
    """Take an import back, record by record; returns how many records stay because newer things hang on them.

    Raises: NotFound, Conflict.
    """
    async with desk.db.transaction(desk.principal, "import.undo") as tx:
        await undo.start_undo(tx, import_id)
        records = await undo.list_records(tx, import_id)
    kept = 0
    for position, record in enumerate(records, start=1):
        async with desk.db.transaction(desk.principal, "import.take_back") as tx:
            kept += not await undo.take_back(tx, import_id, record)
        progress(position, len(records))
    async with desk.db.transaction(desk.principal, "import.undone") as tx:
        await undo.finish_undo(tx, import_id)
    return kept


async def kind_of(desk: Desk, import_id: ImportId) -> ImportKind:
    """What was imported. Raises: NotFound."""
    async with desk.db.transaction(desk.principal, "import.kind") as tx:
        return (await get_import(tx, import_id)).kind


async def imports_of(desk: Desk) -> Iterator[Import]:
    async with desk.db.transaction(desk.principal, "import.list") as tx:
        return iter(await list_imports(tx))
