"""Sub-plans that find the records that a question names."""

from collections.abc import Collection, Generator
from dataclasses import dataclass

from pydantic import JsonValue

from agents.copilot.contract import Question, Returned
from agents.llm.offline.copilot.naming import is_called, means_this, names_in, search_words
from agents.llm.offline.copilot.plans import Record, Want, records, text

Finding = Generator[Want, Returned, "Found | None"]
PEOPLE = ("contact", "company")
RECORDS = ("contact", "company", "deal", "lead")


@dataclass(frozen=True)
class Found:
    """A record that is meant. `source` has its number, where it was read."""

    kind: str
    id: str
    name: str
    source: Record


def find_target(
    question: Question, kinds: Collection[str] = RECORDS, *, without: Collection[str] = ()
) -> Finding:
    """What a question is about: what it points at, else what it names, else what its asker looks at."""
    here = looked_at(question, kinds)
    if here is not None and means_this(question):
        return here
    for name in names_in(question, tuple(without)):
        found = yield from find_named(name, kinds, within=question.question)
        if found is not None:
            return found
    return here if not names_in(question, tuple(without)) else None


def find_named(name: str, kinds: Collection[str], *, within: str = "") -> Finding:
    """The record of this name; what the text around it names whole comes first, mere likenesses last."""
    returned = yield Want("search_records", {"text": search_words(name)[:200], "limit": 20})
    hits = [one for one in records(returned, "found") if text(one, "kind") in kinds]
    whole = [one for one in hits if is_called(within, text(one, "title"))]
    best = max(whole, key=lambda one: len(text(one, "title")), default=None)
    if best is None:
        best = next((one for one in hits if is_called(text(one, "title"), name)), None)
    if best is None:
        best = next(
            (one for one in hits if is_called(f"{text(one, 'title')} {text(one, 'detail')}", name)), None
        )
    if best is None:
        return None
    return Found(text(best, "kind"), text(best, "id"), text(best, "title"), best)


def find_colleague(question: Question, *, without: Collection[str] = ()) -> Finding:
    """The colleague whom a question names, by any part of the name."""
    returned = yield Want("list_colleagues")
    for name in names_in(question, tuple(without)):
        for one in records(returned, "colleagues"):
            if is_called(text(one, "name"), name):
                return Found("colleague", text(one, "id"), text(one, "name"), one)
    return None


def find_stages(question: Question) -> Generator[Want, Returned, list[str]]:
    """The stages of pipelines that a question names, in the order of their pipelines."""
    returned = yield Want("list_pipelines")
    named = []
    for pipeline in records(returned, "pipelines"):
        stages = pipeline.get("stages")
        for stage in stages if isinstance(stages, list) else []:
            if isinstance(stage, dict) and _is_named(text(stage, "name"), question.question):
                named.append(text(stage, "name"))
    return list(dict.fromkeys(named))


def _is_named(stage: str, question: str) -> bool:
    return is_called(question, stage)


def contact_of(question: Question) -> Finding:
    """The person whom a question is about; of a company, whoever there was in touch with us last."""
    here = question.looking_at
    if here is not None and here.kind == "conversation" and (means_this(question) or not names_in(question)):
        return Found("contact", str(here.contact_id), here.name, {})
    found = yield from find_target(question, ("contact", "company", "deal"))
    if found is None or found.kind == "contact":
        return found
    field = "company_id"
    value: JsonValue = found.id
    if found.kind == "deal":
        got = yield Want("get_record", {"record_kind": "deal", "record_id": found.id})
        fields = got.result.get("fields") if isinstance(got.result, dict) else None
        known = fields if isinstance(fields, dict) else {}
        if text(known, "contact_id"):
            return Found("contact", text(known, "contact_id"), text(known, "contact_name"), known)
        value = text(known, "company_id")
    if not value:
        return None
    kept: JsonValue = {"all": [{"field": field, "op": "is", "value": value}]}
    returned = yield Want("list_contacts", {"filter": kept, "sort": "-last_message_at"})
    people = records(returned, "contacts")
    if not people:
        return None
    return Found("contact", text(people[0], "id"), text(people[0], "name"), people[0])


def looked_at(question: Question, kinds: Collection[str]) -> Found | None:
    """What the asker has on the page, if it is of these kinds."""
    here = question.looking_at
    if here is None:
        return None
    if here.kind == "conversation" and "contact" in kinds:
        return Found("contact", str(here.contact_id), here.name, {})
    return Found(here.kind, str(here.id), here.name, {}) if here.kind in kinds else None
