"""Subjects of mails, and the marks that mail programs put before them, in English, Russian and their neighbours."""

import re

_ANSWER = "re|aw|sv|antw|на|ha|ответ|отв"
_FORWARD = "fw|fwd|wg|пересл"
_END = r"\s*(?:\[\d+\]|\(\d+\))?\s*:\s*"
_ANSWERED = re.compile(rf"^\s*(?:{_ANSWER}){_END}", re.IGNORECASE)
_MARKED = re.compile(rf"^\s*(?:{_ANSWER}|{_FORWARD}){_END}", re.IGNORECASE)


def is_answer(subject: str) -> bool:
    """Whether a mail answers one; a forwarded one answers nothing."""
    return _ANSWERED.match(subject) is not None


def is_marked(subject: str) -> bool:
    """Whether there was a mail of this subject before, which was answered or forwarded."""
    return _MARKED.match(subject) is not None


def plain_subject(subject: str) -> str:
    """The subject without the marks of replies and forwards, as it is compared."""
    return " ".join(_unmarked(subject).split()).casefold()


def reply_subject(subject: str) -> str:
    """The subject of an answer: one `Re:`, however many answers there were."""
    return f"Re: {_unmarked(' '.join(subject.split()))}".strip()


def _unmarked(text: str) -> str:
    while (shorter := _MARKED.sub("", text)) != text:
        text = shorter
    return text
