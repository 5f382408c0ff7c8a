"""Past talks out of files: what Telegram Desktop exports, and mbox files, read by the code that imports them."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from channels.email.inbound import parse as parse_mail
from channels.email.models import Mail
from channels.email.received import as_inbound, is_own
from channels.telegram.export import Export
from core.errors import AppError, Unprocessable
from core.languages import language_of_sender
from core.settings import Settings
from crm.conversations.models import InboundMessage, MessageKind
from crm.conversations.subjects import is_marked, plain_subject
from evals.past.moments import Spoken, Talk
from evals.scene import Person
from infra.replay import mail_content, open_mbox


async def read_talks(place: Path, settings: Settings, me: str = "") -> list[Talk]:
    """Every talk of a file, in its order. `me` is our own address in mails; without it the one that most of them name.

    Raises: Unprocessable when the place holds neither an export nor mails; OSError when it cannot be read.
    """
    if await asyncio.to_thread(_is_export, place):
        return await asyncio.to_thread(_telegram, place)
    mails = await asyncio.to_thread(lambda: list(_parsed(place, settings)))
    if not mails:
        raise Unprocessable(f"{place} holds no mail and is no export; give an mbox file or a result.json.")
    return await _mails(mails, (me or _own_address(mails)).lower())


def _is_export(place: Path) -> bool:
    return place.is_dir() or place.suffix == ".json"


def _telegram(place: Path) -> list[Talk]:
    export = Export(place)
    owner = export.survey().owner
    return [
        Talk(
            f"telegram-{chat.id}",
            Person(name=chat.name or "?", language=chat.language),
            tuple(Spoken(message.is_own, message.text, message.at) for message in chat.messages),
        )
        for chat in export.private_chats(owner)
    ]


@dataclass
class _Thread:
    """Mails with one person under one subject, as they come."""

    root: str
    other: str
    name: str = ""
    lines: list[Spoken] = field(default_factory=list)


async def _mails(mails: Sequence[Mail], own: str) -> list[Talk]:
    threads: dict[str, _Thread] = {}
    for mail in sorted(mails, key=lambda mail: (mail.occurred_at, mail.message_id)):
        inbound = await as_inbound(mail, own, _keep_nothing, is_from_us=is_own(mail, own), is_past=True)
        if inbound.mail is None or inbound.mail.kind is not MessageKind.ORDINARY or not inbound.text.strip():
            continue
        thread = _thread_of(threads, inbound, inbound.mail.address)
        if not inbound.mail.is_ours:
            thread.name = inbound.sender_name
        thread.lines.append(Spoken(inbound.mail.is_ours, inbound.text, inbound.occurred_at))
    distinct = {id(thread): thread for thread in threads.values()}
    return [_talk(thread) for thread in distinct.values()]


def _parsed(place: Path, settings: Settings) -> Iterator[Mail]:
    """Every mail that can be read; one that is too large or broken is no talk."""
    box = open_mbox(place)
    try:
        for key in box.iterkeys():
            try:
                raw = mail_content(box, key, settings.mail_limit_bytes)
                yield parse_mail(raw, file_limit_bytes=0)
            except AppError:
                continue
    finally:
        box.close()


def _own_address(mails: Sequence[Mail]) -> str:
    """The address that most of the mails name. Raises: Unprocessable when two are named as often."""
    named = Counter(
        address
        for mail in mails
        for address in {mail.sender.address, *(one.address for one in (*mail.to, *mail.cc))}
    )
    (first, most), *others = named.most_common(2)
    if others and others[0][1] == most:
        raise Unprocessable("These mails do not tell whose they are; name your address with --me.")
    return first


async def _keep_nothing(_: bytes) -> str:
    """Files are no part of a talk."""
    return ""


def _thread_of(threads: dict[str, _Thread], inbound: InboundMessage, other: str) -> _Thread:
    """The thread with this person that the mail belongs to, by what it names, else by its subject."""
    head = inbound.mail
    if head is None:
        raise ValueError("A mail without a head.")
    ids = [f"{other} {id}" for id in (*head.in_reply_to, *reversed(head.references), inbound.message_id)]
    subject = f"{other} subject {plain_subject(head.subject)}"
    places = [*ids, subject] if is_marked(head.subject) else ids
    found = next((threads[place] for place in places if place in threads), None)
    thread = found or _Thread(inbound.message_id, other)
    for place in (*ids, subject):
        threads[place] = thread
    return thread


def _talk(thread: _Thread) -> Talk:
    written = " ".join(line.text for line in thread.lines if not line.is_ours)
    person = Person(name=thread.name or thread.other.partition("@")[0], language=language_of_sender(written))
    key = hashlib.sha256(f"{thread.root} {thread.other}".encode()).hexdigest()[:16]
    return Talk(f"mail-{key}", person, tuple(thread.lines))
