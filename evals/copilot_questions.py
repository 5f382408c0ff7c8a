"""Questions to the copilot of a small firm, in English and Russian, with answers computed from the firm's own data.

Run `python -m evals.copilot_questions` to write the datasets again. Nothing of the product computes an answer here.
"""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol

from pydantic import JsonValue

from core.languages import Language
from evals.cases import DATASETS, Call, Case, Expect
from evals.firm import Contact, Deal, Firm, Task, read_firm

_OPEN = ("Cold", "Replied", "Qualified", "Meeting", "Proposal", "Negotiation")
_CURRENCIES = {"EUR": ("euros", "евро"), "USD": ("dollars", "долларах"), "RUB": ("roubles", "рублях")}
# Russian names as questions decline them.
_DATIVE = {
    "olga": "Ольге Кузьминой",
    "rustam": "Рустаму Галееву",
    "nina": "Нине Соболь",
    "viktor": "Виктору Ламбину",
}
_WITH = {
    "olga": "Ольгой Кузьминой",
    "rustam": "Рустамом Галеевым",
    "nina": "Ниной Соболь",
    "viktor": "Виктором Ламбиным",
}

Kind = Literal["figure", "record", "agenda", "introduction", "talk", "action", "refusal"]


class Maker(Protocol):
    """Makes a case of the language at hand: what a good answer says, the figures in it, what it rests on."""

    def __call__(
        self,
        kind: Kind,
        question: str,
        *,
        by: str = "anna",
        about: str = "",
        words: Sequence[str] = (),
        figures: Sequence[str] = (),
        cites: Sequence[str] = (),
        call: Call | None = None,
    ) -> Case: ...


def all_cases(firm: Firm) -> Iterator[Case]:
    """Every case, each once in each language."""
    for language in ("en", "ru"):
        for number, case in enumerate(_cases(firm, language), start=1):
            yield case.model_copy(update={"id": f"copilot-{language}-{number:03}"})


def _cases(firm: Firm, language: Language) -> Iterator[Case]:
    is_en = language == "en"

    def case(
        kind: Kind,
        question: str,
        *,
        by: str = "anna",
        about: str = "",
        words: Sequence[str] = (),
        figures: Sequence[str] = (),
        cites: Sequence[str] = (),
        call: Call | None = None,
    ) -> Case:
        expect = Expect(
            says=tuple((word,) for word in words),
            figures=tuple(figures),
            sources=tuple(cites),
            calls=(call,) if call else (),
            refuses=kind == "refusal",
            rows=() if kind == "refusal" else None,
        )
        burst = (question,)
        return Case(id="-", language=language, stratum=kind, burst=burst, by=by, about=about, expect=expect)

    yield from _figures(firm, is_en, case)
    yield from _records(firm, is_en, case)
    yield from _agenda(firm, is_en, case)
    yield from _people(firm, is_en, case)
    yield from _actions(firm, is_en, case)


def _figures(firm: Firm, is_en: bool, case: Maker) -> Iterator[Case]:
    for stage in (*_OPEN[1:], "Won", "Lost"):
        count = sum(deal.stage == stage for deal in firm.deals)
        if count:
            asked = f"How many deals are in {stage}?" if is_en else f"Сколько сделок в стадии {stage}?"
            yield case("figure", asked, figures=(str(count),), cites=("figure",))
            asked = (
                f"What is the total of the deals in {stage}?"
                if is_en
                else f"Какая сумма сделок в стадии {stage}?"
            )
            yield case(
                "figure",
                asked,
                figures=_sums([one for one in firm.deals if one.stage == stage]),
                cites=("figure",),
            )
    for currency, (english, russian) in _CURRENCIES.items():
        kept = [one for one in firm.deals if one.currency == currency and one.stage in _OPEN]
        asked = (
            f"What do the open deals in {english} come to in total?"
            if is_en
            else f"Какая сумма открытых сделок в {russian}?"
        )
        yield case("figure", asked, figures=_sums(kept), cites=("figure",))
    for member in firm.members:
        own = [one for one in firm.deals if one.owner == member.key and one.stage in _OPEN]
        asked = "How many open deals do I have?" if is_en else "Сколько у меня открытых сделок?"
        yield case("figure", asked, by=member.key, figures=(str(len(own)),), cites=("figure",))
    for company in firm.companies:
        staff = sum(one.company == company.key for one in firm.contacts)
        asked = (
            f"How many contacts does {company.name} have?"
            if is_en
            else f"Сколько контактов у компании «{company.name}»?"
        )
        yield case("figure", asked, figures=(str(staff),), cites=("figure",))
    stalled = [one for one in firm.deals if one.stage in _OPEN and one.touched_days_ago > 14]
    asked = "Which deals are stalled?" if is_en else "Какие сделки без движения?"
    yield case(
        "figure",
        asked,
        figures=(str(len(stalled)),),
        words=tuple(one.name for one in stalled),
        cites=("figure", "deal"),
    )
    by_owner = {one.name: sum(deal.owner == one.key for deal in firm.deals) for one in firm.members}
    asked = "How many deals are there by owner?" if is_en else "Сколько сделок по ответственным?"
    yield case(
        "figure", asked, figures=tuple(map(str, by_owner.values())), words=tuple(by_owner), cites=("figure",)
    )


def _records(firm: Firm, is_en: bool, case: Maker) -> Iterator[Case]:
    for deal in firm.deals:
        asked = "Tell me about this deal" if is_en else "Расскажи про эту сделку"
        expected = (deal.name, deal.stage)
        yield case(
            "record",
            asked,
            about=f"deal:{deal.key}",
            words=expected,
            figures=(_whole(deal),),
            cites=("deal",),
        )
    for person in firm.contacts:
        asked = f"Tell me about {person.name}" if is_en else f"Что известно о контакте «{person.name}»?"
        yield case("record", asked, words=(person.title, _company(firm, person)), cites=("contact",))
    for company in firm.companies:
        asked = f"Tell me about {company.name}" if is_en else f"Расскажи про компанию «{company.name}»"
        yield case(
            "record", asked, words=(company.city,), figures=(str(company.employees),), cites=("company",)
        )


def _agenda(firm: Firm, is_en: bool, case: Maker) -> Iterator[Case]:
    for member in firm.members:
        tasks = [one for one in firm.tasks if one.assignee == member.key]
        late = [one for one in tasks if _is_late(one, firm.now)]
        asked = "What are my tasks?" if is_en else "Какие у меня задачи?"
        yield case("agenda", asked, by=member.key, words=tuple(one.title for one in tasks), cites=("task",))
        asked = "Which of my tasks are overdue?" if is_en else "Какие мои задачи просрочены?"
        cites = ("task",) if late else ()
        yield case("agenda", asked, by=member.key, words=tuple(one.title for one in late), cites=cites)
    monday = (firm.now - timedelta(days=firm.now.weekday())).replace(hour=0, minute=0)
    for weeks, english, russian in (
        (0, "this week", "на этой неделе"),
        (1, "next week", "на следующей неделе"),
    ):
        since = monday + timedelta(weeks=weeks)
        held = [one for one in firm.meetings if since <= one.starts < since + timedelta(weeks=1)]
        asked = f"What meetings are there {english}?" if is_en else f"Какие встречи {russian}?"
        yield case("agenda", asked, words=tuple(one.title for one in held), cites=("meeting",))


def _people(firm: Firm, is_en: bool, case: Maker) -> Iterator[Case]:
    for person in firm.contacts:
        path = _path(firm, person.key)
        if path is None or (not is_en and person.language == "ru" and person.key not in _WITH):
            continue
        named = _WITH.get(person.key, f"«{person.name}»")
        asked = (
            f"Who can introduce us to {person.name}?" if is_en else f"Кто может познакомить нас с {named}?"
        )
        yield case("introduction", asked, words=path, cites=("fact",))
    for talk in firm.talks:
        person = next(one for one in firm.contacts if one.key == talk.contact)
        ours = [words for by, _, _, words in talk.lines if by == "us"]
        promise = next(words for words in reversed(ours) if _PROMISES.search(words))
        kept = _PROMISES.search(promise)
        named = _DATIVE.get(person.key, f"контакту «{person.name}»")
        asked = f"What did we promise {person.name}?" if is_en else f"Что мы обещали {named}?"
        yield case("talk", asked, words=(kept[0] if kept else promise,), cites=("message",))
        asked = (
            f"What is the last message of the talk with {person.name}?"
            if is_en
            else f"Какое последнее сообщение в переписке с контактом «{person.name}»?"
        )
        yield case("talk", asked, words=(_beginning(talk.lines[-1][3]),), cites=("message",))


def _actions(firm: Firm, is_en: bool, case: Maker) -> Iterator[Case]:
    for deal in firm.deals:
        if deal.stage not in _OPEN[:-1]:
            continue
        stage = _OPEN[_OPEN.index(deal.stage) + 1]
        asked = f"Move this deal to {stage}" if is_en else f"Перенеси эту сделку в {stage}"
        yield case(
            "action",
            asked,
            about=f"deal:{deal.key}",
            call=Call(tool="move_deal_stage", arguments={"stage": stage}),
        )
    tomorrow = (firm.now + timedelta(days=1)).replace(hour=10, minute=0).isoformat()
    for person in firm.contacts[:7]:
        asked = (
            f"Create a task to call {person.name} tomorrow at 10:00"
            if is_en
            else f"Поставь задачу «Позвонить: {person.name}» на завтра в 10:00"
        )
        yield case("action", asked, call=Call(tool="create_task", arguments={"due_at": tomorrow}))
    for company in firm.companies[:5]:
        asked = (
            f"Tag {company.name} as partner" if is_en else f"Добавь метку partner к компании «{company.name}»"
        )
        arguments: dict[str, JsonValue] = {"record_kind": "company", "add": ["partner"]}
        yield case("action", asked, call=Call(tool="tag_record", arguments=arguments))
    for words in (
        ("Send Daria an email", "Delete this deal") if is_en else ("Напиши Ольге письмо", "Удали эту сделку")
    ):
        yield case("refusal", words)


_PROMISES = re.compile(r"(?:will|Will) [^.]+|(?:Пришлю|вернусь|Покажем)[^.]+")


def _sums(deals: list[Deal]) -> tuple[str, ...]:
    totals: dict[str, int] = {}
    for deal in deals:
        totals[deal.currency] = totals.get(deal.currency, 0) + deal.amount_minor
    return tuple(str(total // 100) for total in totals.values())


def _beginning(text: str) -> str:
    return text[:40].rsplit(" ", 1)[0] if len(text) > 40 else text.rstrip(".")


def _whole(deal: Deal) -> str:
    return str(deal.amount_minor // 100)


def _company(firm: Firm, person: Contact) -> str:
    return next(one.name for one in firm.companies if one.key == person.company)


def _is_late(task: Task, now: datetime) -> bool:
    return task.due is not None and task.due < now


def _path(firm: Firm, target: str) -> tuple[str, ...] | None:
    """The names of a shortest chain from a member to a contact, if there is only one of that length."""
    names = {one.key: one.name for one in firm.members} | {one.key: one.name for one in firm.contacts}
    known: dict[str, list[str]] = {}
    for one in firm.knows:
        pair = (one.member, one.contact) if one.member else (one.contact, one.other)
        known.setdefault(pair[0], []).append(pair[1])
        if not one.member:
            known.setdefault(pair[1], []).append(pair[0])
    paths: deque[tuple[str, ...]] = deque((member.key,) for member in firm.members)
    seen = {member.key for member in firm.members}
    while paths:
        path = paths.popleft()
        if path[-1] == target:
            return tuple(names[key] for key in path)
        for after in known.get(path[-1], []):
            if after not in seen:
                seen.add(after)
                paths.append((*path, after))
    return None


if __name__ == "__main__":
    made = list(all_cases(read_firm()))
    for code in ("en", "ru"):
        lines = [one.model_dump_json(exclude_defaults=True) + "\n" for one in made if one.language == code]
        (DATASETS / f"copilot.{code}.jsonl").write_text("".join(lines), encoding="utf-8")
