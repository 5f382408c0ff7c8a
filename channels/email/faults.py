"""What an answer of a mail server means for the mail that was being sent.

Source: RFC 5321 section 4.2 (codes, and that 4yz is not accepted and may be tried again), RFC 3463 (enhanced codes).
"""

import re
from enum import StrEnum

from channels.base import AccountFault, Ambiguous, ChannelError, Delayed, Limited, Permanent, Retryable

_RATE = re.compile(r"rate|too many|limit|throttl|slow down|quota exceeded|try again later.*connections", re.I)
_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


class Phase(StrEnum):
    """How far the conversation with the server had come."""

    GREETING = "greeting"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


def of_answer(phase: Phase, code: int, text: str, pause_seconds: float) -> ChannelError:
    """The fate of a mail that the server answered with something else than yes.

    Mail servers do not say how long to wait: `pause_seconds` is our own patience.
    """
    said = " ".join(text.split())[:200]
    if code == 421:
        return Limited(pause_seconds, "The mail server asks for a pause")
    if 400 <= code < 500:
        return _for_now(phase, said, pause_seconds)
    if 500 <= code < 600:
        return _for_good(phase, code, said)
    # no code of the protocol: before the content is out nothing can have happened
    return Retryable(f"The mail server answered something unknown: {code} {said}")


def _for_now(phase: Phase, said: str, pause_seconds: float) -> ChannelError:
    """Tried again; only what is about the account and not about one recipient makes the whole account wait."""
    if phase in (Phase.GREETING, Phase.SENDER) or (_RATE.search(said) and _subject(said) != "2"):
        return Limited(pause_seconds, "The mail server asks for a pause")
    if phase is Phase.LOGIN:
        return Retryable("The mail server cannot check the password now")
    return Delayed(pause_seconds, f"The mail server does not take it yet: {said}")


def _for_good(phase: Phase, code: int, said: str) -> ChannelError:
    match phase:
        case Phase.LOGIN:
            return AccountFault("The mail server does not accept the user or the password; connect it again")
        case Phase.GREETING:
            return AccountFault(f"The mail server does not let us in: {said}")
        case Phase.SENDER:
            return AccountFault(f"The mail server does not let this address send: {said}")
        case Phase.RECIPIENT | Phase.CONTENT if code == 530:
            return AccountFault(f"The mail server wants a login: {said}")
        case Phase.RECIPIENT if _enhanced(said) in {"5.1.1", "5.1.2", "5.1.3", "5.1.10"}:
            return Permanent("There is no such mail address")
        case Phase.RECIPIENT | Phase.CONTENT:
            return Permanent(f"Refused by the mail server: {code} {said}")


def _subject(said: str) -> str:
    found = _ENHANCED.search(said)
    return found[2] if found else ""


def _enhanced(said: str) -> str:
    found = _ENHANCED.search(said)
    return found[0] if found else ""


def dropped(*, is_content_out: bool) -> ChannelError:
    """The connection broke: once the final dot is out, the server may have taken the mail."""
    if is_content_out:
        return Ambiguous("The connection to the mail server broke before it answered")
    return Retryable("The connection to the mail server broke")
