"""What was promised, and what somebody wrote about something."""

import re
from collections.abc import Generator

from agents.copilot.contract import Question, Returned
from agents.llm.offline.copilot.finding import contact_of
from agents.llm.offline.copilot.naming import names_in
from agents.llm.offline.copilot.people import missing
from agents.llm.offline.copilot.plans import Plan, Record, Want, mark, records, text
from agents.llm.offline.copilot.saying import author, date_of, quoted, say
from agents.text import content_stems, is_question, sentences
from core.languages import language_of, stems

_PROMISE = re.compile(
    r"\b(?:(?:we|i)(?:'ll| will| shall| can have|'re going to| am going to)|will (?:send|be|come|have|get|check|call|let)"
    r"|promise\w*|by (?:monday|tuesday|wednesday|thursday|friday|tomorrow|the end of)|let you know)\b"
    r"|\b(?:пришл(?:ю|ем|ём)|отправ(?:лю|им)|вышл(?:ю|ем)|сдела(?:ю|ем)|подготов(?:лю|им)|верн(?:усь|емся|ёмся)|уточн(?:ю|им)"
    r"|позвон(?:ю|им)|сообщ(?:у|им)|напиш(?:у|ем)|обеща\w+|да(?:м|дим) знать|постара\w+|проверю|проверим|перезвон\w+"
    r"|подпиш(?:у|ем)|оплат(?:им|ю)|ответ(?:им|лю)|буд(?:ет|ем|у) готов\w*)\b",
    re.IGNORECASE,
)
_THEIRS = re.compile(r"\b(?:they|he|she|did \w+ promise)\b|\bон[аи]?\b", re.IGNORECASE)
_MOST, _READ = 3, 100
_TOPIC = re.compile(
    r"\b(?:about|regarding|concerning|on the subject of|про|насчет|насчёт|по поводу|об?|о)\s+(?P<topic>.+?)\s*\??$",
    re.IGNORECASE,
)


def promised(question: Question) -> Plan:
    """The newest promises in what was written with somebody, ours and theirs."""
    contact = yield from contact_of(question)
    if contact is None:
        return [missing(question)]
    messages = yield from _messages(contact.id)
    if not messages:
        return [say(question, "said.no_talk", contact=contact.name)]
    found = []
    for message in reversed(messages):
        promises = [one for one in sentences(text(message, "text")) if _is_promise(one)]
        if promises:
            found.append(_told(question, "said.promised_in", message, " ".join(promises), contact.name))
        if len(found) == (1 if _wants_last(question) else _MOST):
            break
    return found or [say(question, "said.no_promise", contact=contact.name)]


def _is_promise(sentence: str) -> bool:
    return bool(_PROMISE.search(sentence)) and not is_question(sentence, language_of(sentence, "en"))


def _wants_last(question: Question) -> bool:
    return bool(re.search(r"\blast\b|\blatest\b|последн", question.question, re.IGNORECASE))


def said(question: Question) -> Plan:
    """What somebody wrote about something; without a topic, what came last."""
    topic = _topic(question)
    contact = yield from contact_of(question)
    if contact is None:
        return (yield from recalled(question)) if topic else [missing(question)]
    messages = yield from _messages(contact.id)
    if not messages:
        return [say(question, "said.no_talk", contact=contact.name)]
    if not topic:
        return [_told(question, "said.last", messages[-1], text(messages[-1], "text"), contact.name)]
    near = _near(topic, messages)
    if near:
        return [_told(question, "said.about", one, text(one, "text"), contact.name) for one in near]
    asked = yield Want("recall_anywhere", {"question": question.question[:2000], "contact_id": contact.id})
    return _recalled(question, records(asked, "found")) or [
        say(question, "said.nothing", contact=contact.name)
    ]


def recalled(question: Question) -> Plan:
    """What was said or written anywhere about the words of the question."""
    asked = yield Want("recall_anywhere", {"question": question.question[:2000]})
    return _recalled(question, records(asked, "found")) or [say(question, "said.nowhere")]


def _recalled(question: Question, found: list[Record]) -> list[str]:
    return [
        say(
            question,
            "said.anywhere",
            label=text(one, "label"),
            quote=quoted(question, text(one, "text")),
            mark=mark(one),
        )
        for one in found[:_MOST]
    ]


def _messages(contact_id: str) -> Generator[Want, Returned, list[Record]]:
    """Everything that was written with a contact, oldest first."""
    listed = yield Want("list_conversations", {"contact_id": contact_id})
    found: list[Record] = []
    for conversation in records(listed, "conversations")[:3]:
        read = yield Want("read_conversation", {"conversation_id": text(conversation, "id"), "last": _READ})
        found += [
            one for one in records(read, "messages") if text(one, "status") not in ("cancelled", "failed")
        ]
    return sorted(found, key=lambda one: text(one, "occurred_at"))


def _topic(question: Question) -> str:
    """What the question is about beside whom."""
    found = _TOPIC.search(question.question)
    topic = found["topic"] if found else ""
    for name in names_in(question):
        topic = topic.replace(name, " ")
    return topic if content_stems(topic, question.language) else ""


def _near(topic: str, messages: list[Record]) -> list[Record]:
    """The newest messages that share the most words with a topic."""
    wanted = content_stems(topic, language_of(topic, "en"))
    scored = [
        (len(wanted & set(stems(text(message, "text")))), place) for place, message in enumerate(messages)
    ]
    best = max((score for score, _ in scored), default=0)
    if best == 0 or best < len(wanted) / 2:
        return []
    places = [place for score, place in scored if score == best]
    return [messages[place] for place in reversed(places[-_MOST:])]


def _told(question: Question, key: str, message: Record, words: str, contact: str) -> str:
    return say(
        question,
        key,
        day=date_of(question, text(message, "occurred_at")),
        author=author(question, message, contact),
        contact=contact,
        quote=quoted(question, words),
        mark=mark(message),
    )
