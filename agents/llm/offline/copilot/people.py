"""Who could introduce us, and what is known of a contact, a company or a deal."""

from pydantic import JsonValue

from agents.copilot.contract import Question
from agents.llm.offline.copilot.finding import PEOPLE, RECORDS, Found, find_target
from agents.llm.offline.copilot.naming import names_in
from agents.llm.offline.copilot.plans import Plan, Record, Want, mark, number, part, records, text, whole
from agents.llm.offline.copilot.saying import amount, date_of, say
from agents.llm.offline.lookup import closed

_MOST = 5


def introduce(question: Question) -> Plan:
    """Which colleague knows somebody there, and the shortest chain of acquaintances."""
    target = yield from find_target(question, PEOPLE)
    if target is None:
        return [missing(question)]
    lines: list[str] = []
    if target.kind == "company":
        known = yield Want("who_knows", {"company_id": target.id})
        lines = [
            say(
                question,
                "introduction.knows",
                colleague=colleague,
                person=person,
                company=target.name,
                mark=mark(*ties),
            )
            for (colleague, person), ties in _ties(records(known, "acquaintances")).items()
        ][:_MOST]
    path = yield Want("find_introduction", {"target_id": target.id})
    lines += _path(question, target, whole(path))
    if not lines:
        key = "introduction.none" if target.kind == "company" else "introduction.none_person"
        lines.append(say(question, key, target=target.name))
    return lines


def _ties(acquaintances: list[Record]) -> dict[tuple[str, str], list[Record]]:
    """Who knows whom, once each, with everything that says so."""
    ties: dict[tuple[str, str], list[Record]] = {}
    for one in acquaintances:
        names = (text(part(one, "user"), "name"), text(part(one, "person"), "name"))
        ties.setdefault(names, []).append(part(one, "tie"))
    return ties


def _path(question: Question, target: Found, path: Record) -> list[str]:
    nodes, edges, facts = (_inside(path, name) for name in ("nodes", "edges", "facts"))
    if not edges:
        return []
    chain = " – ".join(text(node, "name") for node in nodes)
    lines = [say(question, "introduction.path", target=target.name, chain=chain, mark=mark(*edges))]
    return [*lines, *(f"{closed(text(fact, 'text'))}{mark(fact)}" for fact in facts if text(fact, "text"))]


def tell_about(question: Question) -> Plan:
    """Everything worth knowing of what the question names."""
    target = yield from find_target(question, RECORDS)
    if target is None:
        return [missing(question)]
    found = yield Want("get_record", {"record_kind": target.kind, "record_id": target.id})
    record = whole(found)
    if not record:
        return [say(question, "help.failed", why=found.error)]
    match target.kind:
        case "contact":
            brief = yield Want("brief_contact", {"contact_id": target.id, "hops": 1})
            return _contact(question, record, whole(brief))
        case "company":
            deals = yield Want("list_deals", {"company_id": target.id})
            kept: JsonValue = {"field": "company_id", "op": "is", "value": target.id}
            people = yield Want("list_contacts", {"filter": {"all": [kept]}})
            facts = yield Want("list_facts", {"subject_id": target.id, "limit": 10})
            return _company(
                question,
                record,
                records(deals, "deals"),
                records(people, "contacts"),
                records(facts, "facts"),
            )
        case _:
            return _deal(question, record)


def _contact(question: Question, record: Record, brief: Record) -> list[str]:
    fields = part(record, "fields")
    title, company = text(fields, "title"), text(fields, "company_name")
    where = say(question, "about.at", company=company) if company else ""
    lines = [
        say(
            question,
            "about.contact",
            name=text(fields, "name"),
            title=f", {title}" if title else "",
            company=where,
            mark=mark(record),
        )
    ]
    lines += _common(question, record)
    lines += [
        say(question, "about.fact", text=closed(text(fact, "text")), mark=mark(fact))
        for fact in _inside(brief, "facts")
        if text(fact, "text")
    ][:_MOST]
    return [*lines, *_deals(question, _inside(brief, "deals"))]


def _company(
    question: Question, record: Record, deals: list[Record], people: list[Record], facts: list[Record]
) -> list[str]:
    fields = part(record, "fields")
    city, employees = text(fields, "city"), number(fields, "employees")
    lines = [
        say(
            question,
            "about.company",
            name=text(fields, "name"),
            city=f", {city}" if city else "",
            employees=say(question, "about.employees", count=employees) if employees else "",
            mark=mark(record),
        )
    ]
    if text(fields, "about"):
        lines.append(say(question, "about.does", text=closed(text(fields, "about")), mark=mark(record)))
    lines += _common(question, record)
    lines += [
        say(question, "about.fact", text=closed(text(fact, "text")), mark=mark(fact))
        for fact in facts
        if text(fact, "text")
    ][:_MOST]
    lines += _deals(question, deals)
    if people:
        lines.append(say(question, "about.people"))
        lines += [
            say(
                question,
                "about.person_item",
                name=text(one, "name"),
                title=f", {text(one, 'title')}" if text(one, "title") else "",
                mark=mark(one),
            )
            for one in people[:_MOST]
        ]
    return lines


def _deal(question: Question, record: Record) -> list[str]:
    fields = part(record, "fields")
    name = text(fields, "name") or text(fields, "contact")
    close = date_of(question, text(fields, "close_date"))
    lines = [
        say(
            question,
            "about.deal",
            name=name,
            stage=text(fields, "stage"),
            amount=priced(question, fields),
            close=say(question, "about.close", day=close) if close else "",
            mark=mark(record),
        )
    ]
    if text(fields, "next_step"):
        lines.append(
            say(question, "about.next_step", text=closed(text(fields, "next_step")), mark=mark(record))
        )
    return [*lines, *_common(question, record)]


def _common(question: Question, record: Record) -> list[str]:
    fields, tags = part(record, "fields"), record.get("tags")
    lines = []
    if text(fields, "owner_name"):
        lines.append(say(question, "about.owner", name=text(fields, "owner_name"), mark=mark(record)))
    if text(fields, "note"):
        lines.append(say(question, "about.note", text=closed(text(fields, "note")), mark=mark(record)))
    if isinstance(tags, list) and tags:
        lines.append(say(question, "about.tags", tags=", ".join(map(str, tags)), mark=mark(record)))
    return lines


def _deals(question: Question, deals: list[Record]) -> list[str]:
    if not deals:
        return []
    items = [
        say(
            question,
            "about.deal_item",
            name=text(deal, "name"),
            stage=text(deal, "stage"),
            amount=priced(question, deal),
            mark=mark(deal),
        )
        for deal in deals[:_MOST]
    ]
    return [say(question, "about.deals"), *items]


def priced(question: Question, deal: Record) -> str:
    """`, €8,160`, or nothing."""
    minor = number(deal, "amount_minor")
    return f", {amount(question, minor, text(deal, 'currency'))}" if minor else ""


def missing(question: Question) -> str:
    """What to say when nothing was found that the question could mean."""
    names = names_in(question)
    return say(question, "help.not_found", name=names[0]) if names else say(question, "help.nothing_named")


def _inside(record: Record, name: str) -> list[Record]:
    inside = record.get(name)
    return [one for one in inside if isinstance(one, dict)] if isinstance(inside, list) else []
