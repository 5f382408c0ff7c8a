"""Arguments and results on their way between a model and a tool: made storable, checked, explained."""

from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import to_jsonable_python

from core import jsons
from tools.base import Tool, ToolRetry

MAX_DEPTH = 20
MAX_BYTES = 64 * 1024
Args = TypeVar("Args", bound=BaseModel)


def storable(arguments: object) -> dict[str, JsonValue]:
    """Arguments as PostgreSQL can keep them: no NUL, no lone surrogate, no number that JSON cannot hold.

    Raises:
        ToolRetry: not an object, nested too deeply, or too large.
    """
    if not isinstance(arguments, dict):
        raise ToolRetry("The arguments must be one JSON object.")
    clean = {text(str(name)): _value(value, 1) for name, value in arguments.items()}
    if len(jsons.dump_bytes(clean)) > MAX_BYTES:
        raise ToolRetry(f"The arguments are larger than {MAX_BYTES} bytes; pass less.")
    return clean


def _value(value: object, depth: int) -> JsonValue:
    if depth > MAX_DEPTH:
        raise ToolRetry(f"The arguments are nested more than {MAX_DEPTH} levels deep; flatten them.")
    match value:
        case None | bool() | float():
            return value
        case int():
            return value if abs(value) < 2**63 else str(value)
        case dict():
            return {text(str(name)): _value(item, depth + 1) for name, item in value.items()}
        case list() | tuple():
            return [_value(item, depth + 1) for item in value]
        case _:
            return text(str(value))


def text(value: str) -> str:
    """Text as PostgreSQL can keep it."""
    return value.replace("\x00", "").encode("utf-8", "replace").decode()


def parse(tool: Tool[Args], arguments: dict[str, JsonValue]) -> Args:
    """Raises: ToolRetry that names every wrong field and what it should be."""
    try:
        return tool.arguments.model_validate_json(jsons.dump_bytes(arguments))
    except ValidationError as err:
        problems = [
            f"{'.'.join(map(str, problem['loc'])) or 'arguments'}: {problem['msg']}"
            for problem in err.errors(include_url=False, include_input=False, include_context=False)
        ]
        known = ", ".join(tool.arguments.model_fields)
        raise ToolRetry(
            f"The arguments of {tool.name} are wrong: {'; '.join(problems)}. Its fields are: {known}."
        ) from err


def to_json(value: object) -> JsonValue:
    """What a tool returned, as JSON: dataclasses and models become objects, ids and times text."""
    content: JsonValue = to_jsonable_python(value)
    return content
