"""Which model a run asks: the seat's, its organization's, the operator's, else the offline templates."""

import asyncio
from dataclasses import replace

import pytest

from agents.llm.clients import Clients
from agents.llm.endpoint import Endpoint
from agents.llm.models import ModelChoice, Models
from agents.llm.offline.model import OfflineModel
from agents.llm.openai_compatible import OpenAICompatible
from core import envelopes
from core.errors import NotFound, Unprocessable
from core.ids import uuid7
from core.settings import Settings
from crm.language_models.models import LanguageModel, ToolChoice
from crm.language_models.queries import place_of
from events.ids import LanguageModelId, OrganizationId


def _row(settings: Settings, name: str, model: str) -> LanguageModel:
    model_id = LanguageModelId(uuid7())
    organization_id = OrganizationId(uuid7())
    sealed = envelopes.seal(settings.keyring, "sk-own", place_of(organization_id, model_id))
    return LanguageModel(
        model_id, name, "https://models.example/v1", model, sealed, ToolChoice.NATIVE, False, 16_384, 0, 0, 0,
        None, False, organization_id,
    )  # fmt: skip


def test_without_any_setting_the_offline_templates_answer(settings: Settings) -> None:
    assert isinstance(Models(settings)(ModelChoice()), OfflineModel)


def test_the_operators_model_answers_for_whoever_has_none(settings: Settings) -> None:
    operators = settings.model_copy(
        update={"agent_model": "large-9", "openai_base_url": "http://10.0.0.5:8000/v1"}
    )

    assert Models(operators)(ModelChoice()).label == "large-9 at 10.0.0.5"


def test_the_copilot_may_have_a_default_of_its_own_which_no_other_agent_asks(settings: Settings) -> None:
    operators = settings.model_copy(update={"agent_model": "local", "copilot_model": "offline"})

    models = Models(operators)

    assert isinstance(models(ModelChoice(agent="copilot")), OfflineModel)
    with pytest.raises(Unprocessable, match="--local-model"):
        models(ModelChoice(agent="inbox"))


def test_the_organizations_model_comes_before_the_operators(settings: Settings) -> None:
    operators = settings.model_copy(
        update={"agent_model": "large-9", "openai_base_url": "http://10.0.0.5/v1"}
    )
    rows = [_row(settings, "main", "theirs-1"), _row(settings, "spare", "theirs-2")]

    chosen = Models(operators)(ModelChoice(None, rows))

    assert (chosen.label, chosen.context_tokens) == ("theirs-1 at models.example", 16_384 - 1024)


def test_a_seat_may_use_a_built_in_model_whatever_the_organization_uses(settings: Settings) -> None:
    assert isinstance(Models(settings)(ModelChoice("offline")), OfflineModel)


def test_a_client_is_kept_as_long_as_nothing_about_its_endpoint_changes(settings: Settings) -> None:
    make = Models(settings)
    row = _row(settings, "main", "theirs-1")

    first, again, other = (
        make(ModelChoice("main", [chosen])) for chosen in (row, row, replace(row, model="theirs-2"))
    )

    assert isinstance(first, OpenAICompatible)
    assert first is again
    assert first is not other


async def test_a_client_that_falls_out_is_closed_once_nobody_holds_it() -> None:
    clients = Clients(kept=1)
    held = clients.at(Endpoint("one", "https://models.example/v1"))
    first = held.connections
    second = clients.at(Endpoint("two", "https://models.example/v1")).connections
    await asyncio.sleep(0)
    was_closed_while_held = first.is_closed

    del held
    await clients.close()

    assert not was_closed_while_held
    assert (first.is_closed, second.is_closed) == (True, True)


async def test_every_client_is_closed_with_the_worker(settings: Settings) -> None:
    models = Models(settings)
    chosen = models(ModelChoice("main", [_row(settings, "main", "theirs-1")]))

    await models.close()

    assert isinstance(chosen, OpenAICompatible)
    assert chosen.connections.is_closed


@pytest.mark.parametrize(
    ("update", "name", "said"),
    [
        ({}, "gpt-99", "getsale model add gpt-99"),
        ({"agent_model": "large-9"}, None, "OPENAI_API_KEY"),
        ({"agent_model": "large-9", "openai_base_url": "api.example.com"}, None, "OPENAI_BASE_URL"),
        ({"agent_model": "local"}, None, "--local-model"),
        ({"agent_model": "scripted"}, None, "AGENT_SCRIPT"),
    ],
)
def test_a_model_that_cannot_be_asked_is_named_with_the_way_out(
    settings: Settings, update: dict[str, str], name: str | None, said: str
) -> None:
    with pytest.raises(Unprocessable, match=said):
        Models(settings.model_copy(update=update))(ModelChoice(name))


def test_a_key_that_another_secret_sealed_is_named(settings: Settings) -> None:
    row = _row(settings, "main", "theirs-1")
    other = settings.model_copy(update={"secret_key": type(settings.secret_key)("another")})

    with pytest.raises(NotFound, match=r"is not here.*GETSALE_SECRET_KEY"):
        Models(other)(ModelChoice("main", [row]))
