"""Finds the sentences that people are refused with: whatever the code raises as an error for callers, as patterns."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from core import errors
from core.errors import AppError

ROOT = Path(__file__).parent.parent
# What a page can run into; the second ones belong to commands and to the API alone.
_PLACES = (
    "core",
    "crm",
    "web",
    "api/forgery.py",
    "api/gate.py",
    "api/issuers.py",
    "api/proofs.py",
    "worker/webhooks.py",
)
_ELSEWHERE = ("core/errors.py", "crm/api_keys/answers.py", "crm/channel_accounts/", "crm/language_models/")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# What stages are called in the code. Those that the product brings along have a name in each language.
_STAGES = ("stage", "to", "removed")


@dataclass(frozen=True)
class Raised:
    """An error as the code raises it; `sentence` is empty where its words are put together elsewhere."""

    place: str
    line: int
    sentence: str


def find_sentences() -> set[str]:
    """Every sentence that a page may show, with `%(name)s` where a value stands in it."""
    return {one.sentence for one in find_raised() if one.sentence}


def find_raised() -> list[Raised]:
    """Where the code raises errors whose words a page shows."""
    modules = {place: ast.parse((ROOT / place).read_text("utf-8")) for place in _places()}
    classes = [node for module in modules.values() for node in module.body if isinstance(node, ast.ClassDef)]
    kinds = _kinds(classes)
    return [one for place, module in modules.items() for one in Module(place, module, kinds).raised()]


def _places() -> Iterator[str]:
    for place in (ROOT / name for name in _PLACES):
        for file in [place] if place.is_file() else sorted(place.rglob("*.py")):
            name = str(file.relative_to(ROOT))
            if not name.startswith(_ELSEWHERE):
                yield name


def _kinds(classes: Sequence[ast.ClassDef]) -> dict[str, bool]:
    """Errors by name, and whether they put their words together themselves."""
    kinds = {name: False for name, kind in vars(errors).items() if _is_shown(kind)}
    for one in classes:
        if any(isinstance(base, ast.Name) and base.id in kinds for base in one.bases):
            kinds[one.name] = any(
                isinstance(part, _FUNCTIONS) and part.name == "__init__" for part in one.body
            )
    return kinds


def _is_shown(kind: object) -> bool:
    is_error = isinstance(kind, type) and issubclass(kind, AppError) and kind is not AppError
    return is_error and kind is not errors.Unauthorized  # who is not signed in is led to the door


class Module:
    """One file: what it raises, also by way of a function of its own that makes an error of a text."""

    def __init__(self, place: str, module: ast.Module, kinds: Mapping[str, bool]) -> None:
        self._place, self._module = place, module
        self._made = {name for name, says_itself in kinds.items() if not says_itself}
        self._self_made = kinds.keys() - self._made
        self._texts = {
            target.id: node.value
            for node in module.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }

    def raised(self) -> Iterator[Raised]:
        functions = [one for one in ast.walk(self._module) if isinstance(one, _FUNCTIONS)]
        makers = [one for one in functions if self._passes_on(one)]
        passed_on = {id(one) for maker in makers for one in self._arguments(maker, self._made)}
        for argument in self._arguments(self._module, self._made | {maker.name for maker in makers}):
            if id(argument) not in passed_on:
                yield Raised(self._place, argument.lineno, self._pattern(argument))

    def _arguments(self, inside: ast.AST, names: set[str]) -> Iterator[ast.expr]:
        """What stands first in calls by these names, and where an error tells its own words to `super`."""
        for node in ast.walk(inside):
            if isinstance(node, ast.ClassDef) and node.name in self._self_made:
                yield from (call.args[0] for call in ast.walk(node) if _is_to_super(call))
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield from node.args[:1]

    def _passes_on(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        own = {one.arg for one in function.args.args}
        return any(
            isinstance(one, ast.Name) and one.id in own for one in self._arguments(function, self._made)
        )

    def _pattern(self, argument: ast.expr) -> str:
        if isinstance(argument, ast.Name):
            argument = self._texts.get(argument.id, argument)
        return pattern_of(argument)


def _is_to_super(node: ast.AST) -> TypeGuard[ast.Call]:
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr="__init__"), args=[_, *_]
        ):
            return True
    return False


def pattern_of(argument: ast.expr) -> str:
    """A text as the catalogue keeps it; empty for what is no text in the code."""
    match argument:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            names: list[str] = []
            return "".join(_part(part, names) for part in parts)
        case _:
            return ""


def _part(part: ast.expr, names: list[str]) -> str:
    if not isinstance(part, ast.FormattedValue):
        return str(part.value) if isinstance(part, ast.Constant) else ""
    name = _name_of(part.value)
    names.append(name)
    return f"%({name}{names.count(name) if names.count(name) > 1 else ''})s"


def _name_of(value: ast.expr) -> str:
    """What a value is called in the code: the last name that leads to it."""
    match value:
        case ast.Attribute(value=ast.Name(id=owner), attr="name") if owner in _STAGES:
            return "stage"
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_").lower()
        case ast.Call(func=ast.Attribute(attr="join"), args=[inside]) | ast.Subscript(value=inside):
            return _name_of(inside)
        case ast.Call(func=ast.Attribute(value=inside)) | ast.BinOp(left=inside):
            return _name_of(inside)
        case ast.Call(args=[inside, *_]) | ast.IfExp(body=inside) | ast.GeneratorExp(elt=inside):
            return _name_of(inside)
        case _:
            return "value"
