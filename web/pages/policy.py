"""What agents may do by themselves: the matrix as the organization has it, cell by cell, and who changed what."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from core.errors import Unprocessable
from crm.bidi.models import Autonomy
from crm.conversations.inbox import count_folders
from crm.policy.actions import set_decision
from crm.policy.matrix import BY_NAME, Rule
from crm.policy.models import Decision
from crm.policy.queries import Override, list_overrides
from web.phrases import N_
from web.refusals import refusal_text
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/policy")
Chosen = Annotated[Decision | None, Form()]
AUTONOMIES = {
    Autonomy.OBSERVE: N_("Observe"),
    Autonomy.SUGGEST: N_("Suggest"),
    Autonomy.ASSIST: N_("Assist"),
    Autonomy.AUTOPILOT: N_("Autopilot"),
}
DECISIONS = {Decision.ALLOW: N_("allowed"), Decision.ASK: N_("asks"), Decision.DENY: N_("denied")}
# What each row is about, and which runs it covers.
RULES: dict[str, tuple[str, str]] = {
    "read_own": (N_("Read the CRM"), N_("contacts, companies, deals, tasks, documents")),
    "read_thread": (N_("Read its own conversation"), ""),
    "read_other": (N_("Read other conversations"), N_("before it has read text from outside")),
    "read_other_tainted": (N_("Read other conversations"), N_("after it has read text from outside")),
    "read_beyond_counterpart": (
        N_("Read the CRM"), N_("while it answers somebody by itself: only what they may hear")),
    "read_other_scoped": (N_("Read other conversations"), N_("while it answers somebody by itself")),
    "write": (N_("Change records"), N_("before it has read text from outside")),
    "write_low_tainted": (
        N_("Change notes, tags, tasks, stages and next steps"), N_("after it has read text from outside")),
    "write_tainted": (N_("Change other fields"), N_("after it has read text from outside")),
    "write_sensitive_tainted": (
        N_("Change addresses, consents, owners and money"), N_("after it has read text from outside")),
    "write_team": (N_("Tell and assign colleagues, hand over"), ""),
    "propose_message": (N_("Draft a message"), N_("nothing leaves; the draft waits for a person")),
    "propose_bulk": (N_("Propose a change of many records"), N_("before it has read text from outside")),
    "send_thread": (N_("Answer in the conversation"), N_("before it has read text from outside")),
    "send_thread_scoped": (
        N_("Answer in the conversation"), N_("knowing only what they may hear; within intents, cap and hours")),
    "send_thread_tainted": (N_("Answer in the conversation"), N_("after it has read the CRM and text from outside")),
    "send_new": (N_("Write to somebody new"), N_("or send a link or a file that was not there before")),
    "system": (N_("Touch settings, people, agents, many records"), N_("before it has read text from outside")),
    "system_tainted": (N_("Touch settings, people, agents, many records"), N_("after it has read text from outside")),
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One decision; `choices` are what it may be set to, none but itself where nothing else is offered."""

    autonomy: Autonomy
    decision: Decision
    choices: tuple[Decision, ...]
    override: Override | None


@dataclass(frozen=True)
class Row:
    rule: Rule
    title: str
    scope: str
    cells: list[Cell]

    @property
    def may_change(self) -> bool:
        return any(len(cell.choices) > 1 for cell in self.cells)


@router.get("")
async def show_policy(session: CurrentSession) -> Response:
    return await _show(session)


@router.post("")
async def change_policy(
    session: CurrentSession,
    rule: Annotated[str, Form(max_length=100)],
    observe: Chosen = None,
    suggest: Chosen = None,
    assist: Chosen = None,
    autopilot: Chosen = None,
) -> Response:
    """One row; what stays as it is is no change."""
    given = dict(zip(AUTONOMIES, (observe, suggest, assist, autopilot), strict=True))
    try:
        async with session.tx.savepoint():
            for autonomy, decision in given.items():
                if decision is not None:
                    await set_decision(session.tx, rule, autonomy, decision)
    except Unprocessable as err:
        return await _show(session, status=422, problem=refusal_text(err, session.words))
    return RedirectResponse(f"/policy#{rule}" if rule in RULES else "/policy", 303)


async def _show(session: Session, *, status: int = 200, problem: str = "") -> Response:
    overrides = await list_overrides(session.tx)
    found = {(one.rule, one.autonomy): one for one in overrides}
    say = session.words.gettext
    rows = [
        Row(
            BY_NAME[name],
            say(title),
            say(scope) if scope else "",
            [_cell(BY_NAME[name], one, found) for one in AUTONOMIES],
        )
        for name, (title, scope) in RULES.items()
    ]
    return session.page(
        "policy/index.html",
        status=status,
        section="settings",
        counts=await count_folders(session.tx),
        rows=rows,
        overrides=[one for one in overrides if one.rule in RULES],
        rules=RULES,
        autonomies=AUTONOMIES,
        decisions=DECISIONS,
        problem=problem,
        may_change=session.principal.may("policy:manage"),
    )


def _cell(rule: Rule, autonomy: Autonomy, overrides: dict[tuple[str, Autonomy], Override]) -> Cell:
    override = overrides.get((rule.name, autonomy))
    choices = rule.choices(autonomy)
    if override is not None and override.decision not in choices:
        override = None  # what an earlier version of the product offered
    decision = override.decision if override else rule.decision(autonomy)
    return Cell(autonomy, decision, choices, override)
