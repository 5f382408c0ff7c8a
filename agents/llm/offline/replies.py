"""Writes the reply to a burst: one part per thing that it wants, each sentence with what it rests on."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from agents.inbox.contract import Case, CaseEvidence, Doubt, DraftAnswer, HandOff, Sentence
from agents.llm.offline import documents, lookup, prices, slots
from agents.llm.offline.feedback import Wishes, read_feedback
from agents.llm.offline.intents import NOTHING_NEAR, Intent, Nearness, Part, read_burst
from agents.llm.offline.introductions import find_relation, is_offered
from agents.llm.offline.phrases import day, money, say
from agents.text import is_question
from core.languages import Language, language_of, stems

Item = TypeVar("Item")
# In per cent. Stages that come before the proposal stand below it, in our pipeline as in most.
_OFFERED_FROM = 50


@dataclass
class _Reply:
    """The reply as it grows; `topics` counts what the burst asks for."""

    case: Case
    language: Language
    wishes: Wishes
    parts: list[Part]
    sentences: list[Sentence] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    is_new_paragraph: bool = False

    def say(self, key: str, *evidence: int, **fields: str) -> None:
        self.add(say(self.language, key, **fields), *evidence)

    def add(self, text: str, *evidence: int) -> None:
        used = tuple(dict.fromkeys(evidence))
        self.sentences.append(Sentence(text=text, evidence=used, starts_paragraph=self.is_new_paragraph))
        self.is_new_paragraph = False

    def of(self, intent: Intent) -> list[Part]:
        return [part for part in self.parts if part.intent is intent]

    def source(self, part: Part) -> int:
        return self.case.new_messages[part.message].n


def write_reply(case: Case, near: Nearness = NOTHING_NEAR) -> DraftAnswer:
    """Answer everything in the burst that evidence answers, and say openly what it does not."""
    wishes = read_feedback(case.feedback)
    burst = [message.text for message in case.new_messages]
    heard = language_of(" ".join(burst), case.contact.language)
    parts = read_burst(burst, heard, near)
    reply = _Reply(case, wishes.language or heard, wishes, parts)
    _open(reply)
    greeted = len(reply.sentences)
    for write in _TOPICS:
        before = len(reply.sentences)
        reply.is_new_paragraph = before > greeted
        write(reply)
    reply.is_new_paragraph = len(reply.sentences) > greeted
    _follow(reply)
    if len(reply.sentences) == greeted:
        _nothing_asked(reply)
    if _is_stuck(reply, greeted):
        return DraftAnswer(language=heard, missing=tuple(reply.missing), hand_off=_asked_again(reply))
    return DraftAnswer(
        language=reply.language,
        sentences=tuple(reply.sentences),
        missing=tuple(reply.missing),
        doubts=tuple(reply.doubts),
        ignored_feedback=wishes.is_ignored,
    )


def _open(reply: _Reply) -> None:
    if reply.wishes.hides_greeting or (_wrote_today(reply.case) and not reply.of(Intent.GREETING)):
        return
    name = first_name(reply.case.contact.name)
    style = "formal" if reply.wishes.is_formal else "hello"
    if name:
        reply.say(f"opening.{style}", name=name)
    else:
        reply.say(f"opening.{style}_nameless")


def first_name(name: str) -> str:
    """The name to address somebody by, or nothing when it is no name (a nickname with digits, an emoji)."""
    first = name.split()[0] if name.split() else ""
    return first if re.fullmatch(r"[A-ZА-ЯЁÀ-Þ][^\W\d_]+(?:-[^\W\d_]+)?", first) else ""


def _wrote_today(case: Case) -> bool:
    return any(message.author == "us" and message.at.date() == case.now.date() for message in case.history)


def _interested(reply: _Reply) -> None:
    if not reply.of(Intent.INTERESTED):
        return
    source = reply.source(reply.of(Intent.INTERESTED)[0])
    reply.say("interested.good", source)
    if any(reply.of(intent) for intent in (Intent.PRICE, Intent.AVAILABILITY, Intent.MEETING)):
        return
    offer = _only(_offers(reply.case))
    if offer and not reply.wishes.hides_price:
        reply.say("interested.offer", offer.n, amount=_amount(offer, reply.language))
    if not reply.wishes.is_short:
        reply.say("interested.next")


def _objection(reply: _Reply) -> None:
    objections = [part for part in reply.of(Intent.OBJECTION) if not _is_reason_to_ask(part, reply)]
    if objections:
        text = " ".join(part.text for part in objections)
        reply.say(f"objection.{_kind_of_objection(text, reply.language)}", reply.source(objections[0]))


def _is_reason_to_ask(part: Part, reply: _Reply) -> bool:
    """Beside a question, a sentence that names no objection says why it is asked: "the basement has no signal"."""
    is_vague = _kind_of_objection(part.text, reply.language) == "declined"
    return is_vague and "?" in reply.case.new_messages[part.message].text


_OBJECTIONS: dict[str, tuple[str, ...]] = {
    "budget": ("budget", "afford", "frozen", "бюджет", "заморожен"),
    "competitor": ("competitor", "supplier", "vendor", "already", "another", "else", "конкурент", "поставщик", "уже",
                   "другую", "другого", "устраивает"),
    "expensive": ("expensive", "price", "cheaper", "high", "less", "pays", "дорого", "цена", "дешевле", "деньги",
                  "окупится"),
    "later": ("later", "now", "year", "spring", "time", "ready", "moment", "позже", "сейчас", "году", "весной", "готовы",
              "вернёмся", "неактуально", "актуально"),
    "think": ("think", "подумать", "подумаем", "convinced", "уверены"),
}  # fmt: skip


def _kind_of_objection(text: str, language: Language) -> str:
    tokens = set(stems(text))
    hits = {kind: len(tokens & set(stems(" ".join(marks)))) for kind, marks in _OBJECTIONS.items()}
    best = max(hits, key=lambda kind: hits[kind])
    return best if hits[best] else "declined"


def _price(reply: _Reply) -> None:
    asked = reply.of(Intent.PRICE)
    if not asked or reply.wishes.hides_price:
        return
    text = " ".join(part.text for part in asked)
    wanted = _quantity(reply, text)
    offers = _offers(reply.case)
    fitting = _first([offer for offer in offers if wanted and wanted.number in _numbers(offer)])
    before = len(reply.sentences)
    if fitting and wanted:
        reply.say(
            "price.for_quantity", fitting.n, quantity=wanted.text, amount=_amount(fitting, reply.language)
        )
    elif not wanted and (offer := _only(offers)):
        reply.say("price.current", offer.n, amount=_amount(offer, reply.language))
    if not _list_price(reply, text, wanted, has_offer=len(reply.sentences) > before) and not fitting:
        _unpriced(reply, asked[0], wanted, offers)
        return
    told = " ".join(sentence.text for sentence in reply.sentences[before:])
    if open_points := [name for name in slots.conditions(text) if name not in slots.conditions(told)]:
        names = [say(reply.language, f"conditions.{name}") for name in open_points]
        joined = say(reply.language, "price.condition_join").join(names)
        reply.say("price.condition_one", condition=joined)
        reply.missing += names


def _list_price(reply: _Reply, text: str, wanted: slots.Quantity | None, *, has_offer: bool) -> bool:
    """Tell the price on record: of a confirmed fact or of a document, the newer one where they differ."""
    number = wanted.number if wanted else None
    case, language = reply.case, reply.language
    rows = list(prices.rows_of(case))
    fitting = prices.choose(rows, text, number, language)
    fact = lookup.find_price(number, case, language)
    rival = next((row for row in fitting if fact and documents.differing(fact.sentence, row)), None)
    if fact and (rival is None or not _is_newer(case, rival.evidence.n, fact.n)):
        _tell(reply, fact)
        if rival is not None:
            _doubt(reply, fact.sentence, rival.evidence.label, rival.line)
        return True
    if fitting:
        _tell_rows(reply, fitting, text, wanted)
        if fact and rival is not None:
            _doubt(reply, reply.sentences[-1].text, _label(case, fact.n), fact.sentence)
    elif prose := documents.find_prose_price(text, number, case, language):
        _tell(reply, prose)
    elif not has_offer and number is None and (steps := documents.steps_of(rows, language)):
        reply.add(steps[1], steps[0].evidence.n)
        reply.say("price.how_many")
    else:
        return False
    return True


def _tell_rows(reply: _Reply, rows: list[prices.Row], text: str, wanted: slots.Quantity | None) -> None:
    for row in rows[:3]:
        number = wanted.number if wanted else None
        quantity = (wanted.text if row.language == language_of(text, "") else str(number)) if wanted else ""
        sentence = documents.sentence_of(row, quantity, number, slots.conditions(text))
        _tell(reply, lookup.Found(row.evidence.n, sentence, row.language))
    if len(rows) > 1:
        reply.say("price.which")


def _is_newer(case: Case, n: int, than: int) -> bool:
    """Whether one piece of evidence was written down after another, as far as both say when."""
    times = {evidence.n: _written_at(evidence) for evidence in case.evidence}
    return bool(times[n]) and bool(times[than]) and times[n] > times[than]


def _written_at(evidence: CaseEvidence) -> str:
    return evidence.details.get("updated_at") or evidence.details.get("recorded_at", "")


def _label(case: Case, n: int) -> str:
    return next(evidence.label for evidence in case.evidence if evidence.n == n)


def _doubt(reply: _Reply, told: str, label: str, other: str) -> None:
    """What was told is contradicted elsewhere: a person looks at it first."""
    value = next(iter(prices.money_in(told))).text
    reply.doubts.append(Doubt(value=value, text=f"{label}: {other}"[:400]))


def _quantity(reply: _Reply, text: str) -> slots.Quantity | None:
    """How many the price is asked for: in the question, else anywhere in the burst."""
    burst = " ".join(message.text for message in reply.case.new_messages)
    heard = language_of(burst, reply.case.contact.language)
    return _first(slots.quantities(text, heard)) or _first(slots.quantities(burst, heard))


def _unpriced(reply: _Reply, part: Part, wanted: slots.Quantity | None, offers: list[CaseEvidence]) -> None:
    """Nothing on record gives the price that was asked for: say what there is, and that the rest is open."""
    source = reply.source(part)
    offer = _only(offers)
    if wanted and offer:
        amount = _amount(offer, reply.language)
        own = _first(slots.quantities(offer.label, reply.language))
        if own:
            reply.say("price.other_quantity", offer.n, amount=amount, own=own.text)
            reply.say("price.unconfirmed", source, quantity=wanted.text)
        else:
            reply.say("price.current", offer.n, amount=amount)
            reply.say("price.covers", source, quantity=wanted.text)
        reply.missing.append(wanted.text)
    elif wanted:
        reply.say("price.none_quantity", source, quantity=wanted.text)
        reply.missing.append(wanted.text)
    elif len(offers) > 1:
        reply.say("price.several", *(offer.n for offer in offers))
    elif not offers:
        reply.say("price.none", source)
        reply.missing.append(part.text)


def _offers(case: Case) -> list[CaseEvidence]:
    """Open deals with an amount that has been offered, the latest first; before that it is only our guess."""
    return [
        evidence
        for evidence in case.evidence
        if evidence.kind == "deal"
        and evidence.details.get("outcome", "open") == "open"
        and int(evidence.details.get("amount_minor", "0")) > 0
        and int(evidence.details.get("probability", "0")) >= _OFFERED_FROM
    ]


def _numbers(offer: CaseEvidence) -> list[int]:
    return [int(number) for number in re.findall(r"\b\d+\b", offer.label)]


def _amount(offer: CaseEvidence, language: Language) -> str:
    return money(int(offer.details["amount_minor"]), offer.details.get("currency", "EUR"), language)


def _questions(reply: _Reply) -> None:
    """Everything else that is asked: about the product, terms, or anything."""
    asked = [
        part
        for part in reply.parts
        if part.intent is Intent.AVAILABILITY
        or (part.intent is Intent.OTHER and is_question(part.text, language_of(part.text, reply.language)))
    ]
    others = {part.intent for part in reply.parts} - {Intent.AVAILABILITY, Intent.OTHER, Intent.GREETING}
    is_quoted = bool(others) or len(asked) > 1
    unknown = 0
    for part in asked:
        found = lookup.find_answer(part.text, reply.case, reply.language) or documents.find_line(
            part.text, reply.case, reply.language
        )
        if found:
            _tell(reply, found)
            continue
        reply.missing.append(part.text)
        key = "unknown_more" if unknown else "unknown_quoted" if is_quoted else "unknown"
        fields = {"question": _clean_question(part.text)} if is_quoted else {}
        reply.say(f"answer.{key}", reply.source(part), **fields)
        unknown += 1


def _tell(reply: _Reply, found: lookup.Found) -> None:
    if any(found.sentence in sentence.text for sentence in reply.sentences):
        return
    if found.language != reply.language:
        reply.say("answer.other_language", found.n, sentence=found.sentence)
    elif found.said_at is None:
        reply.say("answer.fact", found.n, sentence=found.sentence)
    else:
        date = day(found.said_at, reply.language)
        reply.say("answer.said_before", found.n, date=date, sentence=found.sentence)


def _clean_question(text: str) -> str:
    """The question without its joining words, short enough to be said again."""
    bare = re.sub(r"^(?:(?:and|but|also|so|а|и|но|ещё|еще)\b,?\s*)+", "", text.strip(), flags=re.IGNORECASE)
    bare = bare.rstrip("?!. ") or text.strip()
    return bare if len(bare) <= 80 else f"{bare[:77].rstrip()}…"


def _meeting(reply: _Reply) -> None:
    asked = reply.of(Intent.MEETING)
    if not asked:
        return
    text = " ".join(part.text for part in asked)
    time = slots.when(text, reply.language)
    if time:
        noun = say(reply.language, f"meeting.{_kind_of_meeting(text)}")
        reply.say("meeting.named", reply.source(asked[0]), noun=noun, when=time)
    else:
        reply.say("meeting.open", reply.source(asked[0]))


def _kind_of_meeting(text: str) -> str:
    if re.search(r"\bdemo|\bshow|\bpresent|показ|покаж|демо", text, re.IGNORECASE):
        return "demo"
    if re.search(r"\bmeet|\bvisit|\boffice|встре|приех|приедете", text, re.IGNORECASE):
        return "meeting"
    return "call"


def _introduction(reply: _Reply) -> None:
    asked = reply.of(Intent.INTRODUCTION)
    if not asked:
        return
    text = " ".join(part.text for part in asked)
    if is_offered(text):
        reply.say("introduction.offered", reply.source(asked[0]))
        return
    relation = find_relation(reply.case, slots.names(text, reply.language))
    if relation is None:
        reply.say("introduction.none", reply.source(asked[0]))
        reply.missing.append(asked[0].text)
    elif relation.details.get("via"):
        key = "path" if relation.details.get("hops") == "1" else "path_more"
        reply.say(f"introduction.{key}", relation.n, via=relation.details["via"])
    else:
        reply.say("introduction.known", relation.n, person=relation.details.get("person") or relation.label)


def _wrong_person(reply: _Reply) -> None:
    told = reply.of(Intent.WRONG_PERSON)
    if told:
        text = " ".join(part.text for part in told)
        is_referred = re.search(
            r"\b(?:talk to|contact|write to|ask|speak to|responsible for|handles)\b|обратитесь|пишите|спросите|занимается|отвечает",
            text,
            re.IGNORECASE,
        )
        names = re.findall(r"(?<=\s)[A-ZА-ЯЁ][^\W\d_]{2,}", text)
        reply.say(f"wrong_person.{'referred' if is_referred and names else 'ask'}", reply.source(told[0]))


def _files(reply: _Reply) -> None:
    named = [(message.n, name) for message in reply.case.new_messages for name in message.files]
    if len(named) == 1:
        reply.say("file.one", named[0][0], name=named[0][1])
    elif named:
        reply.say("file.many", *(n for n, _ in named))


def _follow(reply: _Reply) -> None:
    """What the colleague's feedback adds."""
    wishes = reply.wishes
    if wishes.add:
        reply.add(wishes.add)
    if wishes.call:
        time = slots.when(reply.case.feedback, language_of(reply.case.feedback, reply.language))
        is_same = language_of(reply.case.feedback, reply.language) == reply.language
        if time and is_same:
            reply.say("meeting.suggest", when=time)
        else:
            reply.say("meeting.suggest_open")
    if wishes.is_friendly:
        reply.say("closing.friendly")


def _nothing_asked(reply: _Reply) -> None:
    reply.is_new_paragraph = False
    last = reply.case.new_messages[-1].n
    if reply.of(Intent.GREETING) and not reply.of(Intent.OTHER):
        reply.say("opening.help")
    elif not any(message.author == "us" for message in reply.case.history):
        reply.say("opening.thanks", last)
    else:
        reply.say("opening.news", last)


def _is_stuck(reply: _Reply, greeted: int) -> bool:
    """Nothing could be answered, and that was said already: a second time does not help anybody."""
    said = len(reply.sentences) - greeted
    is_all_missing = bool(reply.missing) and said <= len(reply.missing)
    return is_all_missing and not reply.case.feedback and lookup.said_unknown(reply.case, reply.language)


def _asked_again(reply: _Reply) -> HandOff:
    name = reply.case.contact.name
    return HandOff(
        reason="missing_knowledge",
        summary=say(reply.language, "handoff.again", name=name, quote=reply.missing[0][:200]),
        next_step=say(reply.language, "handoff.again_next"),
    )


def _first(found: list[Item]) -> Item | None:
    return found[0] if found else None


def _only(found: list[Item]) -> Item | None:
    return found[0] if len(found) == 1 else None


_TOPICS: tuple[Callable[[_Reply], None], ...] = (
    _interested, _objection, _price, _questions, _meeting, _introduction, _wrong_person, _files,
)  # fmt: skip
