"""What was said in a call of a model, for the page of a run: all of it is text, and some of it came from outside."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from core import hidden
from crm.runs.graphs import Shape
from crm.runs.model_exchanges import ExchangeTurn, ModelExchange
from web.i18n import Words
from web.phrases import N_

ROLES: Mapping[str, str] = {
    "system": N_("Instructions"),
    "user": N_("What it was shown"),
    "assistant": N_("What it had answered"),
    "tool": N_("Result of a tool"),
}


@dataclass(frozen=True)
class SaidCall:
    """A tool call as the model wrote it."""

    tool: str
    arguments: str


@dataclass(frozen=True)
class Said:
    """One turn. `is_outside` says that text from outside may be in it; `left_out` what is not kept of it."""

    label: str
    text: str
    calls: tuple[SaidCall, ...]
    is_outside: bool
    left_out: str
    size: str


@dataclass(frozen=True)
class Exchange:
    went_in: list[Said]
    tools: tuple[str, ...]
    came_out: Said

    @property
    def is_silent(self) -> bool:
        """Whether nothing came back at all."""
        return not (self.came_out.text or self.came_out.calls)


def exchange_of(exchange: ModelExchange, shape: Shape | None, words: Words) -> Exchange:
    """What went into the call and what came out of it."""
    outside = {"user", "tool"} if shape is None or shape.hears_outside else {"tool"}
    return Exchange(
        [_said(turn, turn.role in outside, words) for turn in exchange.messages],
        exchange.tools,
        _said(exchange.answer, False, words),
    )


def _said(turn: ExchangeTurn, is_outside: bool, words: Words) -> Said:
    calls = tuple(SaidCall(hidden.shown(one.name), written(one.arguments)) for one in turn.requests)
    length = len(turn.text) + sum(len(one.arguments) for one in turn.requests) + turn.left_out
    left_out = words.ngettext(
        "%(count)s more character is not kept",
        "%(count)s more characters are not kept",
        turn.left_out,
        count=words.number(turn.left_out),
    )
    size = words.ngettext("%(count)s character", "%(count)s characters", length, count=words.number(length))
    label = words.gettext(ROLES[turn.role]) if turn.role in ROLES else hidden.shown(turn.role)
    return Said(label, written(turn.text), calls, is_outside, left_out if turn.left_out else "", size)


def written(text: str) -> str:
    """The text with what hides in it made visible; JSON on lines of its own."""
    if text.lstrip()[:1] in ("{", "["):
        with contextlib.suppress(ValueError, RecursionError):
            text = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    return hidden.shown(text)
