"""What the writer of a mail added: no quotes, no signature, but every answer between the quotes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from channels.email import introductions
from channels.email.lines import Line, Role, tidy
from channels.email.signatures import without_banner, without_signature


@dataclass(frozen=True)
class Writing:
    """Whose words to look for: how the sender is called and what the mail is about."""

    sender_name: str
    subject: str


@dataclass(frozen=True)
class Reply:
    """`has_quotes` says that something received was found and left out."""

    text: str
    has_quotes: bool


def visible_reply(lines: Sequence[Line], writing: Writing) -> Reply:
    """The reply in a body; what is forwarded belongs to it."""
    reply = _reply(lines, writing)
    if reply.text or not any(line.role is Role.ORIGINAL_STARTS for line in lines):
        return reply
    # Outlook wraps the whole mail when somebody answers in the middle of it
    return _reply([line for line in lines if line.role is not Role.ORIGINAL_STARTS], writing)


def _reply(lines: Sequence[Line], writing: Writing) -> Reply:
    forward = _forward_start(lines, writing.subject)
    own = lines if forward is None else lines[:forward]
    passages, has_quotes = _passages(own)
    texts = [_text(passage, writing.sender_name) for passage in passages]
    if not any(texts):  # somebody wrote nothing but a name or two words that look like one
        texts = [tidy("\n".join(line.text for line in passage)) for passage in passages]
    if forward is not None:
        texts.append(_forwarded(lines[forward:]))
    text = "\n\n".join(text for text in texts if text)
    return Reply(text, has_quotes or forward is not None)


def _text(passage: list[Line], sender_name: str) -> str:
    own = [line.text for line in passage if line.role is not Role.SIGNATURE]
    return tidy("\n".join(without_signature(without_banner(own), sender_name)))


def _passages(lines: Sequence[Line]) -> tuple[list[list[Line]], bool]:
    """Runs of written lines between the quotes, and whether there was any quote."""
    passages: list[list[Line]] = [[]]
    has_quotes = False
    at = 0
    while at < len(lines):
        line = lines[at]
        end = introductions.attribution_end(lines, at) if line.role is Role.WRITTEN else None
        if introductions.is_original_start(lines, at) or (end is not None and not _is_quote_next(lines, end)):
            introductions.drop_introduction(passages[-1])
            return passages, True
        if end is not None or line.role is Role.QUOTED:
            introductions.drop_introduction(passages[-1])
            has_quotes = True
            if passages[-1]:
                passages.append([])
        else:
            passages[-1].append(line)
        at = end if end is not None else at + 1
    return passages, has_quotes


def _is_quote_next(lines: Sequence[Line], at: int) -> bool:
    following = next((line for line in lines[at:] if not line.is_blank), None)
    return following is None or following.role is Role.QUOTED


def _forward_start(lines: Sequence[Line], subject: str) -> int | None:
    """Where a forwarded mail starts, if this mail forwards one."""
    is_forward = introductions.is_forward_subject(subject)
    for at, line in enumerate(lines):
        if introductions.is_forward_marker(line.text) and line.depth <= 1:
            return at
        if introductions.is_original_start(lines, at):
            return at if is_forward else None
        if line.role is Role.QUOTED and not line.is_blank:
            return at if is_forward and introductions.is_field_block(lines, at) else None
        if line.role is Role.WRITTEN and introductions.attribution_end(lines, at):
            return None
    return None


def _forwarded(lines: Sequence[Line]) -> str:
    """The forwarded mail as it stands; the marks of the quotes in it stay, one level less if all of it is quoted."""
    depths = [line.depth for line in lines[1:] if not line.is_blank]
    outer = min(depths, default=0)
    inner = (replace(line, depth=max(0, line.depth - outer)) for line in lines)
    return tidy("\n".join(f"{'>' * line.depth} {line.text}" if line.depth else line.text for line in inner))
