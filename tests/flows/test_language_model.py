"""The nine steps with a language model behind the OpenAI protocol: per operator, per organization, and failing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

import pytest

from core.envelopes import Keyring
from core.principal import Principal
from crm.conversations.models import Conversation
from crm.conversations.queries import find_conversation
from crm.language_models.actions import assign_language_model, set_language_model
from crm.language_models.models import NewLanguageModel
from crm.runs.model_calls import total_since
from infra.fleet import KEY
from tests.support.openai_peer import ModelPeer, running_model_peer
from tests.support.stage import Stage, running_stage
from tests.support.until import until
from tests.support.visitor import signed_in
from tests.support.watching import conversation_of, draft_of, received

pytestmark = pytest.mark.xdist_group("language-model")

_chats = count(780000001)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Modelled:
    stage: Stage
    peer: ModelPeer

    @property
    def owner(self) -> Principal:
        return self.stage.world.owner


@pytest.fixture(scope="module")
async def modelled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Modelled]:
    """Real processes whose operator has set a model at the peer; tenants may reach the peer too."""
    async with running_model_peer(key="sk-operator") as peer:
        settings = {
            "OPENAI_BASE_URL": peer.base_url,
            "OPENAI_API_KEY": "sk-operator",
            "AGENT_MODEL": "peer-large",
            "GETSALE_INTERNAL_HOSTS": "127.0.0.1",
        }
        async with running_stage(tmp_path_factory.mktemp("modelled"), **settings) as stage:
            yield Modelled(stage, peer)


async def _totals(modelled: Modelled) -> tuple[int, int]:
    async with modelled.stage.world.db.transaction(modelled.owner, "test") as tx:
        total = await total_since(tx, _LONG_AGO)
    return total.tokens_in, total.tokens_out


async def _handed_off(modelled: Modelled, conversation: Conversation) -> Conversation:
    world = modelled.stage.world

    async def look() -> Conversation | None:
        async with world.db.transaction(world.owner, "test") as tx:
            found = await find_conversation(tx, world.account.id, conversation.external_id)
        return found if found and found.handoff_reason else None

    return await until(look)


@pytest.mark.parametrize("text", ["Could we have a demo on Thursday?", "Можно показать продукт в четверг?"])
async def test_a_message_becomes_an_approved_reply_through_the_protocol(
    modelled: Modelled, text: str
) -> None:
    stage, chat_id = modelled.stage, next(_chats)
    await stage.peer.send(text, chat_id=chat_id, name="Vera Lind")

    conversation = await conversation_of(stage, chat_id)
    draft = await draft_of(stage, conversation.id)
    async with signed_in(stage.fleet.base, stage.email) as anna:
        await anna.post(f"/drafts/{draft.id}/approval", version=str(draft.version))
    texts = await received(stage, chat_id)

    assert draft.model == "peer-large at 127.0.0.1"
    assert texts == [draft.body] == await stage.peer.received(chat_id)


async def test_faults_of_the_endpoint_do_not_reach_the_conversation(modelled: Modelled) -> None:
    stage, chat_id = modelled.stage, next(_chats)
    await modelled.peer.fault("429", retry_after=0.2)
    await modelled.peer.fault("half")
    await stage.peer.send("Could we have a demo on Friday?", chat_id=chat_id, name="Vera Lind")

    draft = await draft_of(stage, (await conversation_of(stage, chat_id)).id)

    assert draft.model == "peer-large at 127.0.0.1"


async def test_a_model_that_makes_no_sense_ends_in_a_named_handoff(modelled: Modelled) -> None:
    stage, chat_id = modelled.stage, next(_chats)
    await modelled.peer.fault("wrong_json", count=2)
    await stage.peer.send("Could we have a demo on Sunday?", chat_id=chat_id, name="Vera Lind")

    conversation = await _handed_off(modelled, await conversation_of(stage, chat_id))

    assert conversation.handoff_reason == "tool_failure"
    assert "decision" in conversation.handoff_summary


async def test_a_seat_asks_the_model_that_its_organization_has_set_up(modelled: Modelled) -> None:
    stage, chat_id = modelled.stage, next(_chats)
    new = NewLanguageModel("own", modelled.peer.base_url, "peer-small", api_key="sk-operator")
    async with stage.world.db.transaction(modelled.owner, "test") as tx:
        await set_language_model(tx, new, keys=Keyring(KEY))
        await assign_language_model(tx, stage.world.bidi_id, "own")
    await stage.peer.send("Could we have a demo on Monday?", chat_id=chat_id, name="Vera Lind")

    draft = await draft_of(stage, (await conversation_of(stage, chat_id)).id)
    async with stage.world.db.transaction(modelled.owner, "test") as tx:
        await assign_language_model(tx, stage.world.bidi_id, None)

    assert draft.model == "peer-small at 127.0.0.1"


async def test_all_that_was_asked_is_accounted_for_to_the_token_and_nothing_is_logged(
    modelled: Modelled,
) -> None:
    counted = await modelled.peer.usage()
    logs = modelled.stage.fleet.logs()

    assert counted["calls"] > 0
    assert await _totals(modelled) == (counted["prompt_tokens"], counted["completion_tokens"])
    assert "sk-operator" not in logs
    assert "demo" not in logs
