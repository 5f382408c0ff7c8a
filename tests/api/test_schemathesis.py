"""Whatever the document allows, and much that it does not, by two roles: no 5xx, and every answer is as documented."""

import asyncio
from copy import deepcopy
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.main import create_app
from core.principal import Principal
from crm.identity.models import Role
from tests.api.conftest import Callers
from tests.support.callers import Caller
from tests.support.desk import Desk
from tests.support.operations import OPERATIONS

EXAMPLES, FULL_EXAMPLES = 30, 200
# The HTTP server itself refuses what is longer, before there is an application to ask.
LONGEST_ADDRESS = 65_536
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
every = pytest.mark.parametrize("name", [operation.name for operation in OPERATIONS])


@cache
def _schema() -> Any:
    return schemathesis.openapi.from_dict(create_app().openapi())


@cache
def _cases(name: str) -> st.SearchStrategy[Any]:
    """Calls of one operation: two of three fit the document."""
    operation = _schema().find_operation_by_id(name)
    fitting = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    twisted = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    return st.one_of(fitting, fitting, twisted)


def _check(case: Any, caller: Caller) -> None:
    """Raises: FailureGroup when the answer is not as documented."""
    base = str(caller.client.base_url).removesuffix("/").removesuffix("/api/v1")
    response = case.call(base_url=base, headers={"Authorization": f"Bearer {caller.secret}"})
    if len(str(response.request.url)) < LONGEST_ADDRESS:
        case.validate_response(response, checks=CHECKS)


async def _explore(callers: list[Caller], desk: Desk, name: str, examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=_cases(name), is_known=st.sampled_from([True, True, True, False]))
    def explore(case: Any, is_known: bool) -> None:
        if is_known:
            case.path_parameters = {**case.path_parameters, **_known(desk.ids, case.path_parameters)}
        for caller in callers:
            _check(case, caller)

    # schemathesis is synchronous: it runs beside the loop that the server lives in
    await asyncio.to_thread(explore)


def _known(ids: dict[str, UUID], parameters: dict[str, Any]) -> dict[str, str]:
    """Ids of records that are there, where the path names some."""
    return {name: str(ids[name]) for name in parameters if name in ids}


@pytest.fixture
async def both(callers: Callers, organization: Principal) -> list[Caller]:
    """Who looks at everything first and may change nothing, then who may."""
    return [await callers.member(organization, role) for role in (Role.VIEWER, Role.OWNER)]


@every
async def test_an_operation_never_fails_and_answers_as_documented(
    both: list[Caller], desk: Desk, name: str
) -> None:
    await _explore(both, desk, name, EXAMPLES)


@pytest.mark.full
@every
async def test_an_operation_never_fails_however_long_one_tries(
    both: list[Caller], desk: Desk, name: str
) -> None:
    await _explore(both, desk, name, FULL_EXAMPLES)


@pytest.mark.parametrize("fault", ["a status that is not documented", "a field that is never there"])
async def test_an_answer_that_is_not_as_documented_is_found(both: list[Caller], fault: str) -> None:
    document = deepcopy(create_app().openapi())
    if fault.startswith("a status"):
        del document["paths"]["/api/v1/contacts/{contact_id}"]["get"]["responses"]["404"]
    else:
        document["components"]["schemas"]["Problem"]["required"].append("advice")
    operation = schemathesis.openapi.from_dict(document).find_operation_by_id("get_contact")
    case = operation.Case(path_parameters={"contact_id": str(uuid4())})

    with pytest.raises(FailureGroup):
        await asyncio.to_thread(_check, case, both[0])
