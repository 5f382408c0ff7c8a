"""A finished run is run again from a step: with another prompt or model, over the thread as it was, and without effect."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from pydantic import JsonValue

from agents.llm.base import LanguageModel, ModelReply, ModelRequest
from agents.llm.offline.model import OfflineModel
from agents.llm.scripted import ScriptedModel, Turn
from core.errors import AppError, Conflict, Forbidden, NotFound, Unprocessable
from core.ids import uuid7
from core.principal import Principal
from crm.bidi.models import Autonomy
from crm.bidi.queries import get_bidi
from crm.conversations.queries import list_messages
from crm.drafts.actions import approve_draft
from crm.identity.models import Role, member_principal
from crm.runs import replays
from crm.runs.models import Run
from crm.runs.replays import NewReplay, Replay, ReplayStatus
from events.ids import OrganizationId, UserId
from graph.postgres import PostgresGraph
from prompts import library
from tests.support.isolation.catalogue import Admin
from tests.support.office import Office
from tests.support.replaying import Rehearsing
from tests.support.working import carry_out_due
from tools.base import Arguments, Decision, Risk, RunContext, Tool, ToolContext, ToolStatus, tool
from tools.dispatch import Dispatcher
from tools.rehearsal import Rehearsal
from worker import services as worker_services

TRIAGE: dict[str, JsonValue] = {"decision": "answer", "language": "en", "intents": ["price"]}
OURS = "Scanners are our trade, Vera."
THEIRS = "Thank you for asking, Vera."


def says(text: str, **more: JsonValue) -> dict[str, JsonValue]:
    return {"value": {"language": "en", "sentences": [{"text": text, "evidence": []}], **more}}


@dataclass
class Listening:
    """A scripted model that keeps what it was told."""

    model: ScriptedModel
    heard: list[ModelRequest] = field(default_factory=list)
    label: str = "listening"
    context_tokens: int = 1_000_000

    async def complete(self, request: ModelRequest) -> ModelReply:
        self.heard.append(request)
        return await self.model.complete(request)


def playing(**tasks: list[dict[str, JsonValue]]) -> Listening:
    script = {task: [Turn.model_validate(turn) for turn in turns] for task, turns in tasks.items()}
    return Listening(ScriptedModel(script))


@pytest.fixture
async def answered(office: Office) -> Run:
    office.script(triage=[{"value": TRIAGE}], draft=[says(OURS)])
    return await office.answer("Hello, what does a scanner cost for 40 of them?")


def rehearsing(office: Office) -> Rehearsing:
    return Rehearsing(office.db, office.settings, office.owner)


async def ask(office: Office, new: NewReplay, *, by: Principal | None = None) -> Replay:
    return await rehearsing(office).ask(new, by=by)


async def play(office: Office, replay: Replay, model: LanguageModel) -> Replay:
    return await rehearsing(office).play(replay, model)


async def again(office: Office, run: Run, step: str, model: LanguageModel, **prompts: str) -> Replay:
    chosen = {f"inbox/{name}": text for name, text in prompts.items()}
    return await play(office, await ask(office, NewReplay(run.id, step, prompts=chosen)), model)


async def everything(admin: Admin, office: Office) -> dict[str, str]:
    return await rehearsing(office).rows(admin)


async def put_on_autopilot(office: Office) -> None:
    async with office.db.transaction(office.owner, "test") as tx:
        await tx.execute(
            "UPDATE bidi SET autonomy = 'autopilot', autopilot_intents = '{price}' WHERE id = %(id)s",
            id=office.world.bidi_id,
        )


@pytest.mark.parametrize("step", ["triage", "gather", "draft", "guard", "propose"])
async def test_no_row_changes_but_the_replays_own(
    admin: Admin, office: Office, answered: Run, step: str
) -> None:
    replay = await ask(office, NewReplay(answered.id, step))
    before = await everything(admin, office)

    done = await play(office, replay, playing(triage=[{"value": TRIAGE}], draft=[says(THEIRS)]))

    after = await everything(admin, office)
    assert (done.status, done.outcome) == (ReplayStatus.DONE, "drafted")
    assert {table for table in after if after[table] != before[table]} == {"run_replays"}
    assert done.body == (OURS if step in ("guard", "propose") else THEIRS)
    assert done.calls[-1]["tool"] == "draft_reply"
    assert not done.calls[-1]["is_made"]


async def test_nothing_is_sent_where_the_run_would_send(admin: Admin, office: Office, answered: Run) -> None:
    await put_on_autopilot(office)
    model = playing(triage=[{"value": TRIAGE}], draft=[says(THEIRS)])
    replay = await ask(office, NewReplay(answered.id, "triage"))
    before = await everything(admin, office)

    done = await play(office, replay, model)

    after = await everything(admin, office)
    assert {table for table in after if after[table] != before[table]} == {"run_replays"}
    assert (done.outcome, done.calls[-1]["tool"]) == ("sent", "send_reply")
    conversation = await office.conversation()
    async with office.db.transaction(office.owner, "test") as tx:
        assert [one.direction for one in await list_messages(tx, conversation.id)] == ["in"]


async def test_a_reply_that_policy_asks_about_would_wait_for_a_person(office: Office, answered: Run) -> None:
    await put_on_autopilot(office)

    done = await again(office, answered, "draft", playing(draft=[says("It is €3 each, I promise.")]))

    assert (done.outcome, done.calls[-1]["decision"]) == ("drafted", "ask")


async def test_the_model_reads_the_prompt_that_was_written_for_it(office: Office, answered: Run) -> None:
    model = playing(draft=[says(THEIRS)])

    await again(
        office,
        answered,
        "draft",
        model,
        draft="You are {{ seat }}. {% if persona %}{{ persona }}{% endif %} Rhyme.",
    )

    assert model.heard[0].messages[0].text.startswith("You are Mira.")
    assert model.heard[0].messages[0].text.strip().endswith("Rhyme.")
    assert "Rhyme" not in library.load("inbox/draft").text


async def test_a_prompt_that_was_left_as_it_is_is_the_one_in_force(office: Office, answered: Run) -> None:
    told = library.in_force("inbox/draft").text.replace("\n", "\r\n")

    replay = await ask(office, NewReplay(answered.id, "draft", prompts={"inbox/draft": told}))

    assert replay.prompts == {}


@pytest.mark.parametrize(
    ("prompt", "why"),
    [
        ("{{ ''.__class__.__mro__ }}", "no more of a template"),
        ("{% for n in range(10) %}x{% endfor %}", "no more of a template"),
        ("{{ seat | upper }}", "no more of a template"),
        ("Hello {{ customer }}", "has no input 'customer', but limit, persona, seat"),
        ("Hello {{ seat", "inbox/draft cannot be used: line 1 cannot be read"),
        ("  ", "needs a text"),
    ],
)
async def test_a_prompt_may_do_nothing_but_fill_in_its_inputs(
    office: Office, answered: Run, prompt: str, why: str
) -> None:
    with pytest.raises(Unprocessable, match=why.replace("{", r"\{")):
        await ask(office, NewReplay(answered.id, "draft", prompts={"inbox/draft": prompt}))


async def test_what_happened_since_is_not_known_to_it(office: Office, answered: Run) -> None:
    found = await office.draft()
    assert found is not None
    async with office.db.transaction(office.owner, "test") as tx:
        await approve_draft(tx, found[0].id, version=found[0].version)
    await office.world.receive("And what is your new address?")
    model = playing(triage=[{"value": TRIAGE}], draft=[says(THEIRS)])

    done = await again(office, answered, "triage", model)

    heard = "".join(message.text for request in model.heard for message in request.messages)
    assert done.status is ReplayStatus.DONE
    assert "what does a scanner cost" in heard
    assert OURS not in heard
    assert "new address" not in heard
    assert [call["is_recorded"] for call in done.calls] == [True, True, False]


async def test_what_the_run_did_not_read_is_read_now(office: Office, answered: Run, admin: Admin) -> None:
    contact_id = (await office.conversation()).contact_id
    facts: list[JsonValue] = [{"name": "list_facts", "arguments": {"subject_id": str(contact_id)}}]
    replay = await ask(office, NewReplay(answered.id, "draft"))
    before = await everything(admin, office)

    done = await play(office, replay, playing(draft=[{"tools": facts}, says(THEIRS)]))

    after = await everything(admin, office)
    assert [(call["tool"], call["is_recorded"], call["is_made"]) for call in done.calls] == [
        ("brief_contact", True, False),
        ("recall", True, False),
        ("list_facts", False, True),
        ("draft_reply", False, False),
    ]
    assert {table for table in after if after[table] != before[table]} == {"run_replays"}


@pytest.mark.parametrize("autonomy", list(Autonomy))
async def test_what_does_not_read_is_never_run(office: Office, answered: Run, autonomy: Autonomy) -> None:
    ran = []

    class Nothing(Arguments):
        """It takes nothing."""

    def acting(risk: Risk, name: str) -> Tool[Any]:
        async def act(ctx: ToolContext, args: Nothing) -> dict[str, str]:
            """Act."""
            ran.append(risk)
            return {}

        act.__name__ = name
        act.__annotations__["args"] = Nothing
        return tool(scope="contacts:read", risk=risk, otherwise=act)(act)

    async with office.db.transaction(office.owner, "test") as tx:
        bidi = replace(await get_bidi(tx, office.world.bidi_id), autonomy=autonomy)
    ctx = RunContext(answered, bidi, bidi.principal(answered.id), is_tainted=False)
    acts = [acting(risk, risk.value) for risk in Risk if risk is not Risk.READ]
    rehearsal = Rehearsal(Dispatcher(office.db, PostgresGraph(office.db), acts), [])

    told = [await rehearsal.call(ctx, one.name, {}, f"draft.{one.name}") for one in acts]

    assert ran == []
    assert [call.is_made for call in rehearsal.calls] == [False] * len(acts)
    assert all((one.status is ToolStatus.REFUSED) == (one.decision is Decision.DENY) for one in told)


async def test_a_tool_that_says_it_reads_and_writes_is_held_to_reading(
    office: Office, answered: Run, admin: Admin
) -> None:
    class Nothing(Arguments):
        """It takes nothing."""

    @tool(scope="contacts:read", risk=Risk.READ)
    async def count_contacts(ctx: ToolContext, args: Nothing) -> dict[str, int]:
        """Count."""
        return {"count": await ctx.tx.execute("UPDATE contacts SET title = 'Nobody'")}

    async with office.db.transaction(office.owner, "test") as tx:
        bidi = await get_bidi(tx, office.world.bidi_id)
    ctx = RunContext(answered, bidi, bidi.principal(answered.id))
    real = Dispatcher(office.db, PostgresGraph(office.db), [count_contacts])
    before = await everything(admin, office)

    result = await Rehearsal(real, []).call(ctx, "count_contacts", {}, "draft.0")

    assert (result.status, result.code) == (ToolStatus.FAILED, "internal")
    assert await everything(admin, office) == before


async def test_a_handoff_is_told_and_not_done(office: Office, answered: Run) -> None:
    stop: JsonValue = {
        "reason": "customer_request",
        "summary": "They want a person.",
        "next_step": "Call them.",
    }
    triage = {**TRIAGE, "decision": "notify", "hand_off": stop}

    done = await again(office, answered, "triage", playing(triage=[{"value": triage}]))

    assert (done.outcome, done.reason) == ("handed_off", "They want a person.")
    assert (await office.conversation()).holder_kind != "person"


async def test_it_counts_what_it_took_and_says_who_answered(office: Office, answered: Run) -> None:
    turn = {**says(THEIRS), "tokens_in": 700, "tokens_out": 30, "cost_usd_micros": 1200}

    done = await again(office, answered, "draft", playing(draft=[turn]))

    assert (done.tokens_in, done.tokens_out, done.cost_usd_micros) == (700, 30, 1200)
    assert done.answered_by == "listening"
    assert (await office.run(answered.id)).tokens_in == answered.tokens_in


async def test_a_model_that_is_away_is_a_result_with_its_reason(office: Office, answered: Run) -> None:
    done = await again(office, answered, "draft", playing(draft=[{"unavailable": "the endpoint is away"}]))

    assert (done.outcome, done.body) == ("failed", "")
    assert "away" in done.reason


async def test_a_run_whose_checkpoint_is_gone_says_so(office: Office, answered: Run) -> None:
    replay = await ask(office, NewReplay(answered.id, "draft"))
    async with office.db.transaction(office.owner, "test") as tx:
        await tx.execute("DELETE FROM checkpoints WHERE thread_id = %(id)s", id=str(answered.id))

    done = await play(office, replay, playing(draft=[says(THEIRS)]))

    assert (done.status, done.reason) == (ReplayStatus.FAILED, replays.GONE)
    with pytest.raises(Conflict, match="checkpoint of this run is gone"):
        await ask(office, NewReplay(answered.id, "draft"))


async def test_a_step_that_the_run_never_reached_is_refused(office: Office, answered: Run) -> None:
    with pytest.raises(Conflict, match="never came to that step"):
        await ask(office, NewReplay(answered.id, "notify"))
    with pytest.raises(Conflict, match="cannot be run again from there"):
        await ask(office, NewReplay(answered.id, "think"))


@pytest.mark.parametrize(
    ("model", "prompts", "refusal"),
    [("nobody's", {}, Unprocessable), (None, {"copilot/answer": "Hello"}, Unprocessable)],
)
async def test_what_is_not_there_cannot_be_chosen(
    office: Office, answered: Run, model: str | None, prompts: dict[str, str], refusal: type[AppError]
) -> None:
    with pytest.raises(refusal):
        await ask(office, NewReplay(answered.id, "draft", model, prompts))


async def test_a_run_of_another_organization_is_not_found(
    office: Office, answered: Run, other_organization: Principal
) -> None:
    replay = await ask(office, NewReplay(answered.id, "draft"))

    with pytest.raises(NotFound):
        await ask(office, NewReplay(answered.id, "draft"), by=other_organization)
    async with office.db.transaction(other_organization, "test") as tx:
        assert await replays.list_replays(tx, answered.id) == []
        with pytest.raises(NotFound):
            await replays.get_replay(tx, replay.id)


@pytest.mark.parametrize("role", [Role.BIDI, Role.VIEWER])
async def test_only_those_who_instruct_agents_run_runs_again(
    office: Office, answered: Run, role: Role
) -> None:
    person = member_principal(UserId(uuid7()), OrganizationId(office.owner.organization_id), role)

    with pytest.raises(Forbidden):
        await ask(office, NewReplay(answered.id, "draft"), by=person)


async def test_with_nothing_changed_the_same_comes_of_it_from_every_step(
    office: Office, answered: Run
) -> None:
    """A run keeps one checkpoint; what forks tell from it is what the run had before each step."""
    ends = []
    for step in ("triage", "gather", "draft", "guard", "propose"):
        done = await again(office, answered, step, playing(triage=[{"value": TRIAGE}], draft=[says(OURS)]))
        ends.append((done.outcome, done.reason, done.body, done.flags, done.calls[-1]["arguments"]))

    first = (await office.calls(answered.id))[-1]
    assert ends[0][2:] == (first.arguments["body"], first.arguments["flags"], first.arguments)
    assert all(end == ends[0] for end in ends)


async def test_a_worker_plays_it_once(office: Office, answered: Run) -> None:
    replay = await ask(office, NewReplay(answered.id, "draft", "offline"))

    async with worker_services.build(office.settings) as services:
        await carry_out_due(services, office.owner, replays.WORK)

    async with office.db.transaction(office.owner, "test") as tx:
        done = await replays.get_replay(tx, replay.id)
        await replays.record_replay(tx, replay.id, replays.ReplayResult(reason="late", is_failed=True))
        assert await replays.get_replay(tx, replay.id) == done
    assert (done.status, done.outcome, done.answered_by) == (
        ReplayStatus.DONE,
        "drafted",
        OfflineModel.label,
    )
    assert "€17" in done.body
