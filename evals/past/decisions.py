"""What people decided about drafts, as cases."""

from typing import Literal

from core.db import Tx
from crm.drafts.models import DraftStatus
from crm.evaluations.decisions import Decision, Line, list_decisions, list_lines
from crm.evaluations.models import CaseResult
from evals.cases import Case, Decided
from evals.likeness import likeness
from evals.past.known import known_at, person_of
from evals.past.moments import Spoken, case_of, moment_of
from evals.scorers import agreement

_LONGEST_REASON = 600
Outcome = Literal["accepted", "edited", "rejected", "returned"]


async def decided_cases(tx: Tx) -> list[Case]:
    """A case for each decision, with the conversation and what was known as they stood when the draft was written.

    The same rows give the same cases. A draft whose question is gone, as when its contact was erased, has none.
    """
    cases = [await _case(tx, decision) for decision in await list_decisions(tx)]
    return [case for case in cases if case is not None]


async def _case(tx: Tx, decision: Decision) -> Case | None:
    talk = [
        _spoken(line)
        for line in await list_lines(tx, decision.conversation_id)
        if line.seq <= decision.based_on_seq
    ]
    moment = moment_of(talk)
    if moment is None:
        return None
    person = await person_of(tx, decision.contact_id)
    known = await known_at(tx, decision.contact_id, decision.written_at)
    return case_of(
        str(decision.draft_id),
        moment,
        person.model_copy(update={"language": "ru" if decision.language == "ru" else "en"}),
        known,
        reply=decision.body if decision.status is DraftStatus.APPROVED else "",
        decided=Decided(
            outcome=_outcome(decision),
            draft=decision.draft,
            reason=decision.reason[:_LONGEST_REASON],
            model=decision.model,
            prompt=decision.prompt,
            intents=tuple(decision.intents),
        ),
    )


def _spoken(line: Line) -> Spoken:
    return Spoken(line.is_ours, line.text, line.at, is_by_person=line.by == "user")


def _outcome(decision: Decision) -> Outcome:
    match decision.status:
        case DraftStatus.APPROVED:
            return "edited" if decision.is_edited else "accepted"
        case DraftStatus.REJECTED:
            return "rejected"
        case _:
            return "returned"


def as_it_was(case: Case) -> CaseResult:
    """What became of the old draft, as people decided: the run that others are set beside."""
    if case.decided is None:
        raise ValueError(f"Nobody decided about the case {case.id}.")
    is_accepted = case.decided.outcome == "accepted"
    why = "" if is_accepted else f"{case.decided.outcome} {case.decided.reason}".strip()
    scores: dict[str, object] = {"accepted": _score(float(is_accepted), is_accepted, why)}
    if case.expect.reply:
        found = likeness(case.decided.draft, case.expect.reply, "\n".join(case.burst))
        scores["similarity"] = _score(found.similarity, is_passed=True)
        seen = agreement.seen_edit(case)
        if seen is not None:
            scores["sees_edit"] = _score(seen.value, seen.is_passed, seen.why)
    trace = {"draft": {"body": case.decided.draft, "language": case.language, "flags": []}}
    return CaseResult(is_accepted, scores, trace)  # type: ignore[arg-type]  # both are JSON


def _score(value: float, is_passed: bool, why: str = "") -> dict[str, object]:
    return {"value": round(value, 4), "is_passed": is_passed, "why": "" if is_passed else why}
