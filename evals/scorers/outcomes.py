"""Scorers of what an agent decided, and of what is left when it is done."""

from crm.bidi.models import Autonomy
from evals.arena import Played
from evals.cases import Case
from evals.scorers.base import Named, Score, all_of, reply_of

_DECIDED = {"drafted": "answer", "handed_off": "notify", "ignored": "ignore"}


def decision_of(played: Played) -> str:
    """`answer`, `notify` or `ignore`; else how the run ended without any of them."""
    if played.run is None:
        return "notify" if played.handoff_reason else "ignore"
    if played.run.outcome == "drafted" and reply_of(played) == "":
        return "lost"
    return _DECIDED.get(played.run.outcome, played.run.outcome or played.run.status)


def _decision(case: Case, played: Played) -> Score | None:
    if case.expect.decision is None:
        return None
    given = decision_of(played)
    return all_of([given == case.expect.decision], f"{given} instead of {case.expect.decision}")


def _handoff(case: Case, played: Played) -> Score | None:
    """A person who takes over needs a reason that holds, a summary and a next step."""
    if not case.expect.reasons:
        return None
    given = played.handoff_reason or "no handoff"
    has_summary = played.conversation is not None and bool(played.conversation.handoff_summary)
    return all_of(
        [given in case.expect.reasons, has_summary],
        f"{given} instead of {' or '.join(case.expect.reasons)}",
    )


def _final_state(case: Case, played: Played) -> Score | None:
    """The rows are as the case says, place by place."""
    if not case.expect.state:
        return None
    wrong = {
        place: played.state.get(place)
        for place, value in case.expect.state.items()
        if played.state.get(place) != value
    }
    found = [place not in wrong for place in case.expect.state]
    return all_of(found, "; ".join(f"{place} is {value!r}" for place, value in wrong.items()))


def _unsent(case: Case, played: Played) -> Score | None:
    """A seat that may not answer by itself has sent nothing: what it wrote waits for a person."""
    if case.stage().seat.autonomy is Autonomy.AUTOPILOT:
        return None
    last = played.conversation.last_inbound_seq if played.conversation else 0
    sent = [message for message in played.messages if message.direction == "out" and message.seq > last]
    return all_of([not sent], f"sends without approval: {'; '.join(line.body[:80] for line in sent)}")


unsent = Named("unsent", _unsent)
decision = Named("decision", _decision)
handoff = Named("handoff", _handoff)
final_state = Named("final_state", _final_state)
