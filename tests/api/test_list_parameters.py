"""Filters, orders, cursors, related records and chosen fields: what lists take, and what they refuse by name."""

import json

import pytest

from api.sparse import MEDIA_TYPE
from core.db import Database
from core.principal import Principal
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.identity.models import Role
from crm.identity.queries import find_member_id
from tests.api.conftest import Callers
from tests.support.callers import Caller


@pytest.fixture
async def people(database: Database, organization: Principal) -> None:
    """Vera and Tomas of Lind Logistics, Anna of nowhere."""
    async with database.transaction(organization, "test") as tx:
        lind = await create_company(tx, NewCompany("Lind Logistics", domain="lind.example"))
        for name, language, company_id in (
            ("Vera", "en", lind.id),
            ("Tomas", "de", lind.id),
            ("Anna", "en", None),
        ):
            handles = (("email", f"{name}@lind.example"),)
            new = NewContact(name, language=language, company_id=company_id, handles=handles)
            await create_contact(tx, new)


def _filter(field: str, op: str, value: object) -> str:
    return json.dumps({"field": field, "op": op, "value": value})


async def _names(api: Caller, **query: str | int) -> list[str]:
    answer = await api.get("/contacts", **query)
    assert answer.status_code == 200, answer.text
    return [contact["name"] for contact in answer.json()["items"]]


@pytest.mark.usefixtures("people")
async def test_a_list_is_filtered_and_sorted(api: Caller) -> None:
    english = _filter("language", "is", "en")

    found = [
        await _names(api, filter=english),
        await _names(api, sort="-name"),
        await _names(api, sort="-language,name"),
        await _names(api, filter=json.dumps({"not": json.loads(english)})),
        await _names(api, filter=_filter("company", "contains", "LIND"), q="tom"),
    ]

    assert found == [
        ["Anna", "Vera"],
        ["Vera", "Tomas", "Anna"],
        ["Anna", "Vera", "Tomas"],
        ["Tomas"],
        ["Tomas"],
    ]


@pytest.mark.usefixtures("people")
async def test_a_cursor_goes_on_in_the_same_order(api: Caller) -> None:
    first = (await api.get("/contacts", sort="-name", limit=2)).json()

    rest = await _names(api, sort="-name", limit=2, cursor=first["next_cursor"])

    assert [contact["name"] for contact in first["items"]] + rest == ["Vera", "Tomas", "Anna"]


@pytest.mark.usefixtures("people")
async def test_a_cursor_of_another_order_or_organization_is_refused(
    api: Caller, callers: Callers, other_organization: Principal
) -> None:
    cursor = (await api.get("/contacts", limit=1)).json()["next_cursor"]
    neighbour = await callers.of(other_organization)

    refused = [
        await api.get("/contacts", sort="-name", cursor=cursor),
        await neighbour.get("/contacts", cursor=cursor),
    ]

    assert [answer.status_code for answer in refused] == [422, 422]
    assert {answer.json()["field"] for answer in refused} == {"cursor"}


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"filter": "{"}, "not JSON"),
        ({"filter": "[]"}, "A part of a filter"),
        ({"filter": _filter("height", "is", 1)}, "'height'"),
        ({"filter": _filter("name", "between", [1, 2])}, "between"),
        ({"sort": "height"}, "'height'"),
        ({"sort": "name,name"}, "different fields"),
        ({"include": "friends"}, "'friends'"),
        ({"fields": "name,height"}, "'height'"),
    ],
)
async def test_what_cannot_be_is_refused_with_what_can(
    api: Caller, query: dict[str, str], named: str
) -> None:
    refused = await api.get("/contacts", **query)

    assert refused.status_code == 422
    assert named in refused.json()["detail"]
    assert refused.json()["field"] in {*query, "height", "name"}


@pytest.mark.usefixtures("people")
async def test_related_records_come_along_when_they_are_asked_for(api: Caller) -> None:
    plain = (await api.get("/contacts")).json()["items"]
    whole = (await api.get("/contacts", include="company,handles")).json()["items"]
    one = (await api.get(f"/contacts/{whole[1]['id']}", include="company")).json()

    assert not any({"company", "handles"} & contact.keys() for contact in plain)
    assert [contact["company"] and contact["company"]["name"] for contact in whole] == [
        None,
        "Lind Logistics",
        "Lind Logistics",
    ]
    assert [[handle["value"] for handle in contact["handles"]] for contact in whole] == [
        ["anna@lind.example"],
        ["tomas@lind.example"],
        ["vera@lind.example"],
    ]
    assert one["company"] == whole[1]["company"]
    assert "handles" not in one


async def test_related_records_need_their_own_permission(api: Caller, callers: Callers) -> None:
    made = (await api.post("/api-keys", {"scopes": ["contacts:read"]})).json()
    program = await callers.stranger()
    program.headers["Authorization"] = f"Bearer {made['secret']}"

    refused = await program.get("/api/v1/contacts?include=company")

    assert refused.status_code == 403
    assert refused.json()["scope"] == "companies:read"


@pytest.mark.usefixtures("people")
async def test_some_fields_are_sent_when_some_are_asked_for(api: Caller) -> None:
    listed = await api.get("/contacts", fields="id,name", sort="name")
    one = await api.get(f"/contacts/{listed.json()['items'][0]['id']}", fields="name")

    assert listed.headers["Content-Type"] == one.headers["Content-Type"] == MEDIA_TYPE
    assert [contact.keys() for contact in listed.json()["items"]] == [{"id", "name"}] * 3
    assert listed.json()["next_cursor"] is None
    assert one.json() == {"name": "Anna"}
    assert one.headers["ETag"].startswith('"1-')


async def test_me_is_whoever_calls(
    api: Caller, callers: Callers, database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        me = await find_member_id(tx, organization.id)
        await create_contact(tx, NewContact("Vera", owner_id=me))
        await create_contact(tx, NewContact("Bo"))
    mine = _filter("owner_id", "is", "me")
    colleague = await callers.member(organization, Role.SUPERVISOR)

    assert [await _names(one, filter=mine) for one in (api, colleague)] == [["Vera"], []]


@pytest.mark.usefixtures("people")
async def test_a_company_comes_with_its_people_owner_and_tags(api: Caller) -> None:
    plain = (await api.get("/companies", sort="name")).json()["items"][0]
    await api.post(f"/records/company/{plain['id']}/tags", {"name": "Fair"})

    (whole,) = (await api.get("/companies", include="contacts,owner,tags")).json()["items"]

    assert not {"contacts", "owner", "tags"} & plain.keys()
    assert [person["name"] for person in whole["contacts"]] == ["Tomas", "Vera"]
    assert (whole["owner"], [tag["name"] for tag in whole["tags"]]) == (None, ["Fair"])


async def test_links_of_custom_fields_come_along_sort_and_filter(api: Caller) -> None:
    field = {"record_kind": "deal", "label": "Via", "kind": "record", "target_kind": "company"}
    await api.post("/custom-fields", field)
    pipeline = (await api.post("/pipelines", {"name": "Sales"})).json()
    stage = (await api.get(f"/pipelines/{pipeline['id']}/stages")).json()[0]
    firms = [(await api.post("/companies", {"name": name})).json()["id"] for name in ("Orbit", "Acme")]
    for firm in (*firms, None):
        new = {
            "name": "Racks",
            "stage_id": stage["id"],
            "custom": {"via": firm} if firm else {},
        }
        await api.post("/deals", new)

    deals = (await api.get("/deals", include="links", sort="custom.via")).json()["items"]
    kept = (await api.get("/deals", filter=_filter("custom.via", "is_not", firms[1]))).json()["items"]
    refused = await api.post("/companies", {"name": "Beta", "custom": {"via": firms[0]}})

    assert [one["links"] for one in deals] == [
        {"via": {"kind": "company", "id": firms[1], "name": "Acme"}},
        {"via": {"kind": "company", "id": firms[0], "name": "Orbit"}},
        {},
    ]
    assert [one["custom"].get("via") for one in kept] == [None, firms[0]]
    assert "links" not in kept[0]
    assert refused.status_code == 422
