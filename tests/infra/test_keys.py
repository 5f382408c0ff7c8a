"""API keys from the command line."""

import httpx2
import pytest

from core.db import Database
from core.errors import NotFound, Unprocessable
from core.principal import Principal
from core.settings import Settings
from infra import keys
from tests.support.site import running_site


@pytest.fixture
def email(organization: Principal) -> str:
    """What the owner of the organization signs in with."""
    return f"{organization.id}@test.example"


async def test_a_key_is_made_listed_and_revoked(settings: Settings, email: str) -> None:
    secret = await keys.add(settings, email, "", keys.Wanted("reports"))
    made = (await keys.list_lines(settings, email, ""))[0]
    async with running_site(settings) as site, httpx2.AsyncClient(base_url=site) as client:
        client.headers["Authorization"] = f"Bearer {secret}"
        allowed = await client.get("/api/v1/contacts")
        await keys.revoke(settings, made.split()[0])
        refused = await client.get("/api/v1/contacts")

    assert (allowed.status_code, refused.status_code) == (200, 401)
    assert "used never  reports" in made
    assert secret not in made
    assert "revoked" in (await keys.list_lines(settings, email, ""))[0]


async def test_a_key_belongs_to_the_organization_that_is_named(
    settings: Settings, organization: Principal, email: str
) -> None:
    slug = f"test-{organization.organization_id}"

    await keys.add(settings, email, slug, keys.Wanted())

    assert len(await keys.list_lines(settings, email, slug)) == 1


async def test_nobody_gets_a_key_of_an_organization_of_others(
    settings: Settings, other_organization: Principal, email: str
) -> None:
    with pytest.raises(NotFound, match="not a member"):
        await keys.add(settings, email, f"test-{other_organization.organization_id}", keys.Wanted())


async def test_an_unknown_person_or_key_is_named(settings: Settings, database: Database) -> None:
    with pytest.raises(NotFound, match=r"nobody@test\.example"):
        await keys.add(settings, "nobody@test.example", "", keys.Wanted())
    with pytest.raises(NotFound, match="no API key"):
        await keys.revoke(settings, "01931b5e-7c00-7000-8000-000000000001")
    with pytest.raises(Unprocessable, match="not the id"):
        await keys.revoke(settings, "gsk_abc")
