"""Every operation of the web process, as its own router and OpenAPI describe it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, WebSocketRoute

FORM = ("application/x-www-form-urlencoded", "multipart/form-data")
JSON = "application/json"

# Routes that OpenAPI does not show, and what they are probed as: they take no parameters. isolation/mcp.py calls every
# tool over MCP.
WITHOUT_SCHEMA = {
    ("POST", "/mcp"),
    ("GET", "/metrics"),
    ("GET", "/api/openapi.json"),
    ("HEAD", "/api/openapi.json"),
}
# What is mounted beside applications, and why it needs no probe.
MOUNTS = {"/static": "files of the product, the same for everybody"}


@dataclass(frozen=True)
class Parameter:
    name: str
    where: str
    schema: dict[str, Any]
    is_required: bool


@dataclass(frozen=True)
class Operation:
    """One method of one path; `body` is the schema of its form or JSON, `media` which of the two."""

    method: str
    path: str
    parameters: tuple[Parameter, ...] = ()
    media: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    definitions: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Surface:
    operations: tuple[Operation, ...]
    sockets: tuple[str, ...]
    without_case: tuple[str, ...]


def read_surface(app: FastAPI) -> Surface:
    """The operations of the application and of those that are mounted in it."""
    operations = {operation.name: operation for operation in _described(app)}
    routed: set[str] = set()
    sockets, strange = [], []
    for prefix, inner in _applications(app):
        for context in iter_route_contexts(inner.router.routes):
            path = prefix + str(getattr(context, "path", None) or "")
            methods = getattr(context, "methods", None)
            if isinstance(context.original_route, Mount):
                if not isinstance(context.original_route.app, FastAPI) and path not in MOUNTS:
                    strange.append(f"mount {path}")
            elif isinstance(context.original_route, WebSocketRoute) or methods is None:
                sockets.append(path)
            else:
                routed |= {f"{method} {path}" for method in methods}
    known = {f"{method} {path}" for method, path in WITHOUT_SCHEMA}
    plain = [
        Operation(method, path) for method, path in sorted(WITHOUT_SCHEMA) if f"{method} {path}" in routed
    ]
    missing = routed - set(operations) - known
    return Surface((*operations.values(), *plain), tuple(sockets), (*strange, *sorted(missing)))


def _applications(app: FastAPI, prefix: str = "") -> Iterator[tuple[str, FastAPI]]:
    yield prefix, app
    for route in app.routes:
        if isinstance(route, Mount) and isinstance(route.app, FastAPI):
            yield from _applications(route.app, prefix + route.path)


def _described(app: FastAPI) -> Iterator[Operation]:
    for prefix, inner in _applications(app):
        described = inner.openapi()
        definitions = described.get("components", {}).get("schemas", {})
        for path, methods in described["paths"].items():
            for method, operation in methods.items():
                yield _operation(method.upper(), prefix + path, operation, definitions)


def _operation(method: str, path: str, described: dict[str, Any], definitions: dict[str, Any]) -> Operation:
    parameters = tuple(
        Parameter(one["name"], one["in"], one.get("schema", {}), one.get("required", False))
        for one in described.get("parameters", [])
    )
    contents = described.get("requestBody", {}).get("content", {})
    media = next((name for name in (*FORM, JSON) if name in contents), "")
    body = contents[media]["schema"] if media else {}
    return Operation(method, path, parameters, media, body, definitions)
