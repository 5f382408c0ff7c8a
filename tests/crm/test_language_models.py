"""Setting up language models: sealed keys, clear refusals, one default, and no other organization's."""

from dataclasses import replace
from typing import Any

import pytest

from core.db import Database
from core.envelopes import Keyring
from core.errors import Conflict, Forbidden, NotFound, Unprocessable
from core.principal import Principal
from crm.language_models import actions, queries
from crm.language_models.models import LanguageModel, NewLanguageModel, ToolChoice

KEY = "a key for tests only, 32 bytes long"
NEW = NewLanguageModel("main", "https://api.example.com/v1/", "large-1", api_key="sk-secret")


async def _set(db: Database, who: Principal, new: NewLanguageModel) -> LanguageModel:
    async with db.transaction(who, "test") as tx:
        return await actions.set_language_model(tx, new, keys=Keyring(KEY))


async def _names(db: Database, who: Principal, wanted: str | None) -> list[str]:
    async with db.transaction(who, "test") as tx:
        return [model.name for model in await queries.choose_language_models(tx, wanted)]


async def test_a_key_is_sealed_and_opens_only_with_the_key_that_sealed_it(
    database: Database, organization: Principal
) -> None:
    model = await _set(database, organization, NEW)

    assert b"sk-secret" not in bytes(model.api_key or b"")
    assert "sk-secret" not in repr(model) + repr(NEW)
    assert queries.open_key(model, Keyring(KEY)) == "sk-secret"
    with pytest.raises(NotFound, match=f"{Keyring(KEY).current.id.hex()} is not here.*GETSALE_SECRET_KEY"):
        queries.open_key(model, Keyring("another key"))


async def test_setting_a_model_again_changes_it_and_keeps_its_key(
    database: Database, organization: Principal
) -> None:
    first = await _set(database, organization, NEW)

    changed = replace(NEW, api_key="", model="large-2", tool_choice=ToolChoice.STRUCTURED)
    again = await _set(database, organization, changed)

    assert (again.id, again.model, again.tool_choice) == (first.id, "large-2", ToolChoice.STRUCTURED)
    assert queries.open_key(again, Keyring(KEY)) == "sk-secret"


async def test_a_stored_key_does_not_go_to_another_host(database: Database, organization: Principal) -> None:
    await _set(database, organization, NEW)

    with pytest.raises(Unprocessable, match="one for elsewhere"):
        await _set(database, organization, replace(NEW, api_key="", base_url="https://elsewhere.example/v1"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"base_url": "api.example.com"}, "base URL"),
        ({"base_url": "file:///etc/passwd"}, "base URL"),
        ({"base_url": "https://user:pass@api.example.com/v1"}, "password"),
        ({"name": "local"}, "local"),
        ({"name": " "}, "name of your own"),
        ({"model": ""}, "one of its models"),
        ({"api_key": "ключ"}, "copy it again"),
        ({"context_tokens": 100}, "4096"),
        ({"output_tokens": 30_000}, "half"),
        ({"price_in_usd_micros": -1}, "negative"),
        ({"fallback": "main"}, "own fallback"),
    ],
)
async def test_settings_that_cannot_work_are_refused_by_name(
    database: Database, organization: Principal, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(Unprocessable, match=said):
        await _set(database, organization, replace(NEW, **change))


async def test_one_model_is_the_default_and_brings_its_fallback(
    database: Database, organization: Principal
) -> None:
    await _set(database, organization, replace(NEW, name="spare", is_default=True))
    await _set(database, organization, replace(NEW, fallback="spare", is_default=True))

    assert await _names(database, organization, None) == ["main", "spare"]
    assert await _names(database, organization, "spare") == ["spare"]
    assert await _names(database, organization, "nobody's") == []


async def test_another_organizations_models_are_not_there(
    database: Database, organization: Principal, other_organization: Principal
) -> None:
    await _set(database, organization, replace(NEW, is_default=True))

    assert await _names(database, other_organization, None) == []
    with pytest.raises(NotFound):
        await _set(database, other_organization, replace(NEW, name="own", fallback="main"))


async def test_a_model_that_is_used_is_not_removed(database: Database, organization: Principal) -> None:
    await _set(database, organization, replace(NEW, name="spare"))
    await _set(database, organization, replace(NEW, fallback="spare"))

    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Conflict, match="main"):
            await actions.remove_language_model(tx, "spare")
        await actions.remove_language_model(tx, "main")
        await actions.remove_language_model(tx, "spare")

        assert await queries.list_language_models(tx) == []


async def test_only_who_may_manage_models_sets_them_up(database: Database, organization: Principal) -> None:
    with pytest.raises(Forbidden, match="language_models:manage"):
        await _set(database, replace(organization, scopes=frozenset({"contacts:read"})), NEW)
