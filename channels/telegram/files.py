"""The files of a Telegram message, and which of them will not be fetched."""

import re

from channels.telegram.schema import File, Message, PhotoSize
from crm.conversations.models import InboundAttachment

_MIME = re.compile(r"[\w.+-]{1,64}/[\w.+-]{1,64}", re.ASCII)
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:\u202a-\u202e\u2066-\u2069]+")
_ENDINGS = {"voice": "ogg", "audio": "mp3", "video": "mp4", "video_note": "mp4", "animation": "mp4"}
_MIMES = {"voice": "audio/ogg", "audio": "audio/mpeg", "video": "video/mp4", "video_note": "video/mp4",
          "animation": "video/mp4"}  # fmt: skip
_KINDS = ("animation", "document", "voice", "audio", "video", "video_note")
_MEGABYTE = 1024 * 1024


def list_files(message: Message, limit_bytes: int) -> tuple[InboundAttachment, ...]:
    """Every file of the message once; one over the limit carries its refusal."""
    found: list[InboundAttachment] = []
    if message.photo:
        found.append(_photo(message.photo, message.message_id))
    for kind in _KINDS:
        file: File | None = getattr(message, kind)
        # Telegram repeats an animation as a document, for clients from before animations
        if file is not None and not (kind == "document" and message.animation is not None):
            found.append(_file(kind, file, message.message_id))
    return tuple(_judged(each, limit_bytes) for each in found)


def _photo(sizes: list[PhotoSize], message_id: int) -> InboundAttachment:
    largest = max(sizes, key=lambda size: (size.width * size.height, size.file_size))
    return InboundAttachment(largest.file_id, f"photo-{message_id}.jpg", "image/jpeg", largest.file_size)


def _file(kind: str, file: File, message_id: int) -> InboundAttachment:
    fallback = f"{kind.replace('_', '-')}-{message_id}.{_ENDINGS.get(kind, 'bin')}"
    name = _UNSAFE.sub("_", file.file_name).strip(" ._")[:200] or fallback
    mime = file.mime_type if _MIME.fullmatch(file.mime_type) else _MIMES.get(kind, "application/octet-stream")
    return InboundAttachment(file.file_id, name, mime, file.file_size)


def _judged(file: InboundAttachment, limit_bytes: int) -> InboundAttachment:
    if file.size_bytes <= limit_bytes:
        return file
    size, limit = (
        f"{amount / _MEGABYTE:.1f}".removesuffix(".0") for amount in (file.size_bytes, limit_bytes)
    )
    refusal = f"Not fetched: {size} MB is over the limit of {limit} MB. Ask for a link instead."
    return InboundAttachment(file.provider_id, file.name, file.mime, file.size_bytes, refusal)
