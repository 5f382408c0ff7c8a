"""Running a run again from a step: the way there, the form, and the result beside the run."""

import pytest

from core.db import Database
from core.ids import uuid7
from core.principal import Principal
from core.settings import Settings
from crm.identity.models import Role
from crm.runs import replays
from crm.runs.models import Run
from crm.runs.replays import NewReplay
from prompts import library
from tests.support.office import Office, make_office
from tests.support.organizations import add_member, give_contacts
from tests.support.working import carry_out_due
from tests.web.conftest import Browser, signed_in
from worker import services as worker_services


@pytest.fixture
async def office(database: Database, organization: Principal, settings: Settings) -> Office:
    return await make_office(database, organization, settings)


@pytest.fixture
async def answered(office: Office) -> Run:
    return await office.answer("Hello, what does a scanner cost for 40 of them?")


async def _work(office: Office) -> None:
    async with worker_services.build(office.settings) as services:
        await carry_out_due(services, office.owner, replays.WORK)


async def test_each_step_leads_to_running_again_from_its_node(
    browser: Browser, office: Office, answered: Run
) -> None:
    whole = (await browser.get(f"/runs/{answered.id}")).text
    call = next(call for call in await office.calls(answered.id) if call.tool == "recall")
    gathering = (await browser.get(f"/runs/{answered.id}?step={call.id}")).text

    assert f'href="/runs/{answered.id}/replays/new?step=triage"' in whole
    assert f'href="/runs/{answered.id}/replays/new?step=gather"' in gathering


async def test_the_form_holds_the_prompts_of_the_step_as_they_are(browser: Browser, answered: Run) -> None:
    page = (await browser.get(f"/runs/{answered.id}/replays/new?step=draft")).text

    assert "Write one reply that answers everything in `new_messages`" in page
    assert "inbox/draft_brief" in page
    assert "inbox/triage" not in page
    assert '<option value="local">' in page


async def test_what_comes_of_it_stands_beside_what_was(
    browser: Browser, office: Office, answered: Run
) -> None:
    large, small = (library.in_force(name).text for name in ("inbox/draft", "inbox/draft_brief"))
    path = f"/runs/{answered.id}/replays"

    fields = {"step": "draft", "model": "offline", "prompt": [f"{large}\nNever say please.", small]}
    asked = await browser.client.post(path, data={"csrf_token": browser.token, **fields})
    place = asked.headers["location"]
    waiting = (await browser.get(place)).text
    await _work(office)
    page = (await browser.get(place)).text
    part = (await browser.get(f"{place}?part=replay")).text

    assert asked.status_code == 303
    assert 'hx-trigger="every 1s"' in waiting
    assert "Look again" in waiting
    assert "hx-trigger" not in part
    assert page.count((await office.body())[:40]) == 2
    for said in ("proposed a reply", "would propose a reply", "as it was read then", "would be done"):
        assert said in page
    assert page.count("Never say please.") == 1
    assert place in (await browser.get(f"/runs/{answered.id}")).text


async def test_a_prompt_that_cannot_be_used_stays_in_the_form(browser: Browser, answered: Run) -> None:
    fields = {"step": "draft", "prompt": ["{{ seat.__class__ }} mine", "small"]}
    page = await browser.client.post(
        f"/runs/{answered.id}/replays", data={"csrf_token": browser.token, **fields}
    )

    assert page.status_code == 422
    assert "The prompt inbox/draft cannot be used" in page.text
    assert "{{ seat.__class__ }} mine</textarea>" in page.text


async def test_a_run_whose_checkpoint_is_gone_says_so(
    browser: Browser, office: Office, answered: Run
) -> None:
    async with office.db.transaction(office.owner, "test") as tx:
        await tx.execute("DELETE FROM checkpoints WHERE thread_id = %(id)s", id=str(answered.id))

    page = await browser.get(f"/runs/{answered.id}/replays/new?step=draft")

    assert page.status_code == 409
    assert "The checkpoint of this run is gone" in page.text
    assert "replays/new" not in (await browser.get(f"/runs/{answered.id}")).text


async def test_a_replay_is_found_under_its_own_run_only(
    browser: Browser, office: Office, answered: Run
) -> None:
    async with office.db.transaction(office.owner, "test") as tx:
        replay = await replays.ask_replay(tx, NewReplay(answered.id, "draft"))

    assert (await browser.get(f"/runs/{answered.id}/replays/{replay.id}")).status_code == 200
    assert (await browser.get(f"/runs/{uuid7()}/replays/{replay.id}")).status_code == 404


async def test_another_organizations_run_is_not_found(
    site: str, database: Database, other_organization: Principal, answered: Run
) -> None:
    async with signed_in(site, database, other_organization) as stranger:
        form = await stranger.get(f"/runs/{answered.id}/replays/new?step=draft")
        asked = await stranger.post(f"/runs/{answered.id}/replays", step="draft")

    assert (form.status_code, asked.status_code) == (404, 404)


@pytest.mark.parametrize(("role", "status"), [(Role.SUPERVISOR, 200), (Role.BIDI, 403)])
async def test_only_those_who_instruct_agents_are_led_there(
    site: str, database: Database, organization: Principal, answered: Run, role: Role, status: int
) -> None:
    member = await add_member(database, organization, role)
    await give_contacts(database, organization, member)
    async with signed_in(site, database, member) as person:
        run = await person.get(f"/runs/{answered.id}")
        form = await person.get(f"/runs/{answered.id}/replays/new?step=draft")

    assert run.status_code == 200
    assert ("replays/new" in run.text) == (status == 200)
    assert form.status_code == status
