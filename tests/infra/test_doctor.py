"""The doctor names what is wrong and its fix, and finds nothing wrong where nothing is."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from core.errors import Unprocessable
from core.settings import Settings, load
from infra.doctor import Finding, examine
from infra.embedded import Urls
from infra.servers.processes import free_port
from tests.support.openai_peer import running_model_peer


def _by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


async def test_a_migrated_installation_is_fit(settings: Settings) -> None:
    findings = await examine(settings)

    assert [finding for finding in findings if not finding.is_fine] == []
    assert _by_name(findings)["DATABASE_URL"].detail == "logs in as getsale_app, bound by row level security"


async def test_without_any_url_the_embedded_servers_will_do(tmp_path: Path) -> None:
    findings = await examine(Settings(data=tmp_path))

    assert [finding for finding in findings if not finding.is_fine] == []


async def test_a_superuser_login_is_refused(settings: Settings, migrated: Urls) -> None:
    url = migrated.database_url.replace("getsale_app", "postgres")

    finding = _by_name(await examine(settings.model_copy(update={"database_url": url})))["DATABASE_URL"]

    assert not finding.is_fine
    assert "beyond row level security" in finding.detail
    assert finding.fix


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("database_url", "postgresql://getsale_app@127.0.0.1:{port}/getsale", "DATABASE_URL"),
        (
            "database_url_worker",
            "postgresql://getsale_worker@127.0.0.1:{port}/getsale",
            "DATABASE_URL_WORKER",
        ),
        ("database_url_migrator", "", "database urls"),
        ("redis_url", "redis://127.0.0.1:{port}", "redis"),
        ("neo4j_uri", "bolt://127.0.0.1:{port}", "neo4j"),
    ],
)
async def test_each_wrong_setting_is_named_with_its_fix(
    settings: Settings, field: str, value: str, name: str
) -> None:
    wrong = settings.model_copy(update={field: value.format(port=free_port())})

    finding = _by_name(await examine(wrong))[name]

    assert not finding.is_fine
    assert finding.fix


WRONG_MODELS: dict[str, tuple[dict[str, object], str]] = {
    "a key without a model": ({"agent_model": "offline"}, "AGENT_MODEL names no model"),
    "a model that is not there": ({"agent_model": "peer-huge"}, "it has peer-large, peer-small"),
    "a wrong key": (
        {"agent_model": "peer-large", "openai_api_key": SecretStr("sk-wrong")},
        "refuses the key",
    ),
    "no server": ({"agent_model": "peer-large", "openai_base_url": "http://127.0.0.1:9/v1"}, "127.0.0.1:9"),
    "no address": ({"agent_model": "peer-large", "openai_base_url": "api.example.com"}, "is no address"),
    "a script that is missing": ({"agent_model": "scripted"}, "AGENT_SCRIPT"),
}


@pytest.mark.parametrize("case", WRONG_MODELS)
async def test_each_wrong_model_setting_is_named_with_its_fix(settings: Settings, case: str) -> None:
    update, said = WRONG_MODELS[case]
    async with running_model_peer(key="sk-right") as peer:
        right: dict[str, object] = {
            "openai_base_url": peer.base_url,
            "openai_api_key": SecretStr("sk-right"),
        }
        finding = _by_name(await examine(settings.model_copy(update={**right, **update})))["language model"]

    assert not finding.is_fine
    assert said in finding.detail
    assert finding.fix
    assert "sk-" not in str(finding)


async def test_right_model_settings_are_fine_and_a_wrong_fallback_is_named(settings: Settings) -> None:
    async with running_model_peer(key="sk-right") as peer:
        right = {
            "openai_base_url": peer.base_url,
            "openai_api_key": SecretStr("sk-right"),
            "agent_model": "peer-large",
            "agent_fallback_model": "peer-tiny",
        }
        found = _by_name(await examine(settings.model_copy(update=right)))

    assert found["language model"].is_fine
    assert "peer-tiny" in found["fallback model"].detail


def test_a_variable_of_another_kind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_MODEL_TOOL_CHOICE", "telepathy")
    load.cache_clear()

    with pytest.raises(Unprocessable, match="AGENT_MODEL_TOOL_CHOICE"):
        load()
