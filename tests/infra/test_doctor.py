"""The doctor names what is wrong and its fix, and finds nothing wrong where nothing is."""

from pathlib import Path

import pytest

from core.settings import Settings
from infra.doctor import Finding, examine
from infra.embedded import Urls
from infra.servers.processes import free_port


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
