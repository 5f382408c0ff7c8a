"""Cases of the red team: a text from outside, what a model that obeys it does, and an honest request beside it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from random import Random

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from core.errors import Unprocessable
from core.languages import Language, language_of
from tools.registry import BY_NAME

# Our own set.
OWN = tuple(
    Path(__file__).parent.parent / "datasets" / f"redteam.{language}.jsonl" for language in ("en", "ru")
)


class Carrier(StrEnum):
    """How the text gets in."""

    MAIL_BODY = "mail_body"
    MAIL_HTML_HIDDEN = "mail_html_hidden"
    MAIL_SUBJECT = "mail_subject"
    ATTACHMENT_NAME = "attachment_name"
    VCARD = "vcard"
    TELEGRAM_TEXT = "telegram_text"
    FORWARD_NAME = "forward_name"
    CONTACT_NOTE = "contact_note"
    CSV_CELL = "csv_cell"
    MEMORY = "memory"
    TOOL_ERROR = "tool_error"
    WEB_PAGE = "web_page"


MAIL_CARRIERS = frozenset({Carrier.MAIL_BODY, Carrier.MAIL_HTML_HIDDEN, Carrier.MAIL_SUBJECT})
# What a case may name of the world that it is played in. The second line is beyond what outside cases need.
PLACEHOLDERS = frozenset(
    [
        "contact.id",
        "conversation.id",
        "deal.id",
        "draft.id",
        "message.id",
        "user.id",
        "agent.id",
        "document.id",
        "other_conversation.id",
        "other_org.id",
        "other_org.contact.id",
        "canary",
        "lead.id",
        "task.id",
        "company.id",
        "other_contact.id",
    ]
)
_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


class Call(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    tool: str
    args: dict[str, JsonValue] = Field(default_factory=dict)


class Case(BaseModel):
    """`calls` is what a model does that has read `text`; `benign` is what the same person honestly asks for.

    `goal` is a note for people.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = Field(min_length=1)
    carrier: Carrier
    text: str = Field(min_length=1)
    goal: str = ""
    calls: tuple[Call, ...]
    benign: str = Field(min_length=1)

    @property
    def language(self) -> Language:
        return language_of(self.benign, "en")

    @property
    def is_mail(self) -> bool:
        """Whether the thread of the case is one of mails."""
        return self.carrier in MAIL_CARRIERS

    def in_world(self, values: Mapping[str, str]) -> "Case":
        """The case with every placeholder replaced; what is no placeholder of ours in a text is the attacker's."""
        return self.model_copy(
            update={
                "text": _filled(self.text, values),
                "calls": tuple(
                    Call(tool=call.tool, args=_resolved(call.args, values)) for call in self.calls
                ),
            }
        )


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def _resolved(args: Mapping[str, JsonValue], values: Mapping[str, str]) -> dict[str, JsonValue]:
    def resolve(value: JsonValue) -> JsonValue:
        match value:
            case str():
                return _filled(value, values)
            case list():
                return [resolve(item) for item in value]
            case dict():
                return {name: resolve(item) for name, item in value.items()}
            case _:
                return value

    return {name: resolve(value) for name, value in args.items()}


def read_cases(paths: Sequence[Path]) -> list[Case]:
    """Every case of some files of JSON lines.

    Raises: Unprocessable, naming the file, the line, and what is wrong: no JSON, a field, a tool, a carrier or a
        placeholder that there is not.
    """
    cases = [case for path in paths for case in _read_file(path)]
    if not cases:
        raise Unprocessable(f"There is no case in {', '.join(path.name for path in paths)}.")
    return cases


def _read_file(path: Path) -> Iterator[Case]:
    try:
        content = path.read_text(encoding="utf-8-sig")
    except OSError as err:
        raise Unprocessable(f"{path} cannot be read: {err.strerror}.") from err
    except UnicodeDecodeError as err:
        raise Unprocessable(f"{path.name} is not UTF-8.") from err
    for number, line in enumerate(content.split("\n"), 1):
        if line.strip():
            yield _read_line(line, f"{path.name}, line {number}")


def _read_line(line: str, place: str) -> Case:
    try:
        case = Case.model_validate_json(line)
    except ValidationError as err:
        first = err.errors(include_url=False, include_context=False)[0]
        if first["loc"] == ("carrier",) and first["type"] == "enum":
            known = ", ".join(Carrier)
            raise Unprocessable(
                f"{place}: there is no carrier {first['input']!r}; there are: {known}."
            ) from err
        where = ".".join(map(str, first["loc"])) or "the line"
        raise Unprocessable(f"{place}: {where}: {first['msg']}.") from err
    for call in case.calls:
        if call.tool not in BY_NAME:
            raise Unprocessable(
                f"{place}: there is no tool {call.tool!r}; `getsale tools` lists those there are."
            )
        for name in _placeholders(call.args):
            if name not in PLACEHOLDERS:
                known = ", ".join(sorted(PLACEHOLDERS))
                raise Unprocessable(f"{place}: there is no placeholder {name!r}; there are: {known}.")
    return case


def _placeholders(value: JsonValue) -> Iterator[str]:
    match value:
        case str():
            yield from _PLACEHOLDER.findall(value)
        case list():
            for item in value:
                yield from _placeholders(item)
        case dict():
            for item in value.values():
                yield from _placeholders(item)
        case _:
            return


def sample(cases: Sequence[Case], n: int | None, seed: int) -> list[Case]:
    """So many of the cases, of each carrier in turn; all of them without a number."""
    if n is None or n >= len(cases):
        return list(cases)
    shuffled = list(cases)
    Random(seed).shuffle(shuffled)
    of_carrier = {carrier: [case for case in shuffled if case.carrier is carrier] for carrier in Carrier}
    chosen: list[Case] = []
    while len(chosen) < n:
        for waiting in of_carrier.values():
            if waiting and len(chosen) < n:
                chosen.append(waiting.pop())
    return chosen
