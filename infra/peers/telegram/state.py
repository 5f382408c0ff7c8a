"""What the peer remembers: bots, the people who write to them, their chats, and updates not yet delivered."""

import asyncio
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

DEFAULT_CHAT_ID = 700000001
_TOKEN = re.compile(r"\d{3,12}:[A-Za-z0-9_-]{3,64}")
# ids start with the clock, so that a peer which forgot everything never hands out one twice
_EPOCH_SECONDS = 1_700_000_000


@dataclass
class Person:
    """A prospect; the id of a person and of their private chat with any bot are the same in Telegram."""

    id: int
    name: str
    username: str = ""
    language: str = "en"
    phone: str = ""
    has_blocked_bot: bool = False
    is_typed_to_until: float = 0.0


@dataclass
class StoredFile:
    """A file's description; without `path` its content is `size_bytes` zeros, made when asked for."""

    id: str
    name: str
    mime: str
    size_bytes: int
    path: str = ""


@dataclass
class Line:
    """One message of a chat as the prospect sees it."""

    message_id: int
    is_prospect: bool
    text: str
    date: int
    edit_date: int | None = None
    file: StoredFile | None = None
    is_photo: bool = False
    contact_phone: str = ""
    is_delivered: bool = False


@dataclass
class Webhook:
    url: str
    secret_token: str = ""
    last_error: str = ""
    last_error_date: int = 0


class Changes:
    """Something to wait for: each `notify` ends all waits that began before it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, timeout_seconds: float) -> None:
        """Return at the next change or after the time, whichever is first."""
        try:
            await asyncio.wait_for(self._event.wait(), timeout_seconds)
        except TimeoutError:
            return


@dataclass
class Bot:
    """One bot: everything that its token gives access to."""

    token: str
    name: str
    people: dict[int, Person] = field(default_factory=dict)
    lines: dict[int, list[Line]] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    pending: list[dict[str, Any]] = field(default_factory=list)
    webhook: Webhook | None = None
    next_update_id: int = 0
    next_message_id: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    changes: Changes = field(default_factory=Changes)
    poll_number: int = 0

    @property
    def id(self) -> int:
        return int(self.token.partition(":")[0])

    @property
    def username(self) -> str:
        letters = re.sub(r"[^a-z0-9]+", "_", self.name.lower()).strip("_")
        return f"{letters or 'demo'}_bot"

    @property
    def is_open(self) -> bool:
        """Whether it may write to people who never wrote to it: demo data has chats from before."""
        return self.token.partition(":")[2].startswith("demo")

    def person(self, chat_id: int) -> Person | None:
        if chat_id not in self.people and self.is_open and chat_id > 0:
            self.add_person(Person(chat_id, f"Chat {chat_id}"))
        return self.people.get(chat_id)

    def add_person(self, person: Person) -> Person:
        self.people[person.id] = person
        self.lines.setdefault(person.id, [])
        return person

    def take_message_id(self) -> int:
        self.next_message_id += 1
        return self.next_message_id

    def add_line(self, chat_id: int, line: Line) -> None:
        self.lines[chat_id].append(line)
        self.changes.notify()

    def add_update(self, kind: str, content: dict[str, Any]) -> int:
        """Put an update into the queue of this bot and return its id."""
        self.next_update_id += 1
        self.pending.append({"update_id": self.next_update_id, kind: content})
        self.changes.notify()
        return self.next_update_id

    def confirm(self, updates: list[dict[str, Any]]) -> None:
        """Forget updates that the bot's owner has received, and tick the messages they carried."""
        for update in updates:
            self.pending.remove(update)
            self._tick(update.get("message") or update.get("edited_message"))
        if updates:
            self.changes.notify()

    def _tick(self, message: object) -> None:
        # tests put broken updates into the queue as well
        if not isinstance(message, dict) or not isinstance(message.get("chat"), dict):
            return
        for line in self.lines.get(message["chat"].get("id"), []):
            line.is_delivered = line.is_delivered or line.message_id == message.get("message_id")


class Store:
    """All bots; any token of the right shape is one."""

    def __init__(self, bot_name: str) -> None:
        self.bots: dict[str, Bot] = {}
        self._bot_name = bot_name

    def find_bot(self, token: str) -> Bot | None:
        if token not in self.bots and _TOKEN.fullmatch(token):
            self.add_bot(Bot(token, self._bot_name))
        return self.bots.get(token)

    def add_bot(self, bot: Bot) -> Bot:
        since_epoch = int(time.time()) - _EPOCH_SECONDS
        bot.next_update_id = max(bot.next_update_id + 1000, since_epoch)
        bot.next_message_id = max(bot.next_message_id + 1000, since_epoch)
        if DEFAULT_CHAT_ID not in bot.people:
            bot.add_person(Person(DEFAULT_CHAT_ID, "Vera Lind", "vera_lind", phone="+12025550147"))
        self.bots[bot.token] = bot
        return bot
