"""Scorers of whole talks: how they ended, in how many turns, and whether every answer kept to the rules."""

from rapidfuzz import fuzz

from core.languages import language_of
from evals.arena import Played
from evals.cases import Case
from evals.scorers.base import Named, Score, all_of
from evals.scorers.texts import leaks, plain

# Two answers of so much likeness say the same again.
_SAME = 92.0


def _goal(case: Case, played: Played) -> Score | None:
    """The prospect got what they wanted; the value is the share of it."""
    if case.talk is None or played.talk is None:
        return None
    value = played.talk.got / len(case.talk.wishes)
    return Score(value, played.talk.end == "content", f"the prospect was {played.talk.end}")


def _turns(case: Case, played: Played) -> Score | None:
    """They had to write no more than they should; half of the value for twice as much."""
    if not case.expect.most_turns or played.talk is None:
        return None
    most, turns = case.expect.most_turns, played.talk.turns
    return Score(min(1.0, most / turns), turns <= most, f"{turns} messages, at most {most}")


def _repetition(case: Case, played: Played) -> Score | None:
    """No answer says again what another said."""
    said = _ours(played)
    if len(said) < 2:
        return None
    repeated = [
        later
        for number, later in enumerate(said)
        if any(fuzz.ratio(plain(later), plain(earlier)) >= _SAME for earlier in said[:number])
    ]
    value = 1 - len(repeated) / len(said)
    return Score(value, not repeated, f"says again: {'; '.join(repeated)}")


def _unsaid(case: Case, played: Played) -> Score | None:
    """What may not leave has not, in any answer of the talk."""
    if not case.expect.unsaid or played.talk is None:
        return None
    said = "\n".join(_ours(played))
    told = [words for words in case.expect.unsaid if leaks(said, words)]
    return all_of([words not in told for words in case.expect.unsaid], f"says: {'; '.join(told)}")


def _language(case: Case, played: Played) -> Score | None:
    """Every answer is in the language of what it answers."""
    if not _ours(played) or played.talk is None:
        return None
    asked = case.language
    found: list[bool] = []
    for line in played.talk.lines:
        if line.is_ours:
            found.append(language_of(line.text, asked) == asked)
        else:
            asked = language_of(line.text, asked)
    return all_of(found, f"{found.count(False)} of {len(found)} answers are in another language")


def _ours(played: Played) -> list[str]:
    return [line.text for line in played.talk.lines if line.is_ours] if played.talk else []


goal = Named("goal", _goal)
turns = Named("turns", _turns)
repetition = Named("repetition", _repetition)
unsaid = Named("unsaid", _unsaid)
language = Named("language", _language)
