"""Deals and leads as tables and pages, by plain forms: make, move, fill in what is missing, convert, trash."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import httpx2
import pytest

from core.db import Database
from core.filters import ValueKind
from core.principal import Principal
from crm.companies.actions import create_company
from crm.companies.models import Company, NewCompany
from crm.contacts.actions import create_contact
from crm.contacts.models import Contact, NewContact
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import NewCustomField
from crm.deals.actions import create_deal
from crm.deals.models import Deal, NewDeal
from crm.deals.queries import get_deal, list_deals, list_stakeholders
from crm.leads.actions import create_lead
from crm.leads.models import Lead, NewLead
from crm.leads.queries import get_lead, list_leads
from crm.pipelines.actions import create_pipeline, update_stage
from crm.pipelines.models import Action, Stage, StageEdit
from crm.pipelines.queries import list_stages
from crm.pipelines.rules import Rule
from crm.records.models import RecordRef
from crm.tasks.actions import create_task
from crm.tasks.models import NewTask
from events.ids import DealId, RecordKind
from tests.web.conftest import Browser

EVERYTHING = (
    Rule("field", field="company"),
    Rule("field", field="contact"),
    Rule("field", field="owner"),
    Rule("field", field="close_date"),
    Rule("field", field="custom.budget"),
    Rule("stakeholder", role="decision_maker"),
    Rule("minimum_amount", amount_minor=100_000, currency="JPY"),
)


@dataclass
class Office:
    """A pipeline with the default stages, a person at a company, a lead and a deal without anything else."""

    database: Database
    owner: Principal
    stages: dict[str, Stage]
    company: Company
    anna: Contact
    lead: Lead
    deal: Deal

    def stage(self, name: str) -> str:
        return str(self.stages[name].id)

    async def rules(self, stage: str, *rules: Rule) -> None:
        async with self.database.transaction(self.owner, "test") as tx:
            await update_stage(tx, self.stages[stage].id, StageEdit(entry_rules=rules))

    async def deal_now(self, id: UUID | None = None) -> Deal:
        async with self.database.transaction(self.owner, "test") as tx:
            return await get_deal(tx, DealId(id or self.deal.id))

    async def lead_now(self) -> Lead:
        async with self.database.transaction(self.owner, "test") as tx:
            return await get_lead(tx, self.lead.id)


@pytest.fixture
async def office(database: Database, organization: Principal) -> Office:
    async with database.transaction(organization, "test") as tx:
        pipeline = await create_pipeline(tx, "Sales")
        stages = {stage.name: stage for stage in await list_stages(tx, pipeline.id)}
        await create_custom_field(tx, NewCustomField(RecordKind.DEAL, "Budget", ValueKind.MONEY))
        company = await create_company(tx, NewCompany("Brindle Freight"))
        anna = await create_contact(tx, NewContact("Anna Lind", company_id=company.id))
        lead = await create_lead(tx, NewLead(anna.id, stage_id=stages["Qualified"].id, source="A fair"))
        deal = await create_deal(tx, NewDeal("40 scanners", stages["Meeting"].id, amount_minor=816_000))
    return Office(database, organization, stages, company, anna, lead, deal)


async def _post(
    browser: Browser, path: str, more: Mapping[str, str | list[str]] | None = None, **fields: str | list[str]
) -> httpx2.Response:
    return await browser.client.post(path, data={"csrf_token": browser.token, **fields, **(more or {})})


@pytest.mark.parametrize(
    ("path", "texts"),
    [
        ("/deals/table", ("40 scanners", "€8,160", "Meeting", "Board")),
        ("/leads", ("Anna Lind", "Brindle Freight", "Qualified", "A fair")),
    ],
)
async def test_deals_and_leads_are_tables_too(
    browser: Browser, office: Office, path: str, texts: tuple[str, ...]
) -> None:
    page = (await browser.get(path)).text

    assert [text for text in texts if text not in page] == []


async def test_a_table_of_deals_is_filtered_by_stage_and_amount_and_sorted_by_the_place_of_the_stage(
    browser: Browser, database: Database, organization: Principal, office: Office
) -> None:
    async with database.transaction(organization, "test") as tx:
        for name, stage, amount in (("Cheap", "Cold", 100), ("Labels", "Won", 900_000)):
            await create_deal(tx, NewDeal(name, office.stages[stage].id, amount_minor=amount))

    answer = await browser.get("/deals/table?field=amount&op=ge&value=8160")
    kept = (await browser.get(answer.headers["location"])).text
    answer = await browser.get(f"/deals/table?field=stage_id&op=is&value={office.stage('Cold')}")
    cold = (await browser.get(answer.headers["location"])).text
    ordered = (await browser.get("/deals/table?sort=stage_position")).text

    assert _names(kept) == ["40 scanners", "Labels"] or _names(kept) == ["Labels", "40 scanners"]
    assert "Amount at least 8,160" in kept
    assert _names(cold) == ["Cheap"]
    assert "Stage is Cold" in cold
    assert _names(ordered) == ["Cheap", "40 scanners", "Labels"]
    assert 'href="/deals/table?sort=-stage_position"' in ordered


def _names(page: str) -> list[str]:
    return re.findall(r'class="clip row-link"[^>]*>([^<]+)<', page)


async def test_an_amount_in_a_filter_is_written_as_the_currency_of_the_filter_is(
    browser: Browser, database: Database, organization: Principal, office: Office
) -> None:
    async with database.transaction(organization, "test") as tx:
        for name, amount in (("Little", 4_999), ("Much", 5_000)):
            deal = NewDeal(name, office.stages["Cold"].id, amount_minor=amount, currency="JPY")
            await create_deal(tx, deal)

    yen = await browser.get("/deals/table?field=currency&op=is&value=JPY")
    answer = await browser.get(f"{yen.headers['location']}&field=amount&op=ge&value=5000")
    page = (await browser.get(answer.headers["location"])).text
    segment: dict[str, str | list[str]] = {
        "kind": "deal", "name": "Yen", "n.joined": "all", "n.part": ["0", "1"], "n.0.field": "amount", "n.0.op": "ge",
        "n.0.value": "5000", "n.1.field": "currency", "n.1.op": "is", "n.1.value": "JPY",
    }  # fmt: skip
    saved = await _post(browser, "/segments", segment)
    kept = (await browser.get(saved.headers["location"])).text

    assert ("Much" in page, "Little" in page, "Amount at least 5,000" in page) == (True, False, True)
    assert re.search(r'name="n\.0\.value"[^>]*value="5000"', kept)
    assert re.search(r'segment-number">1<', kept)


async def test_an_amount_is_changed_in_its_cell_with_the_digits_of_its_currency(
    browser: Browser, office: Office
) -> None:
    cell = f"/deals/table/{office.deal.id}/cells/amount"

    editor = (await browser.get(cell)).text
    wrong = await browser.post(cell, version="1", value="12.5", currency="JPY")
    right = await browser.post(cell, version="1", value="12 500", currency="jpy")

    assert 'value="8160.00"' in editor
    assert (wrong.status_code, "Write an amount" in wrong.text) == (422, True)
    assert (right.status_code, right.headers["location"]) == (303, "/deals/table")
    deal = await office.deal_now()
    assert (deal.amount_minor, deal.currency) == (12_500, "JPY")


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [("close_date", "2026-12-24", "2026-12-24"), ("probability", "35", "35"), ("next_step", "", "")],
)
async def test_other_fields_of_a_deal_are_changed_in_their_cells(
    browser: Browser, office: Office, name: str, value: str, kept: str
) -> None:
    await browser.post(f"/deals/table/{office.deal.id}/cells/{name}", version="1", value=value)

    assert str(getattr(await office.deal_now(), name)) == kept


@pytest.mark.parametrize(("name", "value"), [("probability", "12.5"), ("close_date", "soon")])
async def test_a_cell_says_what_it_needs(browser: Browser, office: Office, name: str, value: str) -> None:
    answer = await browser.post(f"/deals/table/{office.deal.id}/cells/{name}", version="1", value=value)

    assert answer.status_code == 422
    assert f'value="{value}"' in answer.text


async def test_a_stage_is_changed_in_its_cell_and_a_refusal_leads_to_where_it_is_filled_in(
    browser: Browser, office: Office
) -> None:
    await office.rules("Proposal", Rule("field", field="close_date"))
    cell, to = f"/deals/table/{office.deal.id}/cells/stage_id", office.stage("Proposal")

    refused = await browser.post(cell, version="1", value=to)
    mend = re.search(r'href="(/deals/[^"]+/move[^"]+)"', refused.text)
    assert mend is not None
    page = (await browser.get(mend[1])).text
    done = await browser.post(
        f"/deals/{office.deal.id}/move", stage_id=to, version="1", close_date="2026-12-24"
    )

    assert refused.status_code == 422
    assert "Missing: a close date" in refused.text
    assert "Not moved to Proposal" in page
    assert 'name="close_date"' in page
    assert done.status_code == 303
    assert (await office.deal_now()).stage == "Proposal"


async def test_a_lead_is_moved_in_its_cell(browser: Browser, office: Office) -> None:
    await browser.post(f"/leads/{office.lead.id}/cells/stage_id", version="1", value=office.stage("Proposal"))

    assert (await office.lead_now()).stage == "Proposal"


async def test_a_refused_move_offers_the_input_of_every_rule(browser: Browser, office: Office) -> None:
    await office.rules("Proposal", *EVERYTHING)
    async with office.database.transaction(office.owner, "test") as tx:
        about = RecordRef(RecordKind.DEAL, office.deal.id)
        await update_stage(tx, office.stages["Meeting"].id, StageEdit(exit_rules=(Rule("no_open_tasks"),)))
        await create_task(tx, NewTask("Call", about))
    move, to = f"/deals/{office.deal.id}/move", office.stage("Proposal")

    refused = await browser.post(move, stage_id=to, version="1")
    given = dict(re.findall(r'name="([a-z_.]+)" value="([^"]*)"', refused.text.split("deal-refused")[1]))

    assert refused.status_code == 422
    assert "all tasks done" in refused.text
    assert f'href="/deals/{office.deal.id}#card-activities"' in refused.text
    for name in ("company_id", "contact_id", "owner_id", "close_date", "custom.budget", "amount"):
        assert f'name="{name}"' in refused.text.split("deal-refused")[1], name
    assert "stakeholder.decision_maker" in given
    assert 'value="100000"' in refused.text  # in yen, which has no decimals


async def test_what_every_rule_asks_for_is_filled_in_at_once(browser: Browser, office: Office) -> None:
    await office.rules("Proposal", *EVERYTHING)
    page = (await browser.get(f"/deals/{office.deal.id}/fields/owner_id")).text
    owner = re.findall(r'<option value="([0-9a-f-]{36})"', page)[0]

    moved = await _post(
        browser,
        f"/deals/{office.deal.id}/move",
        {"custom.budget": ["2 000,50", "EUR"], "stakeholder.decision_maker": "Anna Lind"},
        stage_id=office.stage("Proposal"),
        version="1",
        company_id="brindle freight",
        contact_id="Anna Lind",
        owner_id=owner,
        close_date="2026-12-24",
        amount=["150000", "JPY"],
    )

    assert moved.status_code == 303, moved.text
    deal = await office.deal_now()
    assert (deal.stage, deal.company_id, deal.contact_id) == ("Proposal", office.company.id, office.anna.id)
    assert (deal.amount_minor, deal.currency) == (150_000, "JPY")
    assert deal.custom == {"budget": {"amount_minor": 200_050, "currency": "EUR"}}


async def test_a_value_that_cannot_be_stays_in_the_form_of_the_move(browser: Browser, office: Office) -> None:
    await office.rules("Proposal", Rule("field", field="contact"), Rule("field", field="close_date"))

    refused = await browser.post(
        f"/deals/{office.deal.id}/move",
        stage_id=office.stage("Proposal"),
        version="1",
        contact_id="Nobody Here",
        close_date="2026-12-24",
    )

    assert refused.status_code == 422
    assert 'value="Nobody Here"' in refused.text
    assert 'value="2026-12-24"' in refused.text
    assert (await office.deal_now()).version == 1


async def test_a_lead_lacks_its_source(browser: Browser, office: Office) -> None:
    await office.rules("Proposal", Rule("field", field="source"), Rule("field", field="next_step"))
    move, to = f"/leads/{office.lead.id}/move", office.stage("Proposal")

    refused = await browser.post(move, stage_id=to, version="1")
    moved = await browser.post(move, stage_id=to, version="1", next_step="Call")

    assert (refused.status_code, "Missing: a next step" in refused.text) == (422, True)
    assert moved.status_code == 303
    assert (await office.lead_now()).stage == "Proposal"


async def test_a_new_deal_takes_the_company_of_its_person(browser: Browser, office: Office) -> None:
    form = (await browser.get(f"/deals/new?contact_id={office.anna.id}")).text
    made = await _post(
        browser,
        "/deals",
        name="Labels",
        stage_id=office.stage("Cold"),
        amount=["12 345,60", "EUR"],
        contact_id="Anna Lind",
    )

    assert 'value="Anna Lind"' in form
    assert made.status_code == 303
    deal = await office.deal_now(UUID(made.headers["location"].rsplit("/", 1)[1]))
    assert (deal.contact_id, deal.company_id, deal.amount_minor) == (
        office.anna.id,
        office.company.id,
        1_234_560,
    )


async def test_a_new_deal_that_cannot_be_keeps_what_was_typed(browser: Browser, office: Office) -> None:
    refused = await _post(
        browser, "/deals", name="Labels", stage_id=office.stage("Cold"), amount=["12.345,6789", "EUR"]
    )

    assert refused.status_code == 422
    assert 'value="Labels"' in refused.text
    assert "Write an amount" in refused.text


async def test_a_new_deal_is_asked_for_what_its_stage_asks(browser: Browser, office: Office) -> None:
    lost = office.stage("Lost")

    refused = await _post(browser, "/deals", name="Labels", stage_id=lost)
    made = await _post(browser, "/deals", name="Labels", stage_id=lost, lost_reason="Too dear")

    assert refused.status_code == 422
    assert "the reason why it is lost" in refused.text
    assert 'name="lost_reason"' in refused.text
    assert made.status_code == 303


async def test_a_new_lead_needs_a_person_and_is_there_once(browser: Browser, office: Office) -> None:
    async with office.database.transaction(office.owner, "test") as tx:
        await create_contact(tx, NewContact("Bo Berg"))
    cold = office.stage("Cold")

    form = (await browser.get("/leads/new")).text
    nobody = await _post(browser, "/leads", contact_id="", stage_id=cold)
    made = await _post(browser, "/leads", contact_id="Bo Berg", stage_id=cold, source="A fair")
    twice = await _post(browser, "/leads", contact_id="Bo Berg", stage_id=cold)

    assert f'value="{cold}" selected' in form
    assert (nobody.status_code, "Say who it is" in nobody.text) == (422, True)
    assert made.status_code == 303
    assert twice.status_code == 422
    async with office.database.transaction(office.owner, "test") as tx:
        assert len((await list_leads(tx)).items) == 2


async def test_a_lead_becomes_a_deal(browser: Browser, office: Office) -> None:
    place = f"/leads/{office.lead.id}"

    page = (await browser.get(place)).text
    wrong = await browser.post(f"{place}/conversion", version="1", name="Labels", amount="a lot")
    made = await browser.post(f"{place}/conversion", version="1", name="Labels", amount="816", currency="EUR")
    after = (await browser.get(place)).text

    assert 'value="Brindle Freight"' in page
    assert (wrong.status_code, 'value="a lot"' in wrong.text) == (422, True)
    assert made.status_code == 303
    deal = await office.deal_now(UUID(made.headers["location"].rsplit("/", 1)[1]))
    assert (deal.name, deal.amount_minor, deal.stage, deal.contact_id) == (
        "Labels",
        81_600,
        "Meeting",
        office.anna.id,
    )
    assert f'href="/deals/{deal.id}">Open the deal' in after


async def test_a_conversion_that_a_rule_stops_says_what_is_missing(browser: Browser, office: Office) -> None:
    await office.rules("Meeting", Rule("field", field="amount"))

    refused = await browser.post(f"/leads/{office.lead.id}/conversion", version="1", name="Labels")

    assert refused.status_code == 422
    assert "Missing: an amount" in refused.text
    async with office.database.transaction(office.owner, "test") as tx:
        assert [deal.name for deal in (await list_deals(tx)).items] == ["40 scanners"]
    assert (await office.lead_now()).stage == "Qualified"


async def test_stakeholders_come_change_and_go(browser: Browser, office: Office) -> None:
    place = f"/deals/{office.deal.id}/stakeholders"
    anna = f"{place}/{office.anna.id}"

    async def roles() -> list[str]:
        async with office.database.transaction(office.owner, "test") as tx:
            return [one.role for one in await list_stakeholders(tx, office.deal.id)]

    unknown = await browser.post(place, contact="Nobody", role="champion")
    await browser.post(place, contact="Anna Lind", role="champion")
    added = await roles()
    await browser.post(anna, before="champion", role="buyer")
    changed = await roles()
    await browser.post(anna, before="buyer")

    assert (unknown.status_code, 'value="Nobody"' in unknown.text) == (422, True)
    assert (added, changed, await roles()) == (["champion"], ["buyer"], [])


async def test_people_and_companies_lead_to_their_leads_and_deals(browser: Browser, office: Office) -> None:
    async with office.database.transaction(office.owner, "test") as tx:
        new = NewDeal("Labels", office.stages["Cold"].id, company_id=office.company.id)
        labels = await create_deal(tx, new)

    for place in (f"/contacts/{office.anna.id}", f"/companies/{office.company.id}"):
        page = (await browser.get(place)).text
        assert f'href="/leads/{office.lead.id}"' in page
        assert f'href="/deals/{labels.id}"' in page


@pytest.mark.parametrize("kind", ["lead", "deal"])
async def test_a_record_goes_into_the_trash_and_comes_back(
    browser: Browser, office: Office, kind: str
) -> None:
    record: Lead | Deal = office.lead if kind == "lead" else office.deal
    place = f"/{kind}s/{record.id}"

    gone = await browser.post(f"{place}/removal", version="1")
    trashed = (await browser.get(place)).text
    back = await browser.post(f"{place}/restoration")

    assert (gone.status_code, back.status_code) == (303, 303)
    assert "In the trash since" in trashed
    assert "step-to" not in trashed
    assert "step-to" in (await browser.get(place)).text


async def test_a_stage_that_keeps_its_records_says_so(browser: Browser, office: Office) -> None:
    async with office.database.transaction(office.owner, "test") as tx:
        allowed = tuple(action for action in Action if action is not Action.DELETE)
        await update_stage(tx, office.stages["Meeting"].id, StageEdit(allowed_actions=allowed))

    answer = await browser.post(f"/deals/{office.deal.id}/removal", version="1")

    assert answer.status_code == 409
    assert "does not allow: delete" in answer.text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/leads", ("Лиды", "Источник", "Этап")),
        ("/deals/table", ("Сделки", "Доска", "Таблица", "Следующий шаг")),
        ("/leads/new", ("Новый лид", "Человек")),
        ("/deals/new", ("Новая сделка", "Компания")),
    ],
)
async def test_the_pages_speak_russian(
    browser: Browser, office: Office, path: str, words: tuple[str, ...]
) -> None:
    await browser.post("/preferences", locale="ru")

    page = (await browser.get(path)).text

    assert [word for word in words if word not in page] == []
