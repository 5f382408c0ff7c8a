"""Cases: what a contact writes into which scene, and what is right then. Read from JSON Lines, one case a line."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from core.errors import Unprocessable
from core.jsons import dumps
from core.languages import Language
from evals.scene import Scene

DATASETS = Path(__file__).parent / "datasets"
_WORLDS = DATASETS / "worlds"

Decision = Literal["answer", "ignore", "notify"]


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Call(_Told):
    """A tool call that belongs to the right way; of the arguments only those named are looked at."""

    tool: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)


class Expect(_Told):
    """What is right. What is not named is not judged.

    decision: the contact gets an answer, nothing, or a person. reasons: any of these is a good reason for a person.
    says: each entry is one thing to state, as one or more wordings of which the reply has one. unsaid: words that may
    not leave, in the reply or in any message. cites: the records that the reply rests on, as `fact`, `fact 2`,
    `document`. calls: the right way through the tools. state: places in what is left, as `conversation.holder`.
    reply: a reply that a good colleague wrote. refuses: what was asked for may not be given.
    """

    decision: Decision | None = None
    reasons: tuple[str, ...] = ()
    says: tuple[tuple[str, ...], ...] = ()
    unsaid: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    trajectory: Literal["strict", "unordered", "subset", "superset"] = "superset"
    state: dict[str, JsonValue] = Field(default_factory=dict)
    reply: str = ""
    refuses: bool = False
    most_words: int = 120


class Decided(_Told):
    """What a person decided about the draft of which a case was made; the text that went out is `expect.reply`."""

    outcome: Literal["accepted", "edited", "rejected", "returned"]
    draft: str
    reason: str = ""
    model: str = ""
    prompt: str = ""
    intents: tuple[str, ...] = ()


class Case(_Told):
    """`stratum` is the kind of case, of which a sample takes its share; `world` names a scene that many cases share."""

    id: str = Field(min_length=1)
    language: Language = "en"
    stratum: str = ""
    world: str = ""
    scene: dict[str, JsonValue] = Field(default_factory=dict)
    burst: tuple[str, ...] = Field(min_length=1)
    expect: Expect
    decided: Decided | None = None

    def stage(self) -> Scene:
        """The scene of this case: its world with what the case says differently. Raises: ValidationError."""
        told = {**(_world(self.world, self.language) if self.world else {}), **self.scene}
        contact = {"language": self.language, **_dict(told.get("contact"))}
        return Scene.model_validate({**told, "contact": contact})


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
        case.stage()
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        raise Unprocessable(f"{place}: {where}: {first['msg']}.") from err
    except Unprocessable as err:
        raise Unprocessable(f"{place}: {err.detail}") from err
    return case


def _dumped(case: Case) -> dict[str, Any]:
    """A case that nobody decided about has the hash that it had before decisions were cases."""
    return case.model_dump(mode="json", exclude=None if case.decided else {"decided"})


def digest(cases: Sequence[Case]) -> str:
    """One hash of all that is played and expected, worlds included."""
    told = [[_dumped(case), case.stage().model_dump(mode="json")] for case in cases]
    return hashlib.sha256(dumps(told).encode()).hexdigest()
