"""Tools over contacts, companies, leads and deals: what people do by pages, done by an agent under policy."""

from typing import Any

import pytest

from core.filters import ValueKind
from crm.bidi.models import Autonomy
from crm.contacts.queries import get_contact
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import NewCustomField
from crm.deals.actions import create_deal
from crm.deals.models import NewDeal
from crm.leads.actions import create_lead
from crm.leads.models import NewLead
from crm.pipelines.actions import create_pipeline
from crm.pipelines.queries import list_all_stages
from crm.search.actions import index_next
from crm.search.models import FoundKind
from events.ids import ContactId, RecordKind
from tests.support.changes import changes_of
from tests.support.seats import Seat
from tests.tools.test_tools import Agent
from tools.base import Decision


@pytest.fixture
def agent(seat: Seat) -> Agent:
    """At assist, with nothing read from outside yet; what it reads taints it."""
    return Agent(seat, Autonomy.AUTOPILOT, is_tainted=False)


@pytest.fixture
async def pipeline(seat: Seat) -> None:
    async with seat.db.transaction(seat.owner, "test") as tx:
        await create_pipeline(tx, "Sales")


async def test_a_company_and_a_person_are_added_found_and_changed(seat: Seat, agent: Agent) -> None:
    company = await agent.content("create_company", name="Lind Logistics", domain="www.lind.example")
    changed = await agent.content("update_company", company_id=company["id"], employees=40)
    found = await agent.content("list_companies", filter={"field": "employees", "op": "ge", "value": 40})

    assert (company["domain"], changed["employees"]) == ("lind.example", 40)
    assert [one["id"] for one in found["companies"]] == [company["id"]]


async def test_a_handle_from_a_tainted_run_needs_a_person(seat: Seat) -> None:
    tainted = Agent(seat, Autonomy.AUTOPILOT, is_tainted=True)

    plain = await tainted.call("create_contact", name="Tomas")
    reachable = await tainted.call(
        "create_contact", name="Tomas", handles=[{"kind": "email", "value": "t@lind.example"}]
    )
    handle = await tainted.call(
        "add_handle", contact_id=seat.contact.id, kind="email", value="v@lind.example"
    )

    assert [one.decision for one in (plain, reachable, handle)] == [
        Decision.ASK,
        Decision.ASK,
        Decision.ASK,
    ]
    assert {one.code for one in (reachable, handle)} == {"asked"}


async def test_what_an_agent_changes_is_on_record_as_its_run(seat: Seat, agent: Agent) -> None:
    await agent.content("add_handle", contact_id=seat.contact.id, kind="email", value="V@lind.example")

    async with seat.db.transaction(seat.owner, "test") as tx:
        told = await changes_of(tx, seat.contact.id)
        by_run = await tx.value(
            """
            SELECT run_id IS NOT NULL
              FROM events
             WHERE type = 'contact.updated' AND subject_id = %(id)s
             ORDER BY seq DESC
             LIMIT 1
            """,
            id=seat.contact.id,
        )
    assert told[-1].changes == {"email": [None, "v@lind.example"]}
    assert by_run is True


async def test_a_record_is_shown_with_its_custom_fields_and_tags(seat: Seat, agent: Agent) -> None:
    async with seat.db.transaction(seat.owner, "test") as tx:
        await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "Office", ValueKind.TEXT))
    record: dict[str, Any] = {"record_kind": "contact", "record_id": seat.contact.id}

    await agent.content("tag_record", **record, add=["VIP", "Fair"])
    tagged = await agent.content("tag_record", **record, remove=["fair"])
    seen = await agent.content("get_record", **record)

    assert tagged["tags"] == seen["tags"] == ["VIP"]
    assert seen["fields"]["name"] == "Vera Lind"
    assert seen["fields"]["custom"] == {}


@pytest.mark.usefixtures("pipeline")
async def test_a_lead_is_made_moved_and_becomes_a_deal(seat: Seat, agent: Agent) -> None:
    pipelines = (await agent.content("list_pipelines"))["pipelines"]
    stages = [stage["name"] for stage in pipelines[0]["stages"]]
    lead = await agent.content("create_lead", contact_id=seat.contact.id, source="A fair")

    wrong = await agent.call("move_lead_stage", lead_id=lead["id"], stage="Nowhere")
    moved = await agent.content("move_lead_stage", lead_id=lead["id"], stage=stages[2])
    listed = await agent.content("list_leads", filter={"field": "stage", "op": "is", "value": stages[2]})

    assert stages[1] in wrong.error
    assert (moved["stage"], [one["id"] for one in listed["leads"]]) == (stages[2], [lead["id"]])


@pytest.mark.usefixtures("pipeline")
async def test_money_in_a_tainted_run_needs_a_person(seat: Seat) -> None:
    tainted = Agent(seat, Autonomy.AUTOPILOT, is_tainted=True)

    asked = await tainted.call("create_deal", name="40 scanners", amount_minor=816000)

    assert (asked.decision, asked.code) == (Decision.ASK, "asked")


@pytest.mark.usefixtures("pipeline")
async def test_a_deal_is_made_of_a_lead(seat: Seat, agent: Agent) -> None:
    async with seat.db.transaction(seat.owner, "test") as tx:
        lead = await create_lead(tx, NewLead(seat.contact.id))

    deal = await agent.content("convert_lead", lead_id=lead.id, name="40 scanners")
    (listed,) = (await agent.content("list_leads"))["leads"]

    assert (deal["contact_id"], listed["is_converted"]) == (str(seat.contact.id), True)


@pytest.mark.usefixtures("pipeline")
async def test_a_deal_is_changed_and_its_people_are_noted(seat: Seat, agent: Agent) -> None:
    async with seat.db.transaction(seat.owner, "test") as tx:
        (first, *_) = await list_all_stages(tx)
        deal = await create_deal(tx, NewDeal("40 scanners", first.id))

    people = await agent.content(
        "add_stakeholder", deal_id=deal.id, contact_id=seat.contact.id, role="champion"
    )
    listed = await agent.content("list_stakeholders", deal_id=deal.id)
    # it has read what people call themselves by now
    money = await agent.call("update_deal", deal_id=deal.id, amount_minor=5)

    assert people == listed
    assert [(one["name"], one["role"]) for one in listed["stakeholders"]] == [("Vera Lind", "champion")]
    assert money.code == "asked"


@pytest.mark.usefixtures("pipeline")
async def test_a_deal_is_added_in_the_first_stage(seat: Seat, agent: Agent) -> None:
    deal = await agent.content("create_deal", name="40 scanners", contact_id=seat.contact.id)

    async with seat.db.transaction(seat.owner, "test") as tx:
        (first, *_) = await list_all_stages(tx)
    assert (deal["stage"], deal["amount_minor"]) == (first.name, 0)


async def test_a_filter_that_cannot_be_is_answered_with_what_can(seat: Seat, agent: Agent) -> None:
    refused = await agent.call("list_contacts", filter={"field": "height", "op": "is", "value": 1})

    assert refused.may_retry
    assert "'height'" in refused.error
    assert "title" in refused.error


async def test_a_contact_is_not_given_an_address_of_somebody_else(seat: Seat, agent: Agent) -> None:
    await agent.content(
        "create_contact", name="Tomas", handles=[{"kind": "email", "value": "t@lind.example"}]
    )

    taken = await agent.call("add_handle", contact_id=seat.contact.id, kind="email", value="t@lind.example")

    async with seat.db.transaction(seat.owner, "test") as tx:
        kept = await get_contact(tx, ContactId(seat.contact.id))
    assert taken.code in ("conflict", "asked")
    assert kept.version == seat.contact.version


async def test_a_note_is_found_by_a_misspelt_word_and_says_what_it_is_about(seat: Seat, agent: Agent) -> None:
    await agent.content(
        "create_note", record_kind="contact", record_id=str(seat.contact.id), body="Wants a turnstile by May."
    )
    async with seat.db.transaction(seat.owner, "test") as tx:
        for kind in FoundKind:
            await index_next(tx, kind)

    found = await agent.content("search_records", text="turnstyles")

    assert [(one["kind"], one["record_id"]) for one in found["found"]] == [("note", str(seat.contact.id))]
