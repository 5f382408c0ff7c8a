"""Reading what Telegram Desktop exports: `result.json` as a stream, into people and private chats."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, BinaryIO

import ijson
from pydantic import ValidationError

from channels.telegram.export_schema import Chat, Contact, Message, Owner
from channels.telegram.wording import say
from core.errors import Unprocessable
from core.languages import Language, language_of_sender

RESULT = "result.json"
_PRIVATE = "personal_chat"


@dataclass(frozen=True)
class ExportedFile:
    """A file that lies in the export's folder, or the reason why its content is not there."""

    name: str
    mime: str
    size_bytes: int
    path: Path | None = None
    refusal: str = ""


@dataclass(frozen=True)
class ExportedMessage:
    id: str
    is_own: bool
    text: str = field(repr=False)
    at: datetime
    files: tuple[ExportedFile, ...] = ()


@dataclass(frozen=True)
class ExportedChat:
    """One private chat, oldest message first; `unread` counts the messages that could not be understood."""

    id: str
    name: str
    language: Language
    messages: tuple[ExportedMessage, ...]
    unread: int = 0


@dataclass(frozen=True)
class Survey:
    """What an export holds. `chats` counts private talks by name, `passed_over` the other chats by kind."""

    owner: Owner
    people: tuple[Contact, ...]
    chats: Counter[str]
    passed_over: Counter[str]


class Export:
    """One exported folder. Every method reads the file anew, a chat at a time, so that its size does not matter."""

    def __init__(self, place: Path, *, zone: tzinfo = UTC, file_limit_bytes: int = 20 * 1024 * 1024) -> None:
        """`zone` is where exports of old versions, which name local times only, were made.

        Raises: Unprocessable when there is no export at `place`.
        """
        self.path = place / RESULT if place.is_dir() else place
        self._folder = self.path.parent.resolve()
        self._zone = zone
        self._file_limit_bytes = file_limit_bytes
        if not self.path.is_file():
            raise Unprocessable(_no_export(place))

    def survey(self) -> Survey:
        """Count what there is, and read who it belongs to. Raises: Unprocessable when the file is no export."""
        chats: Counter[str] = Counter()
        passed_over: Counter[str] = Counter()
        owner_id = ""
        for chat in self._chats():
            if chat.type == _PRIVATE:
                chats[chat.name] += 1
                owner_id = owner_id or _other_writer(chat)
            else:
                passed_over[chat.type] += 1
        owner = next(self._read(Owner, "personal_information"), None) or Owner(user_id=owner_id)
        if not owner.user_id:
            raise Unprocessable(
                f"{self.path} does not say whose chats these are; export again with your account information."
            )
        return Survey(owner, tuple(self._read(Contact, "contacts.list.item")), chats, passed_over)

    def private_chats(self, owner: Owner) -> Iterator[ExportedChat]:
        """Every talk with one person, in the order of the file."""
        for chat in self._chats():
            if chat.type == _PRIVATE:
                yield self._exported(chat, owner)

    def _chats(self) -> Iterator[Chat]:
        yield from self._read(Chat, "" if self._is_one_chat() else "chats.list.item")

    def _is_one_chat(self) -> bool:
        """Whether only one chat was exported: then the chat itself is the document."""
        with self._opened() as stream:
            for prefix, event, value in self._guarded(ijson.parse(stream)):
                if prefix == "" and event == "map_key" and value in ("messages", "chats"):
                    return bool(value == "messages")
        raise Unprocessable(f"{self.path} holds no chats; export again and choose personal chats.")

    def _read(self, kind: type[Any], prefix: str) -> Iterator[Any]:
        with self._opened() as stream:
            for value in self._guarded(ijson.items(stream, prefix, use_float=True)):
                try:
                    yield kind.model_validate(value)
                except ValidationError as err:
                    where = ".".join(map(str, err.errors()[0]["loc"]))
                    raise Unprocessable(
                        f"{self.path}: {prefix or 'chat'}.{where} is not as expected."
                    ) from err

    def _opened(self) -> BinaryIO:
        return self.path.open("rb")

    def _guarded(self, values: Iterator[Any]) -> Iterator[Any]:
        """Raises: Unprocessable when the document breaks off or is no JSON."""
        try:
            yield from values
        except (ijson.JSONError, UnicodeDecodeError) as err:
            raise Unprocessable(
                f"{self.path} is not a whole JSON document ({err}); export again as machine-readable JSON."
            ) from err

    def _exported(self, chat: Chat, owner: Owner) -> ExportedChat:
        understood = [message for raw in chat.messages if (message := _understood(raw)) is not None]
        written = " ".join(message.plain_text for message in understood[-200:])
        language = language_of_sender(written, "")
        messages = [
            self._message(message, owner, language) for message in understood if message.type == "message"
        ]
        return ExportedChat(
            id=chat.id,
            name=chat.name,
            language=language,
            messages=tuple(sorted(messages, key=lambda message: message.at)),
            unread=len(chat.messages) - len(understood),
        )

    def _message(self, message: Message, owner: Owner, language: Language) -> ExportedMessage:
        files = self._files(message)
        text = message.plain_text or _placeholder(message, files, language)
        if message.forwarded_from is not None:
            text = f"{say('forwarded', language)}\n{text}"
        return ExportedMessage(
            str(message.id), message.from_id == f"user{owner.user_id}", text, message.at(self._zone), files
        )

    def _files(self, message: Message) -> tuple[ExportedFile, ...]:
        place = message.file or message.photo
        if not place:
            return ()
        mime = message.mime_type or ("image/jpeg" if message.photo else "application/octet-stream")
        name = message.file_name or Path(place).name
        path = (self._folder / place).resolve()
        # Not chosen for the export, or too large for it: Telegram writes "(File not included. ...)" in its place.
        if place.startswith("(") or not path.is_relative_to(self._folder) or not path.is_file():
            size = message.file_size or message.photo_file_size
            name = message.file_name or ("photo.jpg" if message.photo else "file")
            return (ExportedFile(name, mime, size, refusal="The file is not part of the export"),)
        size = path.stat().st_size
        if size > self._file_limit_bytes:
            limit = self._file_limit_bytes // (1024 * 1024)
            return (ExportedFile(name, mime, size, refusal=f"The file is larger than {limit} MB"),)
        return (ExportedFile(name, mime, size, path),)


def _no_export(place: Path) -> str:
    if not place.exists():
        return f"{place} does not exist; give the folder that Telegram Desktop exported into."
    if place.is_dir() and any(place.rglob("messages*.html")):
        return f"{place} is an export as HTML; export again and choose machine-readable JSON."
    return f"{place} holds no {RESULT}; give the folder that Telegram Desktop exported into."


def _other_writer(chat: Chat) -> str:
    """Who writes here and is not the chat's person: in an export of one chat nothing else names its owner."""
    people = (str(raw.get("from_id", "")) for raw in chat.messages if isinstance(raw, dict))
    return next(
        (who.removeprefix("user") for who in people if who.startswith("user") and who != f"user{chat.id}"), ""
    )


def _understood(raw: Any) -> Message | None:
    try:
        return Message.model_validate(raw)
    except ValidationError:
        return None


def _placeholder(message: Message, files: tuple[ExportedFile, ...], language: Language) -> str:
    length = f"{message.duration_seconds // 60}:{message.duration_seconds % 60:02}"
    if message.contact_information is not None:
        contact = message.contact_information
        return say("contact", language, name=contact.name or "?", phone=contact.phone_number)
    if message.location_information is not None:
        place = message.location_information
        return say("location", language, latitude=f"{place.latitude:.5f}", longitude=f"{place.longitude:.5f}")
    if message.poll is not None:
        return say("poll", language, question=message.poll.question)
    if message.media_type == "sticker":
        return say("sticker", language, emoji=message.sticker_emoji).replace(" ]", "]")
    kinds = {
        "voice_message": "voice",
        "video_message": "video_note",
        "video_file": "video",
        "audio_file": "audio",
        "animation": "animation",
    }
    if message.photo:
        return say("photo", language)
    if files:
        return say(kinds.get(message.media_type, "document"), language, name=files[0].name, length=length)
    return say("unknown", language, kind=message.media_type or "empty")
