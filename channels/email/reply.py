"""What the writer of a mail added: no quotes, no signature, but every answer between the quotes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from channels.email import introductions
from channels.email.lines import Line, Role, tidy
from channels.email.signatures import without_banner, without_signature


@dataclass(frozen=True)
class Writing:
    """Whose words to look for: how the sender is called, what the mail is about, whether it answers one."""

    sender_name: str
    subject: str
    is_answer: bool


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
    lines = _settled(lines, is_answer=writing.is_answer)
    forward = _forward_start(lines, writing.subject)
    passages, has_quotes = _passages(lines if forward is None else lines[:forward])
    texts = [_text(passage, writing.sender_name) for passage in passages]
    if (
        not any(texts) and forward is None
    ):  # somebody wrote nothing but a name or two words that look like one
        texts = [tidy("\n".join(line.text for line in passage)) for passage in passages]
    if forward is not None:
        texts.append(_forwarded(lines[forward:]))
    text = "\n\n".join(text for text in texts if text)
    return Reply(text, has_quotes or forward is not None)


def _settled(lines: Sequence[Line], *, is_answer: bool) -> list[Line]:
    """The lines with bare blockquotes decided: quotes in an answer or under an attribution, else only indented."""
    settled: list[Line] = []
    are_quotes = is_answer
    for at, line in enumerate(lines):
        if line.role is Role.INDENTED and not line.is_blank:
            above = next((each for each in reversed(settled) if not each.is_blank), None)
            are_quotes |= introductions.attribution_end(lines, at) is not None
            are_quotes |= above is not None and (
                introductions.is_attribution(above.text) or introductions.is_naming(above.text)
            )
            settled.append(replace(line, role=Role.QUOTED) if are_quotes else Line(line.text))
        elif line.role is Role.INDENTED:
            settled.append(replace(line, role=Role.QUOTED if are_quotes else Role.WRITTEN))
        else:
            settled.append(line)
    return settled


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
        if end is None and introductions.is_naming(line.text) and _is_quoted_right_after(lines, at + 1):
            end = at + 1
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


def _is_quoted_right_after(lines: Sequence[Line], at: int) -> bool:
    return any(line.role is Role.QUOTED for line in lines[at : at + 2])


def _forward_start(lines: Sequence[Line], subject: str) -> int | None:
    """Where a forwarded mail starts, if this mail forwards one."""
    is_forward = introductions.is_forward_subject(subject)
    for at, line in enumerate(lines):
        if introductions.is_forward_marker(line.text) and line.depth <= 1:
            return at
        is_introduced = line.role is Role.WRITTEN and introductions.attribution_end(lines, at) is not None
        is_quoted = line.role is Role.QUOTED and not line.is_blank
        if is_introduced or is_quoted or introductions.is_original_start(lines, at):
            return at if is_forward else None
    return None


def _forwarded(lines: Sequence[Line]) -> str:
    """The forwarded mail as it stands; the marks of the quotes in it stay, one level less if all of it is quoted."""
    start = next((at for at, line in enumerate(lines) if line.depth), len(lines))
    outer = min((line.depth for line in lines[start:] if not line.is_blank), default=0)
    inner = (replace(line, depth=max(0, line.depth - outer)) for line in lines)
    return tidy("\n".join(f"{'>' * line.depth} {line.text}" if line.depth else line.text for line in inner))
