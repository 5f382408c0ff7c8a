"""Loads prompts by name, renders them with strict variables and locks each version to its text.

The version in force is `prompts/<agent>/<name>.md`. Others may lie beside it as `<name>@<version>.md`: nothing uses
them but what asks for them, inside `using(...)`.
"""

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template, TemplateSyntaxError, nodes

ROOT = Path(__file__).parent
LOCK = ROOT / "versions.lock"
_environment = Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
# What a text from outside the house may do in a template: no calls, no attributes, no loops.
_PLAIN = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.If, nodes.Not, nodes.And, nodes.Or,
          nodes.Compare, nodes.Operand, nodes.Const)  # fmt: skip


class PromptError(Exception):
    """A prompt file, its inputs or its lock is wrong: a mistake of ours, found by tests."""


@dataclass(frozen=True)
class Prompt:
    """One version of one prompt; `sha256` covers the role, the inputs and the text."""

    name: str
    version: int
    role: str
    inputs: frozenset[str]
    sha256: str
    text: str
    raw: str = field(default="", repr=False, compare=False)  # the whole file

    @property
    def label(self) -> str:
        """How drafts and runs name this prompt, for example `inbox/draft@1`."""
        return f"{self.name}@{self.version}"

    def render(self, **inputs: object) -> str:
        """The text with its inputs filled in.

        Raises: PromptError unless the inputs are exactly those that the front matter names.
        """
        if inputs.keys() != self.inputs:
            raise PromptError(f"Prompt {self.label} takes {sorted(self.inputs)}, not {sorted(inputs)}.")
        return _template(self.text).render(inputs)


_chosen: ContextVar[Mapping[str, Prompt]] = ContextVar("chosen_prompts", default={})  # noqa: B039  # never changed


@contextmanager
def using(prompts: Sequence[Prompt]) -> Iterator[None]:
    """Make `load()` return these instead of the versions in force inside the block."""
    token = _chosen.set({**_chosen.get(), **{prompt.name: prompt for prompt in prompts}})
    try:
        yield
    finally:
        _chosen.reset(token)


def load(name: str) -> Prompt:
    """The prompt of this name. Raises: PromptError when it is missing or has no front matter."""
    return _chosen.get().get(name) or in_force(name)


@cache
def in_force(name: str) -> Prompt:
    """The prompt in `prompts/<name>.md`. Raises: PromptError."""
    return _read(name, ROOT / f"{name}.md")


def find_version(name: str, version: str) -> Prompt:
    """Another version of a prompt: by its number, or out of a file. Raises: PromptError, naming what there is."""
    current = in_force(name)
    if not version.isdigit():
        return _read(name, Path(version))
    if int(version) == current.version:
        return current
    path = ROOT / f"{name}@{version}.md"
    if not path.exists():
        there = ", ".join(str(number) for number in versions(name))
        raise PromptError(f"There is no version {version} of the prompt {name}; there are: {there}.")
    return _read(name, path)


def edited(name: str, text: str) -> Prompt:
    """The prompt in force with another text, which may only fill in its inputs and ask whether there are any.

    Raises: PromptError, naming what else it does: whoever writes it may not run code here.
    """
    current = in_force(name)
    try:
        tree = _environment.parse(text)
    except TemplateSyntaxError as err:
        raise PromptError(f"line {err.lineno} cannot be read: {err.message}") from err
    for node in _within(tree):
        if not isinstance(node, _PLAIN):
            raise PromptError("it may hold inputs in braces and conditions about them, no more of a template")
        if isinstance(node, nodes.Name) and node.name not in current.inputs:
            named = ", ".join(sorted(current.inputs))
            raise PromptError(f"it has no input {node.name!r}, but {named}")
    digest = _digest(current.role, current.inputs, text)
    return replace(current, text=text, sha256=digest, raw=text)


def _within(tree: nodes.Node) -> Iterator[nodes.Node]:
    yield tree
    for node in tree.iter_child_nodes():
        yield from _within(node)


def versions(name: str) -> list[int]:
    """The versions of a prompt that lie in the house."""
    beside = (ROOT / name).parent.glob(f"{(ROOT / name).name}@*.md")
    return sorted(
        {in_force(name).version, *(parse(name, path.read_text("utf-8")).version for path in beside)}
    )


def _read(name: str, path: Path) -> Prompt:
    try:
        raw = path.read_text(encoding="utf-8")
    except OSError as err:
        raise PromptError(f"There is no prompt {name}; expected the file {path.name}.") from err
    return parse(name, raw)


def parse(name: str, raw: str) -> Prompt:
    """A prompt out of the text of its file. Raises: PromptError."""
    front, text = _split(name, raw)
    inputs = frozenset(part.strip() for part in front.get("inputs", "").split(",") if part.strip())
    role = front.get("role", "system")
    return Prompt(name, int(front["version"]), role, inputs, _digest(role, inputs, text), text, raw)


def _digest(role: str, inputs: frozenset[str], text: str) -> str:
    return hashlib.sha256("\n".join([role, *sorted(inputs), text]).encode()).hexdigest()


def _split(name: str, raw: str) -> tuple[dict[str, str], str]:
    opening, _, rest = raw.partition("---\n")
    head, closing, text = rest.partition("---\n")
    if opening or not closing:
        raise PromptError(f"Prompt {name} does not start with front matter between two lines of ---.")
    front = {
        key.strip(): value.strip() for key, _, value in (line.partition(":") for line in head.splitlines())
    }
    if not front.get("version", "").isdigit():
        raise PromptError(f"Prompt {name} has no whole number as its version.")
    return front, text.strip() + "\n"


@lru_cache(maxsize=64)
def _template(text: str) -> Template:
    return _environment.from_string(text)


def names() -> list[str]:
    """Every prompt of the house."""
    files = (path for path in ROOT.glob("*/*.md") if "@" not in path.name)
    return sorted(path.relative_to(ROOT).with_suffix("").as_posix() for path in files)


def _every_version() -> list[Prompt]:
    return [find_version(name, str(number)) for name in names() for number in versions(name)]


def locked() -> dict[tuple[str, int], str]:
    """The hash of every version that was ever locked."""
    rows = (line.split() for line in LOCK.read_text(encoding="utf-8").splitlines() if line.strip())
    return {(name, int(version)): sha256 for name, version, sha256 in rows}


def violations(lock: Mapping[tuple[str, int], str]) -> list[str]:
    """Prompts whose text is not the one that their version was locked with."""
    found = []
    for prompt in _every_version():
        sha256 = lock.get((prompt.name, prompt.version))
        if sha256 is None:
            found.append(f"{prompt.label} is not locked; run `python -m prompts.library`.")
        elif sha256 != prompt.sha256:
            found.append(f"{prompt.label} changed; raise its version and run `python -m prompts.library`.")
    return found


def lock_new_versions() -> list[str]:
    """Add versions that the lock does not know yet; what it knows is never rewritten."""
    lock = locked() if LOCK.exists() else {}
    for prompt in _every_version():
        lock.setdefault((prompt.name, prompt.version), prompt.sha256)
    lines = [f"{name} {version} {sha256}\n" for (name, version), sha256 in sorted(lock.items())]
    LOCK.write_text("".join(lines), encoding="utf-8")
    return violations(lock)


if __name__ == "__main__":
    sys.exit("\n".join(lock_new_versions()) or 0)
