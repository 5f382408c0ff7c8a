"""Version 1 of the JSON API: its nouns, and what holds for every call."""

from typing import Any

from fastapi import APIRouter, Depends, FastAPI

from api.deps import get_caller
from api.errors import ALWAYS, Problem, problems
from api.fields import require_json
from api.routes import approvals, contacts, conversations, drafts, messages, runs, ws_tickets

router = APIRouter(
    prefix="/api/v1",
    dependencies=[Depends(get_caller), Depends(require_json)],
    responses=problems(*ALWAYS),
)
for noun in (conversations, messages, drafts, approvals, runs, contacts, ws_tickets):
    router.include_router(noun.router)


def describe_problems(app: FastAPI) -> None:
    """Let the OpenAPI document hold the shape of problems, which answers refer to and no route returns."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = (
            Problem.model_json_schema()
        )
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document
