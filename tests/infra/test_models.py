"""Setting up, listing, seating and testing a model as the command line does, against the peer."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from core.db import Database
from core.errors import Conflict, NotFound, Unavailable, Unprocessable
from core.principal import Principal
from core.settings import Settings
from crm.language_models.models import NewLanguageModel
from infra import models
from infra.models import Desk
from tests.support.openai_peer import ModelPeer, running_model_peer
from tests.support.world import make_world


@pytest.fixture
async def peer() -> AsyncIterator[ModelPeer]:
    async with running_model_peer(key="sk-right") as running:
        yield running


@pytest.fixture
async def desk(database: Database, organization: Principal, settings: Settings) -> Desk:
    """An organization with the seat Mira, whose models may be on this machine."""
    await make_world(database, organization)
    return Desk(
        settings.model_copy(update={"internal_hosts": "127.0.0.1"}), f"test-{organization.organization_id}"
    )


def _new(peer: ModelPeer) -> NewLanguageModel:
    return NewLanguageModel("main", peer.base_url, "peer-large", api_key="sk-right", is_default=True)


async def test_a_model_is_set_up_listed_seated_and_asked(desk: Desk, peer: ModelPeer) -> None:
    await peer.answer({"value": {"word": "yes"}})
    await models.add(desk, _new(peer))
    seated = await models.assign(desk, "Mira", "main")
    lines = await models.list_lines(desk)
    said = await models.test(desk, None)

    assert seated.startswith("Mira uses main")
    assert any(line.startswith("main") and "with a key" in line for line in lines)
    assert any(line.startswith("seat Mira") and line.endswith("main") for line in lines)
    assert "peer-large at 127.0.0.1 answered in" in said
    assert "keeps to the schema" in said
    assert "sk-right" not in said + " ".join(lines)


async def test_a_model_that_does_not_keep_to_the_schema_is_told(desk: Desk, peer: ModelPeer) -> None:
    await peer.answer({"text": "Sure!"})
    await models.add(desk, _new(peer))

    assert "did NOT keep to the schema: 'Sure!'" in await models.test(desk, "main")


async def test_a_wrong_key_is_told_as_what_it_is(desk: Desk, peer: ModelPeer) -> None:
    await models.add(desk, replace(_new(peer), api_key="sk-wrong"))

    with pytest.raises(Unavailable, match="check its key"):
        await models.test(desk, "main")


async def test_an_address_inside_is_refused_unless_the_operator_lists_it(desk: Desk, peer: ModelPeer) -> None:
    strict = replace(desk, settings=desk.settings.model_copy(update={"internal_hosts": ""}))
    await models.add(strict, _new(peer))

    with pytest.raises(Unavailable, match="GETSALE_INTERNAL_HOSTS"):
        await models.test(strict, "main")


async def test_what_does_not_exist_is_named(desk: Desk) -> None:
    with pytest.raises(NotFound, match="nobody"):
        await models.assign(desk, "nobody", None)
    with pytest.raises(NotFound, match="large-7"):
        await models.assign(desk, "Mira", "large-7")
    with pytest.raises(NotFound, match="large-7"):
        await models.test(desk, "large-7")
    with pytest.raises(Unprocessable, match="--price-in"):
        models.usd_micros("cheap", "--price-in")


async def test_without_a_model_there_is_nothing_to_ask(desk: Desk) -> None:
    assert "nothing to ask" in await models.test(desk, None)


async def test_a_model_is_removed_once_nothing_uses_it(desk: Desk, peer: ModelPeer) -> None:
    await models.add(desk, _new(peer))
    await models.assign(desk, "Mira", "main")
    with pytest.raises(Conflict, match="Mira uses"):
        await models.remove(desk, "main")
    await models.assign(desk, "Mira", None)

    said = await models.remove(desk, "main")

    assert "main and its key are gone" in said
    assert not any(line.startswith("main") for line in await models.list_lines(desk))
