"""What taking a run back does, in the reader's words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core import hidden
from crm.reverts.models import Fate, Line, Why
from web.i18n import Words
from web.phrases import HANDLE_KINDS, N_, ROLES
from web.refusals import in_words
from web.run_details import NOUNS, place_of, told
from web.tool_cards import FIELDS, doing
from web.values import LABELS

_WHYS: Mapping[Why, str] = {
    Why.CHANGED_SINCE: N_("somebody has changed it since"),
    Why.IN_USE: N_("others have built on it since"),
    Why.FINAL: N_("it cannot be taken back"),
    Why.GONE: N_("it is not there any more"),
    Why.REFUSED: N_("its own rules do not allow it"),
}
_REMOVED: Mapping[str, str] = {
    "draft": N_("is withdrawn"),
    "approval": N_("is not asked any more"),
    "fact": N_("is taken back"),
}


@dataclass(frozen=True)
class Described:
    """A line: what it is about, what happens to it, and why it does not; `now` goes and `to` comes back."""

    noun: str
    name: str
    href: str
    text: str
    now: str
    to: str
    why: str


def described(lines: Iterable[Line], names: Mapping[str, str], words: Words) -> list[Described]:
    """Lines as the page shows them."""
    return [_described(line, names, words) for line in lines]


def _described(line: Line, names: Mapping[str, str], words: Words) -> Described:
    label, now, to = _field(line, names, words)
    return Described(
        noun=words.gettext(NOUNS[line.kind]) if line.kind in NOUNS else line.kind.replace("_", " "),
        name=doing(line.name, words) if line.kind == "approval" else hidden.shown(line.name),
        href=place_of(line.kind, line.id),
        text=label or (_removal(line, words) if line.fate is Fate.REMOVED else ""),
        now=now,
        to=to,
        why=_why(line, words),
    )


def _removal(line: Line, words: Words) -> str:
    return words.gettext(_REMOVED.get(line.kind, N_("goes into the trash")))


def _why(line: Line, words: Words) -> str:
    if line.why is Why.REFUSED and line.detail:
        return in_words(line.detail, words)
    return words.gettext(_WHYS[line.why]) if line.why else ""


def _field(line: Line, names: Mapping[str, str], words: Words) -> tuple[str, str, str]:
    """The field's name, what it holds and what it held; of what is there or not, the thing itself."""
    kind, _, rest = line.field.partition(":")
    if not rest:
        labels = {**LABELS, **FIELDS}
        known = words.gettext(labels[line.field]) if line.field in labels else ""
        label = known or line.field.removeprefix("custom.").replace("_", " ")
        return label, told(line.now, names, words), told(line.to, names, words)
    match kind:
        case "tag":
            label, value = words.gettext("Tag"), rest
        case "handle":
            handle, _, value = rest.partition(":")
            label = words.gettext(HANDLE_KINDS.get(handle, handle))
        case _:
            role = rest.rpartition(":")[2]
            label, value = words.gettext("Role in the deal"), words.gettext(ROLES.get(role, role))
    return label, _present(line.now, value), _present(line.to, value)


def _present(is_there: Any, value: str) -> str:
    return hidden.shown(value) if is_there else ""
