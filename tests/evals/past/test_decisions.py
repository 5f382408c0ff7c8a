"""What people decided about drafts becomes cases, as things stood then, and is what other models are measured by."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents.llm.base import ModelReply, ModelRequest
from agents.llm.offline.model import OfflineModel
from core import clock
from core.db import Database
from core.errors import Unprocessable
from core.principal import Principal
from core.settings import Settings
from crm.deals.actions import create_deal, update_deal
from crm.deals.models import DealEdit, NewDeal
from crm.evaluations.models import EvalCase
from crm.facts.actions import assert_text
from crm.identity.queries import get_organization
from crm.pipelines.actions import create_pipeline
from crm.pipelines.queries import list_stages
from evals import running
from evals.cases import Case
from evals.examiner import Examiner
from evals.past.decisions import decided_cases
from evals.past.pairs import read_pairs, write_pairs
from evals.past.standing import Standing, side_by_side
from evals.planning import case_of, plan
from evals.suites import find_suite
from infra.commands.replaying import write_private
from infra.evaluation import past
from tests.support.deciding import approve, ask, ask_again, reject, send_back
from tests.support.evaluating import cases_of
from tests.support.world import World, make_world

THEN = datetime(2026, 9, 14, 9, 0, tzinfo=UTC)
PRICE = "25 to 99 scanners cost €17 each a month"
QUESTION = "What do 40 scanners cost?"


@pytest.fixture
async def world(database: Database, organization: Principal) -> World:
    return await make_world(database, organization)


async def _know(world: World, text: str, at: datetime, *, predicate: str = "price") -> None:
    """The team learns something about the contact of the talk at hand."""
    contact_id = (await world.conversation()).contact_id
    with clock.frozen(at):
        async with world.db.transaction(world.owner, "test") as tx:
            await assert_text(
                tx, subject=("contact", contact_id), predicate=predicate, text=text, source_label="List"
            )


async def _cases(world: World) -> list[Case]:
    async with world.db.transaction(world.owner, "test") as tx:
        return await decided_cases(tx)


async def _slug(world: World) -> str:
    async with world.db.transaction(world.owner, "test") as tx:
        return (await get_organization(tx)).slug


async def _one_of_each(world: World) -> None:
    """An approval, an edit, a rejection and a return; and what nobody decided."""
    for number, decision in enumerate(("accepted", "edited", "rejected", "returned", "open")):
        at = THEN + timedelta(days=number)
        [draft] = await ask(world, QUESTION, at, "40 scanners cost €17 each a month.")
        await _know(world, PRICE, at - timedelta(days=30))
        match decision:
            case "accepted":
                await approve(world, draft)
            case "edited":
                await approve(world, draft, edited="For 40 scanners it is €16 each a month, paid yearly.")
            case "rejected":
                await reject(world, draft, "Wrong list")
            case "returned":
                await send_back(world, draft, "Shorter, please")


async def test_every_decision_becomes_a_case(world: World) -> None:
    await _one_of_each(world)

    cases = await _cases(world)

    decided = [case.decided for case in cases if case.decided is not None]
    assert [one.outcome for one in decided] == ["accepted", "edited", "rejected", "returned"]
    assert {one.draft for one in decided} == {"40 scanners cost €17 each a month."}
    assert [one.reason for one in decided] == ["", "", "Wrong list", "Shorter, please"]
    assert [case.expect.reply for case in cases] == [
        "40 scanners cost €17 each a month.",
        "For 40 scanners it is €16 each a month, paid yearly.",
        "",
        "",
    ]
    assert {case.burst for case in cases} == {(QUESTION,)}
    assert {case.stratum for case in cases} == {"price"}


async def test_a_draft_that_gave_way_was_decided_by_nobody(world: World) -> None:
    _, second = await ask(world, QUESTION, THEN, "It depends.", "€17 each.")
    await approve(world, second)

    assert [case.decided.draft for case in await _cases(world) if case.decided] == ["€17 each."]


async def test_a_case_holds_the_talk_and_the_knowledge_as_they_stood(world: World) -> None:
    [first] = await ask(world, "Hello, who are you?", THEN - timedelta(days=2), "We rent scanners out.")
    await approve(world, first)
    [second] = await ask_again(world, QUESTION, THEN, "40 cost €17 each.")
    await _know(world, PRICE, THEN - timedelta(days=1))
    contact_id = (await world.conversation()).contact_id
    async with world.db.transaction(world.owner, "test") as tx:
        with clock.frozen(THEN - timedelta(days=1)):
            pipeline = await create_pipeline(tx, "Sales")
            stage = (await list_stages(tx, pipeline.id))[2]
            deal = await create_deal(
                tx, NewDeal("Scanners", stage.id, contact_id=contact_id, amount_minor=500)
            )
    with clock.frozen(THEN + timedelta(days=1)):
        async with world.db.transaction(world.owner, "test") as tx:
            await update_deal(tx, deal.id, DealEdit(amount_minor=900, name="Bigger"), version=deal.version)
    await _know(world, "They went to a competitor", THEN + timedelta(days=1), predicate="lost")
    await approve(world, second)
    await world.receive("And what about 400?")

    case = (await _cases(world))[-1]

    scene = case.stage()
    assert scene.now == THEN
    assert case.burst == (QUESTION,)
    assert [fact.text for fact in scene.facts] == [PRICE]
    assert [(deal.name, deal.amount_minor, deal.stage) for deal in scene.deals] == [
        ("Scanners", 500, "Qualified")
    ]


async def test_no_handle_and_nothing_of_another_organization_goes_into_a_case(
    database: Database, world: World, other_organization: Principal
) -> None:
    other = await make_world(database, other_organization, token="1000002:other-token")
    [theirs] = await ask(other, "What about Zdenka Quillfeather?", THEN, "She left.")
    await approve(other, theirs)
    [ours] = await ask(world, QUESTION, THEN, "€17 each.")
    await approve(world, ours)

    told = write_pairs(await _cases(world))

    assert "Quillfeather" not in told
    assert world.chat_id not in told


async def test_what_was_decided_is_kept_once(settings: Settings, world: World) -> None:
    await _one_of_each(world)
    slug = await _slug(world)

    (run, cases), is_new = await past.import_decisions(settings, slug)
    (again, _), is_newer = await past.import_decisions(settings, slug)
    [draft] = await ask(world, "Is it waterproof?", THEN + timedelta(days=9), "It is.")
    await approve(world, draft)
    (later, _), is_newest = await past.import_decisions(settings, slug)

    assert (is_new, is_newer, is_newest) == (True, False, True)
    assert (run.id, run.cases) == (again.id, 4)
    assert later.cases == 5
    assert past.counts(cases) == {"accepted": 1, "edited": 1, "rejected": 1, "returned": 1}
    assert run.figures["pass_rate"]["value"] == 0.25  # type: ignore[index, call-overload]
    assert run.figures["sees_edit"]["value"] == 1.0  # type: ignore[index, call-overload]


async def test_without_a_decision_there_is_nothing_to_import(settings: Settings, world: World) -> None:
    slug = await _slug(world)

    with pytest.raises(Unprocessable, match="decided about a draft yet"):
        await past.import_decisions(settings, slug)
    with pytest.raises(Unprocessable, match="getsale eval import-decisions"):
        await past.replay(settings, slug, model="offline")


class _Silent(OfflineModel):
    """Calls a person whatever is asked."""

    async def complete(self, request: ModelRequest) -> ModelReply:
        reply = await super().complete(request)
        hand_off = '"hand_off":{"reason":"customer_request","summary":"They want a person"}'
        return ModelReply(
            text=reply.text.replace('"decision":"answer"', '"decision":"notify"').replace(
                '"hand_off":null', hand_off
            )
        )


async def _played_again(
    world: World, settings: Settings, before: list[EvalCase], model: OfflineModel
) -> Standing:
    """The same decisions with a model, in this database instead of one of their own."""
    cases = [case_of(row) for row in before]
    suite = find_suite("decisions")
    run = await running.start(world.db, world.owner, plan(suite, cases, model="tried"))
    await running.play_waiting(world.db, world.owner, run, Examiner(world.db, settings, lambda _: model))
    await running.finish(world.db, world.owner, run.id)
    return side_by_side(before, await cases_of(world.db, world.owner, run))


async def test_a_model_that_says_as_much_would_go_out_and_one_that_says_nothing_is_worse(
    settings: Settings, world: World
) -> None:
    for number in range(6):
        at = THEN + timedelta(days=number)
        [draft] = await ask(world, QUESTION, at, "25 to 99 scanners cost €17 each a month.")
        await _know(world, PRICE, at - timedelta(days=1))
        await approve(world, draft, edited="" if number else "Ask our reseller in Oslo, please.")
    (_, before), _ = await past.import_decisions(settings, await _slug(world))

    same = await _played_again(world, settings, before, OfflineModel())
    silent = await _played_again(world, settings, before, _Silent())

    assert [(row.intent, row.before.passed, row.after.passed) for row in same.rows] == [
        ("", 5, 5),
        ("price", 5, 5),
    ]
    assert not same.comparison.is_worse
    assert [(row.before.passed, row.after.passed) for row in silent.rows] == [(5, 0), (5, 0)]
    assert silent.comparison.is_worse


async def test_pairs_are_read_as_they_were_written(world: World, tmp_path: Path) -> None:
    await _one_of_each(world)
    cases = await _cases(world)
    file = tmp_path / "pairs.jsonl"
    file.write_text("everybody could read this")
    file.chmod(0o644)

    write_private(file, write_pairs(cases))

    assert read_pairs(file.read_text(encoding="utf-8")) == cases
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_line_that_is_no_pair_is_named() -> None:
    with pytest.raises(Unprocessable, match="Line 1: "):
        read_pairs('{"id": "x"}\n')
