"""Mails of an installation without a mail server: files under the data folder, for whoever runs it to read."""

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path
from uuid import UUID

_SHOWN = 100


@dataclass(frozen=True)
class KeptMail:
    """A mail as it would have gone out."""

    id: str
    recipient: str
    subject: str
    text: str
    written_at: datetime


class MailFolder:
    """One file a mail, named by its id, so that keeping it twice changes nothing."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "mails"

    async def keep(self, mail_id: UUID, content: bytes) -> None:
        await asyncio.to_thread(self._write, mail_id, content)

    async def remove(self, mail_id: UUID) -> None:
        """Nothing happens when it is gone already."""
        await asyncio.to_thread((self._folder / f"{mail_id}.eml").unlink, missing_ok=True)

    def _write(self, mail_id: UUID, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = self._folder / f"{mail_id}.partial"
        # links in it let people in: nobody else on this machine may read it
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._folder / f"{mail_id}.eml")

    async def list_newest(self) -> list[KeptMail]:
        """The newest first; ids grow with time."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> list[KeptMail]:
        files = sorted(self._folder.glob("*.eml"), reverse=True)[:_SHOWN]
        return [_parsed(file.stem, file.read_bytes()) for file in files]


def _parsed(name: str, content: bytes) -> KeptMail:
    message = message_from_bytes(content, policy=default)
    body = message.get_body(("plain",))
    text = body.get_content().replace("\r\n", "\n") if body else ""
    written_at = parsedate_to_datetime(str(message["Date"]))
    return KeptMail(name, str(message["To"]), str(message["Subject"]), text, written_at)
