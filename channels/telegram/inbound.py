"""Reading Telegram updates: one update becomes one inbound message, a named non-event, or a refusal."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from channels.telegram.files import list_files
from channels.telegram.kinds import CIRCUMSTANCE, NOTHING_WRITTEN, SERVICE
from channels.telegram.schema import Message, SharedContact, Update, User
from channels.telegram.wording import say
from core.errors import Unprocessable
from core.languages import Language, language_of_sender
from crm.conversations.models import InboundAttachment, InboundMessage

_FORWARDED = ("forward_origin", "forward_date", "forward_from", "forward_sender_name")
_PHONE = re.compile(r"\+\d{5,15}", re.ASCII)


@dataclass(frozen=True)
class Understood:
    """A valid update in which nobody wrote anything to us."""

    update_id: str
    reason: str


def parse(raw: dict[str, Any], *, file_limit_bytes: int) -> InboundMessage | Understood:
    """Read one update.

    Raises:
        Unprocessable: malformed, of an unknown kind, or written where we do not listen (groups, channels).
    """
    update_id = str(_checked_update(raw).update_id)
    kinds = [name for name, value in raw.items() if name != "update_id" and value is not None]
    if len(kinds) != 1:
        raise Unprocessable(f"Update {update_id} must hold exactly one thing, not {len(kinds)}.")
    kind = kinds[0]
    if kind in NOTHING_WRITTEN:
        return Understood(update_id, f"{kind}: nothing was written")
    if kind not in ("message", "edited_message"):
        raise Unprocessable(f"Updates of the kind {kind[:64]!r} are not supported.")
    service = _service_part(raw[kind])
    if service is not None:
        return Understood(update_id, f"{service}: a service message")
    message = _checked_message(raw[kind], kind)
    if message.chat.type != "private":
        raise Unprocessable(
            f"Messages of a {message.chat.type[:32]} are not supported; write to the bot itself."
        )
    if message.from_.is_bot:
        return Understood(update_id, "message: written by a bot")
    return _inbound(update_id, message, is_edit=kind == "edited_message", file_limit_bytes=file_limit_bytes)


def _checked_update(raw: object) -> Update:
    if not isinstance(raw, dict):
        raise Unprocessable("An update must be a JSON object.")
    try:
        return Update.model_validate({"update_id": raw.get("update_id")})
    except ValidationError as err:
        raise _refusal("update", err) from err


def _service_part(message: object) -> str | None:
    if not isinstance(message, dict) or message.get("text") or message.get("caption"):
        return None
    return next((name for name, value in message.items() if name in SERVICE and value is not None), None)


def _checked_message(message: object, kind: str) -> Message:
    try:
        return Message.model_validate(message)
    except ValidationError as err:
        raise _refusal(kind, err) from err


def _refusal(where: str, error: ValidationError) -> Unprocessable:
    first = error.errors(include_url=False, include_input=False)[0]
    path = ".".join((where, *(str(step) for step in first["loc"])))
    return Unprocessable(f"{path}: {first['msg']}")


def _inbound(update_id: str, message: Message, *, is_edit: bool, file_limit_bytes: int) -> InboundMessage:
    written = message.text or message.caption
    language = language_of_sender(written, message.from_.language_code)
    files = list_files(message, file_limit_bytes)
    moment = message.edit_date if is_edit and message.edit_date else message.date
    return InboundMessage(
        update_id=update_id,
        chat_id=str(message.chat.id),
        message_id=str(message.message_id),
        sender_name=_sender_name(message.from_),
        sender_language=language,
        handles=_handles(message),
        text=_body(message, written, language, files),
        occurred_at=datetime.fromtimestamp(moment, UTC),
        is_edit=is_edit,
        attachments=files,
    )


def _sender_name(user: User) -> str:
    # the name is theirs to choose: one line, no more than a name's length
    name = " ".join(f"{user.first_name} {user.last_name}".split())[:128]
    return name or user.username or f"Telegram {user.id}"


def _handles(message: Message) -> tuple[tuple[str, str], ...]:
    handles = [("telegram_id", str(message.from_.id))]
    if message.from_.username:
        handles.append(("telegram_username", message.from_.username.lstrip("@").lower()[:64]))
    contact = message.contact
    # a card is proof of a number only when Telegram says that it is the sender's own
    if contact is not None and _is_own(contact, message):
        phone = _phone(contact)
        if _PHONE.fullmatch(phone):
            handles.append(("phone", phone))
    return tuple(handles)


def _body(message: Message, written: str, language: Language, files: tuple[InboundAttachment, ...]) -> str:
    said = written or _placeholder(message, language, files)
    # the name in a forward is whatever its first sender chose; it is not shown, so that it cannot be believed
    if any(name in message.unknown_parts() for name in _FORWARDED):
        return f"{say('forwarded', language)}\n{said}"
    return said


def _placeholder(message: Message, language: Language, files: tuple[InboundAttachment, ...]) -> str:
    if message.contact is not None:
        return _contact_line(message.contact, message, language)
    if message.venue is not None:  # comes together with its location
        return say("venue", language, title=message.venue.title, address=message.venue.address)
    if message.location is not None:
        latitude, longitude = f"{message.location.latitude:.5f}", f"{message.location.longitude:.5f}"
        return say("location", language, latitude=latitude, longitude=longitude)
    if message.poll is not None:
        options = "".join(f"\n- {option.text}" for option in message.poll.options)
        return say("poll", language, question=message.poll.question) + options
    if message.sticker is not None:
        return say("sticker", language, emoji=message.sticker.emoji).replace(" ]", "]")
    if message.dice is not None:
        return say("dice", language, emoji=message.dice.emoji, value=str(message.dice.value))
    return _file_line(message, language, files)


def _contact_line(contact: SharedContact, message: Message, language: Language) -> str:
    if _is_own(contact, message):
        return say("own_contact", language, phone=_phone(contact))
    name = " ".join(f"{contact.first_name} {contact.last_name}".split()) or "?"
    return say("contact", language, name=name, phone=_phone(contact))


def _is_own(contact: SharedContact, message: Message) -> bool:
    return contact.user_id == message.from_.id


def _phone(contact: SharedContact) -> str:
    return "+" + re.sub(r"\D", "", contact.phone_number, flags=re.ASCII)


def _file_line(message: Message, language: Language, files: tuple[InboundAttachment, ...]) -> str:
    for kind in ("photo", "animation", "document", "voice", "audio", "video", "video_note"):
        part = getattr(message, kind)
        if not part:
            continue
        seconds = getattr(part, "duration", 0)
        return say(kind, language, name=files[0].name, length=f"{seconds // 60}:{seconds % 60:02}")
    unknown = [name for name in message.unknown_parts() if name not in CIRCUMSTANCE]
    return say("unknown", language, kind=", ".join(unknown)[:128] or "empty")
