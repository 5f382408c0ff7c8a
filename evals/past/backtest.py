"""Backtest: at every point of past talks where one of us answered, a case that has nothing younger in it."""

from collections.abc import Sequence

from core.db import Tx
from crm.evaluations.decisions import list_answered_conversations, list_lines
from evals.cases import Case
from evals.past.known import known_at, person_of
from evals.past.moments import Known, Reply, Spoken, Talk, case_of, replies
from evals.scene import Paper, Person


def cases_of_talks(talks: Sequence[Talk], papers: Sequence[Paper] = ()) -> list[Case]:
    """The points of talks out of a file. All that is known besides the talk are papers that held all along."""
    known = Known(documents=tuple(papers))
    return [
        _case(talk.key, number, reply, talk.person, known)
        for talk in talks
        for number, reply in enumerate(replies(talk.lines), 1)
    ]


async def cases_of_conversations(tx: Tx, papers: Sequence[Paper] = ()) -> list[Case]:
    """The points of the organization's own conversations, with what was known at each of them."""
    cases = []
    for conversation_id, contact_id in await list_answered_conversations(tx):
        lines = [
            Spoken(line.is_ours, line.text, line.at, line.by == "user")
            for line in await list_lines(tx, conversation_id)
        ]
        person = await person_of(tx, contact_id)
        for number, reply in enumerate(replies(lines), 1):
            known = await known_at(tx, contact_id, reply.moment.at)
            known = Known(
                known.facts, known.deals, known.notes, known.tasks, (*known.documents, *papers), known.seat
            )
            cases.append(_case(str(conversation_id), number, reply, person, known))
    return cases


def _case(key: str, number: int, reply: Reply, person: Person, known: Known) -> Case:
    return case_of(f"{key}.{number}", reply.moment, person, known, reply=reply.text)
