"""The editor of pipelines: stages and rules by plain forms; what is refused is said and changes nothing."""

from dataclasses import dataclass

import pytest

from core.db import Database
from core.principal import Principal
from crm.pipelines.actions import create_pipeline
from crm.pipelines.models import Pipeline, Stage
from crm.pipelines.queries import list_stages, list_transitions
from events.ids import RecordKind
from tests.web.conftest import Browser


@dataclass
class Editor:
    browser: Browser
    database: Database
    owner: Principal
    pipeline: Pipeline

    @property
    def path(self) -> str:
        return f"/pipelines/{self.pipeline.id}"

    async def stages(self) -> dict[str, Stage]:
        async with self.database.transaction(self.owner, "test") as tx:
            return {stage.name: stage for stage in await list_stages(tx, self.pipeline.id)}

    async def stage_path(self, name: str) -> str:
        return f"{self.path}/stages/{(await self.stages())[name].id}"


@pytest.fixture
async def editor(browser: Browser, database: Database, organization: Principal) -> Editor:
    async with database.transaction(organization, "test") as tx:
        pipeline = await create_pipeline(tx, "Sales")
    return Editor(browser, database, organization, pipeline)


async def test_a_pipeline_is_made_and_shown_with_its_stages(browser: Browser) -> None:
    made = await browser.post("/pipelines", name="Partners")

    page = await browser.get(made.headers["location"])

    assert [name for name in ("Cold", "Meeting", "Won") if f">{name}</h2>" in page.text] == [
        "Cold",
        "Meeting",
        "Won",
    ]
    assert "the person writes: lead, Cold → Replied" in page.text
    assert "Partners" in (await browser.get("/pipelines")).text


async def test_a_stage_gets_rules_and_loses_them(editor: Editor) -> None:
    path = await editor.stage_path("Proposal")

    for rule in ("field:close_date", "stakeholder:decision_maker", "no_open_tasks"):
        await editor.browser.post(f"{path}/rules", moment="entry", rule=rule)
    await editor.browser.post(
        f"{path}/rules", moment="exit", rule="minimum_amount", amount="1,000", currency="JPY"
    )
    await editor.browser.post(f"{path}/rules/removal", moment="entry", number="1")

    stage = (await editor.stages())["Proposal"]
    assert stage.entry_rules == [{"rule": "field", "field": "close_date"}, {"rule": "no_open_tasks"}]
    assert stage.exit_rules == [{"rule": "minimum_amount", "amount_minor": 1000, "currency": "JPY"}]
    page = await editor.browser.get(editor.path)
    assert "an amount of at least ¥1,000" in page.text


async def test_a_rule_that_is_none_is_refused_in_words(editor: Editor) -> None:
    path = await editor.stage_path("Proposal")

    answer = await editor.browser.post(f"{path}/rules", moment="entry", rule="minimum_amount", amount="much")

    assert answer.status_code == 422
    assert "is no amount of EUR" in answer.text
    assert (await editor.stages())["Proposal"].entry_rules == []


async def test_stages_are_added_changed_moved_and_removed(editor: Editor) -> None:
    post = editor.browser.post
    await post(f"{editor.path}/stages", name="Pilot")
    await post(
        await editor.stage_path("Pilot"), name="Test run", probability="70", limit_days="14", actions="win"
    )
    await post(f"{await editor.stage_path('Test run')}/place", by="-1")
    await post(f"{await editor.stage_path('Cold')}/removal")

    stages = await editor.stages()

    assert list(stages) == [
        "Replied", "Qualified", "Meeting", "Proposal", "Test run", "Negotiation", "Won", "Lost"
    ]  # fmt: skip
    pilot = stages["Test run"]
    assert (pilot.probability, pilot.limit_hours, pilot.allowed_actions) == (70, 336, ["win"])


async def test_an_event_is_told_where_to_move_what(editor: Editor) -> None:
    stages = await editor.stages()
    cold, meeting = str(stages["Cold"].id), str(stages["Meeting"].id)
    path, event = f"{editor.path}/transitions", "message.sent"

    await editor.browser.post(path, record_kind="deal", event_type=event, stage_id=cold, to_stage_id=meeting)
    refused = await editor.browser.post(
        path, record_kind="deal", event_type=event, stage_id=meeting, to_stage_id=cold
    )

    assert refused.status_code == 422
    async with editor.database.transaction(editor.owner, "test") as tx:
        kinds = {one.record_kind for one in await list_transitions(tx, editor.pipeline.id)}
    assert kinds == {RecordKind.LEAD, RecordKind.DEAL}
