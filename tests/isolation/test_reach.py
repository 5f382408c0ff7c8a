"""The probes are no blanks: with the attacker's own ids every route and tool gets where a foreign one must not."""

import pytest

from tests.support.isolation import http, tools
from tests.support.isolation.harness import Harness
from tests.support.isolation.http import Ask, Slots
from tools import registry
from tools.base import ToolStatus

# one worker builds the theatre once
pytestmark = pytest.mark.xdist_group("isolation")

# Refusals that come after the row was found: it is not in the right state, which is all that an own id must show.
FOUND = frozenset({409, 412})
FOUND_CODES = frozenset({"conflict", "stale", "stage_action"})
# Operations that answer 404 or 422 for a row of ours too, and why.
NOT_FOUND_EITHER = {
    "POST /settings/teams/{team_id}": "a form names its members one by one",
    "DELETE /api/v1/teams/{team_id}": "the page has removed it before",
    "POST /api/v1/drafts/{draft_id}/cancellation": "nothing was queued from the draft",
    "POST /copilot/{chat_id}/questions": "a question has words",
    "POST /settings/webhooks/{webhook_id}/removal": "the API has removed it before",
    "DELETE /api/v1/assignment-rules/{assignment_rule_id}": "the page has removed it before",
    "POST /contacts/{contact_id}/handles/{handle_id}/preference": "the handle was removed before",
    "POST /api/v1/bulk-edits": "an edit names records or tags of ours, not empty ones",
    "POST /bulk-edits": "a form with an empty id among those that are ticked",
    "POST /api/v1/pipelines/{pipeline_id}/order": "an order names every stage of the pipeline",
    "POST /api/v1/stages/{stage_id}/removal": "what stands there cannot go to the stage that goes",
    **dict.fromkeys(
        (
            "POST /api/v1/pipelines/{pipeline_id}/stages",
            "PATCH /api/v1/stages/{stage_id}",
            "POST /pipelines/{pipeline_id}/stages",
            "POST /pipelines/{pipeline_id}/stages/{stage_id}",
        ),
        "a stage of that name was added before",
    ),
    "POST /pipelines/{pipeline_id}/stages/{stage_id}/removal": "what stands there cannot go to the stage that goes",
    "POST /pipelines/{pipeline_id}/transitions": "a move goes to another stage",
    "GET /leads/{record_id}/fields/{name}": "a lead has no name of its own",
    "GET /leads/{record_id}/cells/{name}": "a lead has no name of its own",
    "POST /leads/{record_id}/cells/{name}": "a lead has no name of its own",
    "POST /deals/{deal_id}/stakeholders": "the person is looked for by name",
    "DELETE /api/v1/tags/{tag_id}": "the page has removed it before",
    "POST /api/v1/tags/{tag_id}/merge": "both slots hold the same tag, which is not merged with itself",
    "POST /settings/tags/{tag_id}/merge": "both slots hold the same tag, which is not merged with itself",
    "POST /commissions/{partner_id}/rate": "a made-up word is no rate",
    "POST /imports/{import_id}/mapping": "a mapping names every column of its own file",
    **{
        f"POST /{noun}/{{record_id}}/{place}": why
        for noun in ("contacts", "companies", "leads", "deals")
        for place, why in (
            ("fields/{name}", "the fields of a form depend on the field"),
            ("tags", "the form's words depend on the tags there are"),
            ("tags/{tag_id}/removal", "no tag stands on it"),
        )
    },
}

# Tools that cannot be called with made-up words, and why.
NOT_DONE_EITHER = {"note_promise": "a promise is quoted letter by letter"}


async def test_every_route_with_an_id_finds_the_attackers_own_row(harness: Harness) -> None:
    owner = next(person for person in harness.people if person.role == "owner")
    missed = {}
    # what takes a row away comes after what looks for it
    for operation in sorted(harness.surface.operations, key=lambda operation: operation.method == "DELETE"):
        slots = http.slots_of(harness.theatre, operation)
        await harness.theatre.welcome_back()
        if slots.tables and operation.name not in http.ENDLESS | http.ENDING | NOT_FOUND_EITHER.keys():
            answer = await http.send(harness.theatre, owner, Ask(operation, _own(harness, slots)))
            if answer.status >= 400 and answer.status not in FOUND:
                missed[operation.name] = (answer.status, answer.body[:200])

    assert not missed, "\n".join(f"{name}: {why}" for name, why in missed.items())


async def test_every_tool_finds_the_attackers_own_row(harness: Harness) -> None:
    # what other seats were refused by the probes would be refused to this one too
    await harness.theatre.sweep()
    await harness.theatre.revive()
    called = tools.dispatcher(harness.theatre, harness.graphs[0])
    widest = tools.seats(harness.theatre)[0]
    missed = {}
    for tool in registry.TOOLS:
        slots = tools.slots_of(harness.theatre, tool)
        result, _ = await tools.call(harness.theatre, called, tool, widest, _own(harness, slots))
        is_found = result.status is ToolStatus.DONE or result.code in FOUND_CODES
        if not is_found and tool.name not in NOT_DONE_EITHER:
            missed[tool.name] = (result.code, result.error)

    assert not missed, "\n".join(f"{name}: {why}" for name, why in missed.items())


def _own(harness: Harness, slots: Slots) -> dict[str, str]:
    """The attacker's own ids; of those that may be left out only the first, since some exclude each other."""
    own = http.own_ids(harness.theatre, slots)
    if set(slots.optional) == set(slots.tables):
        return {name: id if place == 0 else "" for place, (name, id) in enumerate(own.items())}
    return own
