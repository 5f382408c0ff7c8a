"""Cases: what a contact writes into which scene, and what is right then. Read from JSON Lines, one case a line."""

import difflib
import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from core.errors import Unprocessable
from core.jsons import dumps
from core.languages import Language
from evals.firm import names_of, read_firm
from evals.scene import Scene

DATASETS = Path(__file__).parent / "datasets"
_WORLDS = DATASETS / "worlds"
# Kinds of names that the data of the firm has; stages and tags come from the product.
_FROM_THE_FIRM = ("member", "user", "company", "contact", "deal", "task", "meeting")

Decision = Literal["answer", "ignore", "notify"]


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Call(_Told):
    """A tool call that belongs to the right way; of the arguments only those named are looked at.

    A value such as `@deal:havik-freezer-gates` is the id of what has this name.
    """

    tool: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)


class Row(_Told):
    """A row that is not as it was: `of` is the name of its record, `to` what it has now, by column.

    Without `of` it is a new row, of which only the named columns are looked at; `is_gone` says that it was deleted.
    """

    table: str
    of: str = ""
    to: dict[str, JsonValue] = Field(default_factory=dict)
    is_gone: bool = False


class Expect(_Told):
    """What is right. What is not named is not judged.

    decision: the contact gets an answer, nothing, or a person. reasons: any of these is a good reason for a person.
    says: each entry is one thing to state, as one or more wordings of which the reply has one. unsaid: words that may
    not leave, in the reply or in any message. cites: the records that the reply rests on, as `fact`, `fact 2`,
    `document`. calls: the right way through the tools. state: places in what is left, as `conversation.holder`.
    rows: everything that has changed in the whole organization when it is over, and nothing else; none is nothing.
    reply: a reply that a good colleague wrote. refuses: what was asked for may not be given.
    most_turns: how many messages a prospect may have to write, if that matters.
    figures: whole numbers that an answer gives. sources: kinds of records that it names as its sources.
    """

    decision: Decision | None = None
    reasons: tuple[str, ...] = ()
    says: tuple[tuple[str, ...], ...] = ()
    unsaid: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    trajectory: Literal["strict", "unordered", "subset", "superset"] = "superset"
    state: dict[str, JsonValue] = Field(default_factory=dict)
    rows: tuple[Row, ...] | None = None
    figures: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    reply: str = ""
    refuses: bool = False
    most_words: int = 120
    most_turns: int = 0


class Wish(_Told):
    """One thing that a prospect wants out of a talk.

    asks: how they say it, and then in other words each time that they have to ask again; a list is a choice of wordings.
    gets: an answer that has one of the wordings in `hears` (any answer, without), a person, or to be left in peace.
    """

    asks: tuple[str | tuple[str, ...], ...] = ()
    gets: Literal["answer", "person", "peace"] = "answer"
    hears: tuple[str, ...] = ()


class Known(_Told):
    """What a prospect tells when our answer asks for it: `about` are wordings of such a question."""

    about: tuple[str, ...]
    says: str


class Talk(_Told):
    """A prospect with what they want, one thing after the other; the burst says the first for the first time.

    `patience` is how often they go on to ask for one thing before they leave.
    """

    wishes: tuple[Wish, ...] = Field(min_length=1)
    knows: tuple[Known, ...] = ()
    patience: int = Field(default=2, ge=0, le=10)


class Decided(_Told):
    """What a person decided about the draft of which a case was made; the text that went out is `expect.reply`."""

    outcome: Literal["accepted", "edited", "rejected", "returned"]
    draft: str
    reason: str = ""
    model: str = ""
    prompt: str = ""
    intents: tuple[str, ...] = ()


class Case(_Told):
    """`stratum` is the kind of case, of which a sample takes its share; `world` names a scene that many cases share.

    With `by` the burst is not what a contact writes: a colleague of the firm (evals/firm.py) asks it of the copilot, one
    question after the other, looking at the record `about`; the `approver` decides about what the copilot proposes.

    With `talk` the burst is how a talk begins. `attempt` counts the plays of one case, each of which chances otherwise.
    """

    id: str = Field(min_length=1)
    language: Language = "en"
    stratum: str = ""
    world: str = ""
    scene: dict[str, JsonValue] = Field(default_factory=dict)
    burst: tuple[str, ...] = Field(min_length=1)
    by: str = ""
    about: str = ""
    approver: Literal["approves", "rejects"] = "approves"
    expect: Expect
    decided: Decided | None = None
    talk: Talk | None = None
    attempt: int = 0

    def check(self) -> None:
        """Whether everything that the case names is there. Raises: ValidationError, Unprocessable."""
        if self.by:
            self._check_names(names_of(read_firm()))
        else:
            self.stage()

    def _check_names(self, known: Collection[str]) -> None:
        told = [f"member:{self.by}", *([self.about] if self.about else []), *_named(self.expect)]
        for name in told:
            kind = name.partition(":")[0]
            if kind in _FROM_THE_FIRM and name not in known:
                alike = [one for one in known if one.startswith(f"{kind}:")]
                near = difflib.get_close_matches(name, alike, n=3, cutoff=0.3)
                raise Unprocessable(f"the firm has no {name!r}; near names: {', '.join(near) or 'none'}.")

    def stage(self) -> Scene:
        """The scene of this case: its world with what the case says differently. Raises: ValidationError."""
        told = {**(_world(self.world, self.language) if self.world else {}), **self.scene}
        contact = {"language": self.language, **_dict(told.get("contact"))}
        return Scene.model_validate({**told, "contact": contact})


def _named(expect: Expect) -> Iterator[str]:
    """The names in what is expected: rows by name, and values that are ids."""
    yield from (row.of for row in expect.rows or () if row.of)
    told = [*(row.to for row in expect.rows or ()), *(call.arguments for call in expect.calls)]
    for value in (value for values in told for value in values.values()):
        if isinstance(value, str) and value.startswith("@"):
            yield value[1:]


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _world(name: str, language: Language) -> dict[str, Any]:
    path = _WORLDS / f"{name}.{language}.json"
    try:
        return _dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as err:
        known = sorted(file.name.split(".")[0] for file in _WORLDS.glob(f"*.{language}.json"))
        raise Unprocessable(f"There is no world {name!r}; there are: {', '.join(known)}.") from err


def read_cases(paths: Sequence[Path]) -> list[Case]:
    """Every case of some files.

    Raises: Unprocessable, naming the file, the line and what is wrong with it; an id that is there twice is wrong too.
    """
    cases: list[Case] = []
    seen: dict[str, str] = {}
    for path in paths:
        for number, line in enumerate(_lines(path), 1):
            if line.strip():
                place = f"{path.name}, line {number}"
                case = _read(line, place)
                if case.id in seen:
                    raise Unprocessable(f"{place}: the id {case.id!r} stands in {seen[case.id]} already.")
                seen[case.id] = place
                cases.append(case)
    if not cases:
        raise Unprocessable(f"There is no case in {', '.join(path.name for path in paths)}.")
    return cases


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise Unprocessable(
            f"The cases in {path} cannot be read; name a file of JSON lines in UTF-8."
        ) from err


def _read(line: str, place: str) -> Case:
    try:
        case = Case.model_validate_json(line)
        case.check()
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        raise Unprocessable(f"{place}: {where}: {first['msg']}.") from err
    except Unprocessable as err:
        raise Unprocessable(f"{place}: {err.detail}") from err
    return case


def digest(cases: Sequence[Case]) -> str:
    """One hash of all that is played and expected, worlds included."""
    told = [[case.model_dump(mode="json", exclude_defaults=True), _ground(case)] for case in cases]
    return hashlib.sha256(dumps(told).encode()).hexdigest()


def _ground(case: Case) -> JsonValue:
    """What a case is played in."""
    if case.by:
        return _firm_digest()
    ground: JsonValue = case.stage().model_dump(mode="json")
    return ground


@cache
def _firm_digest() -> str:
    return hashlib.sha256(read_firm().model_dump_json().encode()).hexdigest()
