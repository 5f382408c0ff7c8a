"""What a prospect can do in a chat with a bot; each act becomes the update that Telegram would send."""

import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.peers.telegram.methods import chat_of, names_of
from infra.peers.telegram.state import Bot, Line, Person, StoredFile


@dataclass(frozen=True)
class Sent:
    update_id: int
    message_id: int
    chat_id: int


def write(bot: Bot, person: Person, text: str) -> Sent:
    return _send(bot, person, Line(bot.take_message_id(), True, text, int(time.time())))


def send_file(
    bot: Bot, person: Person, file: StoredFile, caption: str = "", *, is_photo: bool = False
) -> Sent:
    bot.files[file.id] = file
    line = Line(bot.take_message_id(), True, caption, int(time.time()), file=file, is_photo=is_photo)
    return _send(bot, person, line)


def share_own_contact(bot: Bot, person: Person) -> Sent:
    phone = person.phone or f"+1202555{person.id % 10000:04}"
    return _send(bot, person, Line(bot.take_message_id(), True, "", int(time.time()), contact_phone=phone))


def edit(bot: Bot, person: Person, message_id: int, text: str) -> Sent | None:
    """Change an own message; None when there is no such message."""
    for line in bot.lines[person.id]:
        if line.message_id == message_id and line.is_prospect:
            line.text, line.edit_date, line.is_delivered = text, int(time.time()), False
            update_id = bot.add_update("edited_message", _message(bot, person, line))
            return Sent(update_id, message_id, person.id)
    return None


def set_blocked(bot: Bot, person: Person, is_blocked: bool) -> int:
    """Block the bot or take it back; the bot's owner is told as Telegram tells it."""
    person.has_blocked_bot = is_blocked
    member = {"user": {"id": bot.id, "is_bot": True, "first_name": bot.name, "username": bot.username}}
    old, new = ("member", "kicked") if is_blocked else ("kicked", "member")
    content = {
        "chat": chat_of(person),
        "from": _user(person),
        "date": int(time.time()),
        "old_chat_member": member | {"status": old},
        "new_chat_member": member | {"status": new} | ({"until_date": 0} if is_blocked else {}),
    }
    return bot.add_update("my_chat_member", content)


def store_file(folder: Path, name: str, mime: str, content: bytes) -> StoredFile:
    """Keep an uploaded file; a blocking call."""
    file_id = secrets.token_hex(12)
    (folder / file_id).write_bytes(content)
    return StoredFile(file_id, name, mime, len(content), path=file_id)


def _send(bot: Bot, person: Person, line: Line) -> Sent:
    bot.add_line(person.id, line)
    return Sent(bot.add_update("message", _message(bot, person, line)), line.message_id, person.id)


def _message(bot: Bot, person: Person, line: Line) -> dict[str, Any]:
    message: dict[str, Any] = {
        "message_id": line.message_id,
        "from": _user(person),
        "chat": chat_of(person),
        "date": line.date,
    }
    if line.edit_date:
        message["edit_date"] = line.edit_date
    if line.contact_phone:
        contact = names_of(person) | {"phone_number": line.contact_phone, "user_id": person.id}
        return message | {"contact": contact}
    if line.file:
        return message | _file_part(line, line.file) | ({"caption": line.text} if line.text else {})
    return message | {"text": line.text} | _entities(line.text)


def _file_part(line: Line, file: StoredFile) -> dict[str, Any]:
    described = {"file_id": file.id, "file_unique_id": file.id, "file_size": file.size_bytes}
    if line.is_photo:
        return {"photo": [described | {"width": 1280, "height": 960}]}
    return {"document": described | {"file_name": file.name, "mime_type": file.mime}}


def _entities(text: str) -> dict[str, Any]:
    command = re.match(r"/\w+", text)
    if not command:
        return {}
    return {"entities": [{"type": "bot_command", "offset": 0, "length": command.end()}]}


def _user(person: Person) -> dict[str, Any]:
    return {"id": person.id, "is_bot": False, "language_code": person.language} | names_of(person)
