"""Scorers that set what an agent did beside what a person decided or wrote."""

from evals.arena import Played
from evals.cases import Case
from evals.likeness import SAME_WORDS, Likeness, acts_of, foremost, likeness, similarity
from evals.scorers.base import Named, Score, all_of, reply_of
from evals.scorers.outcomes import decision_of


def _beside(case: Case, played: Played) -> Likeness | None:
    """How like the reply is to the text that went out; None where either is missing."""
    reply = reply_of(played)
    if not case.expect.reply or not reply:
        return None
    return likeness(reply, case.expect.reply, "\n".join(case.burst))


def _accepted(case: Case, played: Played) -> Score | None:
    """Would a colleague have sent it unedited? Never known of a rejected draft's successor, so never counted as such."""
    if case.decided is None:
        return None
    if not case.expect.reply:
        return all_of([False], "was rejected; what would have been accepted instead is not known")
    found = _beside(case, played)
    if found is None:
        return all_of([False], f"{decision_of(played)} instead of an answer")
    return all_of([found.is_as_good], _differences(found))


def _differences(found: Likeness) -> str:
    """What a colleague would have changed."""
    said = {
        "another language": not found.is_same_language,
        "does something else": not found.is_same_action,
        f"lacks {', '.join(sorted(found.missing))}": bool(found.missing),
        f"has {', '.join(sorted(found.extra))}": bool(found.extra),
        f"{found.similarity:.0%} of the words": found.similarity < SAME_WORDS,
    }
    return "; ".join(what for what, holds in said.items() if holds)


def _unrepeated(case: Case, played: Played) -> Score | None:
    """Nobody is shown again what was rejected: another text, or none."""
    if case.decided is None or case.expect.reply:
        return None
    alike = similarity(reply_of(played), case.decided.draft) if reply_of(played) else 0.0
    return all_of([alike < SAME_WORDS], f"says {alike:.0%} of what was rejected again")


def seen_edit(case: Case) -> Score | None:
    """Whether the ruler notices what a person found worth changing: says of it how far `accepted` can be believed."""
    if case.decided is None or case.decided.outcome != "edited":
        return None
    found = likeness(case.decided.draft, case.expect.reply, "\n".join(case.burst))
    return all_of([not found.is_as_good], "takes an edited draft for one that would have been accepted")


def _seen_edit(case: Case, _: Played) -> Score | None:
    return seen_edit(case)


def _answered(case: Case, played: Played) -> Score | None:
    """Where a person answered, the agent answered as well, instead of calling somebody or passing it over."""
    if not case.expect.reply:
        return None
    given = decision_of(played)
    return all_of([given in ("answer", "sent")], f"{given} instead of answer")


def _intents(case: Case, played: Played) -> Score | None:
    """What the contact wants is named as it was when the draft was decided about."""
    if case.decided is None or not case.decided.intents:
        return None
    named = _named(played)
    if named is None:
        return None
    wanted = set(case.decided.intents)
    shared = len(wanted & named)
    value = 2 * shared / (len(wanted) + len(named)) if named else 0.0
    return Score(value, shared > 0, f"{', '.join(sorted(named)) or 'nothing'}")


def _named(played: Played) -> set[str] | None:
    """The intents that the agent named with its proposal; None when it proposed nothing."""
    for call in reversed(played.calls):
        told = call.arguments.get("intents") if isinstance(call.arguments, dict) else None
        if isinstance(told, list):
            return {str(intent) for intent in told}
    return None


def _action(case: Case, played: Played) -> Score | None:
    """It does what the colleague did. Calling a person is what putting off is: somebody else has to answer."""
    if not case.expect.reply:
        return None
    wanted = acts_of(case.expect.reply)
    found = _beside(case, played)
    if found is not None:
        given = foremost(acts_of(reply_of(played)))
        return all_of([found.is_same_action], f"{given} instead of {foremost(wanted)}")
    if decision_of(played) == "notify":
        return all_of([foremost(wanted) == "defers"], f"calls a person instead of {foremost(wanted)}")
    return all_of([foremost(wanted) == "closes"], f"{decision_of(played)} instead of {foremost(wanted)}")


def _figures(case: Case, played: Played) -> Score | None:
    """The figures that the colleague stated, and no others."""
    found = _beside(case, played)
    if found is None or found.figures is None:
        return None
    return Score(
        found.figures, found.figures >= 0.5 and not (found.missing and found.extra), _differences(found)
    )


def _similarity(case: Case, played: Played) -> Score | None:
    found = _beside(case, played)
    return None if found is None else Score(found.similarity, True)


def _agrees(case: Case, played: Played) -> Score | None:
    """The same thing is done about the same matter, and no figure contradicts."""
    if not case.expect.reply:
        return None
    found = _beside(case, played)
    if found is not None:
        return all_of([found.agrees], _differences(found))
    judged = _action(case, played)
    return all_of([judged is not None and judged.is_passed], judged.why if judged else "")


accepted = Named("accepted", _accepted)
unrepeated = Named("unrepeated", _unrepeated)
sees_edit = Named("sees_edit", _seen_edit)
answered = Named("answered", _answered)
intents = Named("intents", _intents)
action = Named("action", _action)
figures = Named("figures", _figures)
similar = Named("similarity", _similarity)
agrees = Named("agrees", _agrees)
