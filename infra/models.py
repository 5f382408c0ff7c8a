"""Language models from the command line: set one up, list them, seat one, and ask one an honest question."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from time import monotonic

from pydantic import JsonValue

from agents.llm import base
from agents.llm.base import ModelMessage, ModelRequest, ModelUnavailable
from agents.llm.models import ModelChoice, Models
from core.db import Database, Tx
from core.errors import NotFound, Unavailable, Unprocessable
from core.settings import Settings
from crm.bidi.queries import list_bidi
from crm.identity.queries import find_organization_id
from crm.language_models import actions
from crm.language_models.models import LanguageModel, NewLanguageModel
from crm.language_models.queries import choose_language_models, get_language_model, list_language_models
from crm.runs.model_calls import ModelCall
from events.ids import BidiId
from infra.operators import operator

_TEST_SECONDS = 60.0
_WORD: dict[str, JsonValue] = {"type": "object", "properties": {"word": {"type": "string"}}}


@dataclass(frozen=True)
class Desk:
    """Who asks, and in which organization."""

    settings: Settings
    organization: str


@asynccontextmanager
async def _transaction(desk: Desk, name: str) -> AsyncIterator[Tx]:
    db = await Database(desk.settings.database_url, size=2).open()
    try:
        organization_id = await find_organization_id(db, desk.organization)
        if organization_id is None:
            raise NotFound(f"There is no organization {desk.organization!r}.")
        async with db.transaction(operator(organization_id), name) as tx:
            yield tx
    finally:
        await db.close()


async def add(desk: Desk, new: NewLanguageModel) -> str:
    """Store a model; says what was stored. Raises: Unprocessable, NotFound."""
    async with _transaction(desk, "model.add") as tx:
        stored = await actions.set_language_model(tx, new, keys=desk.settings.keyring)
    return f"Set up {stored.name}; `getsale model test {stored.name}` asks it a question."


def usd_micros(price: str, name: str) -> int:
    """A price in USD per million tokens as USD micros. Raises: Unprocessable."""
    try:
        return int(Decimal(price) * 1_000_000)
    except ArithmeticError as err:
        raise Unprocessable(f"{name} {price!r} is no number of USD per million tokens.") from err


async def list_lines(desk: Desk) -> list[str]:
    """A line for each model, and one for each seat."""
    async with _transaction(desk, "model.list") as tx:
        models = await list_language_models(tx)
        seats = [seat for seat in await list_bidi(tx) if seat.agent]
    names = {model.id: model.name for model in models}
    lines = [
        _model_line(model, names.get(model.fallback_id) if model.fallback_id else None) for model in models
    ]
    default = next((model.name for model in models if model.is_default), desk.settings.agent_model)
    return lines + [f"seat {seat.name:<19} {seat.model or default}" for seat in seats]


def _model_line(model: LanguageModel, fallback: str | None) -> str:
    notes = [
        model.tool_choice.value,
        f"{model.price_in_usd_micros / 1e6:g}/{model.price_out_usd_micros / 1e6:g} USD",
        "with a key" if model.api_key else "without a key",
        f"else {fallback}" if fallback else "",
        "default" if model.is_default else "",
    ]
    return f"{model.name:<24} {model.model} at {model.base_url}, {', '.join(filter(None, notes))}"


async def assign(desk: Desk, seat: str, model: str | None) -> str:
    """Let an agent's seat use a model of its own. Raises: NotFound."""
    async with _transaction(desk, "model.assign") as tx:
        seats = await list_bidi(tx)
        found = next((one for one in seats if seat in (one.name, str(one.id))), None)
        if found is None:
            raise NotFound(f"There is no seat {seat!r}; there are {', '.join(one.name for one in seats)}.")
        await actions.assign_language_model(tx, BidiId(found.id), model)
    return f"{found.name} uses {model or 'the model of the organization'} from the next run on."


async def remove(desk: Desk, name: str) -> str:
    """Take a model away. Raises: NotFound, Conflict while something uses it."""
    async with _transaction(desk, "model.remove") as tx:
        await actions.remove_language_model(tx, name)
    return f"The language model {name} and its key are gone."


async def test(desk: Desk, name: str | None) -> str:
    """Ask a model for one word, as a run would; says what came of it.

    Raises: Unavailable when it does not answer, NotFound, Unprocessable.
    """
    async with _transaction(desk, "model.test") as tx:
        models: Sequence[LanguageModel] = await choose_language_models(tx, name)
        if name is not None and not models and name not in ("offline", "local", desk.settings.agent_model):
            await get_language_model(tx, name)
    clients = Models(desk.settings)
    try:
        return await _ask(clients(ModelChoice(name, models)))
    finally:
        await clients.close()


async def _ask(model: base.LanguageModel) -> str:
    """Ask for the word, and say how that went. Raises: Unavailable."""
    if model.label.startswith("offline"):
        return f"{model.label}: nothing to ask; AGENT_MODEL or `getsale model add` sets a real one up."
    calls: list[ModelCall] = []
    heard: list[float] = []
    began = monotonic()
    turns = (
        ModelMessage("system", 'Answer with the JSON object {"word": "yes"} and nothing else.'),
        ModelMessage("user", "Are you there?"),
    )
    request = ModelRequest(
        "test",
        turns,
        _WORD,
        seconds=_TEST_SECONDS,
        record=calls.append,
        on_text=lambda _: heard.append(monotonic() - began),
    )
    try:
        reply = await model.complete(request)
    except ModelUnavailable as err:
        raise Unavailable(f"{err}.") from err
    took = monotonic() - began
    used = [sum(call.tokens_in for call in calls), sum(call.tokens_out for call in calls)]
    cost = sum(call.cost_usd_micros for call in calls) / 1e6
    how = (
        "keeps to the schema"
        if '"word"' in reply.text
        else f"did NOT keep to the schema: {reply.text[:80]!r}"
    )
    first = f", the first word after {heard[0]:.1f} s" if heard else ""
    return (
        f"{model.label} answered in {took:.1f} s{first}, {len(calls)} call(s), "
        f"{used[0]} tokens in, {used[1]} out, {cost:.6f} USD; it {how}."
    )
