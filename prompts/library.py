"""Loads prompts by name, renders them with strict variables and locks each version to its text."""

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

ROOT = Path(__file__).parent
LOCK = ROOT / "versions.lock"
_environment = Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)


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


@cache
def load(name: str) -> Prompt:
    """The prompt in `prompts/<name>.md`. Raises: PromptError when it is missing or has no front matter."""
    path = ROOT / f"{name}.md"
    try:
        raw = path.read_text(encoding="utf-8")
    except FileNotFoundError as err:
        raise PromptError(f"There is no prompt {name}; expected the file {path.name}.") from err
    front, text = _split(name, raw)
    inputs = frozenset(part.strip() for part in front.get("inputs", "").split(",") if part.strip())
    role = front.get("role", "system")
    digest = hashlib.sha256("\n".join([role, *sorted(inputs), text]).encode()).hexdigest()
    return Prompt(name, int(front["version"]), role, inputs, digest, text)


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
    return sorted(path.relative_to(ROOT).with_suffix("").as_posix() for path in ROOT.glob("*/*.md"))


def locked() -> dict[tuple[str, int], str]:
    """The hash of every version that was ever locked."""
    rows = (line.split() for line in LOCK.read_text(encoding="utf-8").splitlines() if line.strip())
    return {(name, int(version)): sha256 for name, version, sha256 in rows}


def violations(lock: Mapping[tuple[str, int], str]) -> list[str]:
    """Prompts whose text is not the one that their version was locked with."""
    found = []
    for prompt in map(load, names()):
        sha256 = lock.get((prompt.name, prompt.version))
        if sha256 is None:
            found.append(f"{prompt.label} is not locked; run `python -m prompts.library`.")
        elif sha256 != prompt.sha256:
            found.append(f"{prompt.label} changed; raise its version and run `python -m prompts.library`.")
    return found


def lock_new_versions() -> list[str]:
    """Add versions that the lock does not know yet; what it knows is never rewritten."""
    lock = locked() if LOCK.exists() else {}
    for prompt in map(load, names()):
        lock.setdefault((prompt.name, prompt.version), prompt.sha256)
    lines = [f"{name} {version} {sha256}\n" for (name, version), sha256 in sorted(lock.items())]
    LOCK.write_text("".join(lines), encoding="utf-8")
    return violations(lock)


if __name__ == "__main__":
    sys.exit("\n".join(lock_new_versions()) or 0)
