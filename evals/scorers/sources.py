"""Scorers of what a reply rests on."""

import re

from agents.copilot.sources import cited_numbers, uncited
from evals.arena import Played
from evals.cases import Case
from evals.scorers.base import Named, Score, all_of
from evals.scorers.texts import plain

_FIGURE = re.compile(r"\d+(?:[.,]\d+)?")


def _citations(case: Case, played: Played) -> Score | None:
    """Every sentence with a source stands in the reply, and every figure in it stands in one of its sources."""
    if played.draft is None:
        return None
    body = plain(played.draft.body)
    used = [evidence for evidence in played.evidence if evidence.is_used and evidence.statement]
    if not used:
        return None
    sources: dict[str, str] = {}
    for evidence in used:
        said = plain(evidence.statement)
        sources[said] = f"{sources.get(said, '')} {plain(evidence.quote)} {plain(evidence.label)}"
    wrong = [said for said, source in sources.items() if said not in body or not _is_backed(said, source)]
    return all_of([said not in wrong for said in sources], f"not in its source: {'; '.join(wrong)[:300]}")


def _is_backed(said: str, source: str) -> bool:
    return set(_FIGURE.findall(said)) <= set(_FIGURE.findall(source))


def _ids(case: Case, played: Played) -> tuple[set[str], set[str]] | None:
    """The records that the reply should rest on, and those that it does."""
    if not case.expect.cites or played.draft is None:
        return None
    used = {
        str(evidence.source_id) for evidence in played.evidence if evidence.is_used and evidence.statement
    }
    names = {str(id): name for name, id in played.ids.items()}
    messages = {str(message.id) for message in played.messages}
    return set(case.expect.cites), {names.get(id, id) for id in used - messages}


def _recall(case: Case, played: Played) -> Score | None:
    found = _ids(case, played)
    if found is None:
        return None
    wanted, used = found
    return all_of(
        [name in used for name in sorted(wanted)], f"rests on {', '.join(sorted(used)) or 'nothing'}"
    )


def _precision(case: Case, played: Played) -> Score | None:
    found = _ids(case, played)
    if found is None:
        return None
    wanted, used = found
    return all_of(
        [name in wanted for name in sorted(used)], f"rests on {', '.join(sorted(used - wanted))} as well"
    )


def _cited(case: Case, played: Played) -> Score | None:
    """Every statement to a colleague names what it rests on, and there is such a thing."""
    if played.answer is None or not played.answer.citations:
        return None
    text = played.answer.answer
    unknown = sorted(cited_numbers(text) - {one.n for one in played.answer.cited})
    bare = uncited(text, case.language)
    why = [*(f"there is no source {n}" for n in unknown), *(f"without a source: {one}" for one in bare)]
    return all_of([not unknown, not bare], "; ".join(why))


def _kinds(case: Case, played: Played) -> Score | None:
    """An answer to a colleague rests on records of the kinds that it should."""
    if not case.expect.sources or played.answer is None:
        return None
    used = {one.kind for one in played.answer.cited}
    return all_of(
        [kind in used for kind in case.expect.sources], f"rests on {', '.join(sorted(used)) or 'nothing'}"
    )


citations = Named("citations", _citations)
context_recall = Named("context_recall", _recall)
context_precision = Named("context_precision", _precision)
cited = Named("cited", _cited)
kinds = Named("source_kinds", _kinds)
