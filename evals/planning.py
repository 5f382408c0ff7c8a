"""What is going to be measured, with all that makes it the same another time."""

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import JsonValue

from core.errors import Unprocessable
from core.jsons import dumps, loads
from crm.evaluations.models import EvalCase, EvalRun, NewEvalCase, NewEvalRun
from evals.cases import Case, digest
from evals.sampling import sample
from evals.suites.base import Suite
from prompts import library
from prompts.library import Prompt, PromptError

_ROOT = Path(__file__).parents[1]
# What an agent's behaviour follows from.
_PACKAGES = ("agents", "core", "crm", "evals", "events", "graph", "memory", "prompts", "tools")


def plan(
    suite: Suite,
    cases: Sequence[Case],
    *,
    model: str,
    prompts: Sequence[Prompt] = (),
    n: int | None = None,
    repeat: int = 1,
    seed: int = 0,
) -> NewEvalRun:
    """A run of `n` cases, each played `repeat` times."""
    chosen = sample(cases, n or len(cases), seed)
    return NewEvalRun(
        suite=suite.name,
        model=model,
        prompts=_told_prompts(prompts),
        code_version=code_version(),
        dataset_sha256=digest(chosen),
        seed=seed,
        cases=[
            NewEvalCase(case.id, case.language, _definition(case, attempt))
            for case in chosen
            for attempt in range(repeat)
        ],
    )


def _definition(case: Case, attempt: int) -> dict[str, JsonValue]:
    told = case.model_copy(update={"attempt": attempt}).model_dump(mode="json", exclude_defaults=True)
    definition: dict[str, JsonValue] = loads(dumps(told))
    return definition


def case_of(row: EvalCase) -> Case:
    """The case as it was planned."""
    return Case.model_validate(row.definition)


def chosen_prompts(words: Sequence[str]) -> list[Prompt]:
    """Prompts as `NAME=VERSION` or `NAME=FILE`. Raises: Unprocessable."""
    return [_chosen(word) for word in words]


def _chosen(word: str) -> Prompt:
    name, equals, version = word.partition("=")
    if not equals or not version:
        raise Unprocessable(f"{word!r} names no version of a prompt; write NAME=VERSION or NAME=FILE.")
    if name not in library.names():
        raise Unprocessable(f"There is no prompt {name!r}; there are: {', '.join(library.names())}.")
    try:
        return library.find_version(name, version)
    except PromptError as err:
        raise Unprocessable(str(err)) from err


def _told_prompts(chosen: Sequence[Prompt]) -> dict[str, JsonValue]:
    """Every prompt by name; one that is not in force with its whole text, so that any worker can play it."""
    told: dict[str, JsonValue] = {}
    others = {prompt.name: prompt for prompt in chosen}
    for name in library.names():
        prompt = others.get(name) or library.in_force(name)
        told[name] = {"version": prompt.version, "sha256": prompt.sha256}
        if prompt != library.in_force(name):
            told[name] = {**_dict(told[name]), "raw": prompt.raw}
    return told


def prompts_of(run: EvalRun) -> list[Prompt]:
    """The prompts of a run that were not in force."""
    texts = {name: _dict(told).get("raw") for name, told in run.prompts.items()}
    return [library.parse(name, raw) for name, raw in texts.items() if isinstance(raw, str)]


def _dict(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


@cache
def code_version() -> str:
    """The release and a hash of the code that agents run on."""
    texts = hashlib.sha256()
    for path in sorted(file for name in _PACKAGES for file in (_ROOT / name).rglob("*.*")):
        if path.suffix in (".py", ".md", ".toml"):
            texts.update(path.relative_to(_ROOT).as_posix().encode())
            texts.update(path.read_bytes())
    try:
        release = version("getsale")
    except PackageNotFoundError:
        release = "0"
    return f"{release}+{texts.hexdigest()[:12]}"
