"""Statements of a contact about themselves and their company, by the grammar of short messages in both languages."""

import re
from collections.abc import Sequence
from datetime import datetime

from agents.llm.offline.memory.promises import due_of
from agents.memory_writer.contract import FoundFact, Known, Line
from agents.text import is_question, sentences
from core.languages import language_of

_I = re.IGNORECASE
_PEOPLE_EN = (
    r"(?:people|employees|staff|persons|colleagues|of us|workers|drivers|engineers|developers|managers)"
)
_PEOPLE_RU = (
    r"(?:человек\w*|сотрудник\w*|работник\w*|люд\w+|водител\w+|инженер\w*|разработчик\w*|менеджер\w*)"
)
_MONEY = r"(?:[€$£₽]\s?\d|\d[\d\s.,]*\s?(?:[€$£₽k]|eur\b|usd\b|euros?\b|dollars?\b|руб\w*|тыс\w*|млн\w*|million|thousand|к\b))"

# Each predicate with what says it, in the order in which a sentence is tried; one sentence may say several things.
_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "role",
        re.compile(
            r"\bI(?:'|’)?m (?:now )?(?:the |a |an |our )?(?:new )?(?:\w+ ){0,3}?(?:ceo|cto|cfo|coo|cio|founder|co-founder|owner|director"
            r"|head|manager|lead|buyer|engineer|administrator|accountant|assistant|president|vp)\b"
            r"|\bI (?:am|work as) (?:now )?(?:the |a |an |our )?(?:new )?(?:\w+ ){0,3}?(?:ceo|cto|cfo|coo|cio|founder|co-founder|owner|director|head"
            r"|manager|lead|buyer|engineer|administrator|accountant|assistant|president|vp)\b"
            r"|\bI(?:'|’)?m (?:responsible for|in charge of)|\bI (?:am responsible for|am in charge of|run|head|lead) (?:the |our )?\w+"
            r"|\bя (?:теперь |здесь |тут )?(?:работаю )?(?:\w+ )?(?:директор\w*|руковод\w+|начальник\w*|менеджер\w*|владел\w+|основател\w+|бухгалтер\w*"
            r"|инженер\w*|закупщи\w+|логист\w*|администратор\w*|собственник\w*|заместител\w+)"
            r"|\bя (?:отвечаю за|занимаюсь|возглавляю|руковожу|веду) \w+",
            _I,
        ),
    ),
    (
        "company_size",
        re.compile(
            rf"\bwe(?:'|’)?(?:re| are| have|ve)\b[^.?!]{{0,30}}?\b\d[\d ,]*\s+(?:\w+ )?{_PEOPLE_EN}|\b\d[\d ,]*\s+(?:\w+ )?{_PEOPLE_EN}\s+(?:work|in (?:the|our))"
            rf"|\b(?:company|team|staff) of (?:about |around )?\d+"
            rf"|(?:у нас|в компании|в штате|в отделе|в команде|нас)\b[^.?!]{{0,25}}?\b\d[\d ]*\s*(?:\w+ )?{_PEOPLE_RU}",
            _I,
        ),
    ),
    (
        "budget",
        re.compile(
            rf"\bbudget\b[^.?!]{{0,60}}?{_MONEY}|{_MONEY}[^.?!]{{0,25}}\bbudget|\bwe can (?:spend|pay)[^.?!]{{0,25}}{_MONEY}"
            rf"|\bno budget\b|\bбюджет\w*\b[^.?!]{{0,60}}?{_MONEY}|{_MONEY}[^.?!]{{0,25}}\bбюджет|можем потратить[^.?!]{{0,25}}{_MONEY}"
            r"|\bбюджета\b[^.?!]{0,25}\bнет\b",
            _I,
        ),
    ),
    (
        "uses",
        re.compile(
            r"\bwe(?:'|’)?(?:re|ve| are| have)?\s*(?:currently |now |already |still |mostly |have been )*(?:use|using|run on|running on|work with|working with|work in"
            r"|moved to|switched to|migrated to)\s+\w+|\bwe(?:'|’)?re on [A-Z0-9]\w+|\band (?:run on|work with|use) [A-Z0-9]\w+|\bwe keep (?:everything|it all|our \w+) in \w+"
            r"|(?:мы |сейчас |у нас )(?:сейчас |пока |уже |давно |всё |все |теперь )*(?:использу\w+|работаем (?:в|с|на)|пользуемся|вед[её]м (?:вс[её] |учёт |учет )?в|перешли на"
            r"|переехали (?:на|в)|стоит|сидим на) \w+"
            r"|\b(?:работаем (?:в|на)|перешли на|переехали на|пользуемся|вед[её]м вс[её] в) (?-i:[A-ZА-Я0-9a-z]*[A-Z0-9]\w*|1С|Битрикс\w*|Эксел\w*)",
            _I,
        ),
    ),
    (
        "decision_maker",
        re.compile(
            r"\b(?:decision|final word|approval)\b[^.?!]{0,30}\b(?:is|made|comes|lies|up to|with|by|belongs)\b|\b(?:our|the) (?:ceo|cfo|cto|board|director|owner|head of \w+)\s+"
            r"(?:decides|signs|approves|has to (?:approve|sign|agree)|makes)|\b[A-Z]\w+ (?:decides|signs (?:off|it)|approves|has the final)"
            r"|\bреш(?:ение|ения)\b[^.?!]{0,30}\b(?:принима\w+|за)\b|\b(?:реша|подписыва|утвержда|согласовыва)ет\b|\bпоследнее слово\b",
            _I,
        ),
    ),
    (
        "deadline",
        re.compile(
            r"\b(?:we|i) (?:need|want|have|must|would like|hope|plan)\b[^.?!]{0,60}\b(?:by|before|until|no later than|starting|from|in|this)\s+(?:the end of |early |mid-?|late |next |this |"
            r"the (?:first|second|third|fourth) )?(?:january|february|march|april|may|june|july|august|september|october|november|december|q[1-4]|quarter|year|spring|summer|autumn|"
            r"fall|winter|christmas|new year|monday|month)|\b(?:deadline|go[- ]live|launch|roll-?out)\b[^.?!]{0,25}\b(?:is|in|on|by|planned)\b"
            r"|\b(?:нужно|надо|хотим|хотели бы|планируем|должны|запускаем\w*|стартуем)\b[^.?!]{0,60}\b(?:до|к|с|в|не позднее|со)\s+(?:конца |начала |середины |концу |началу |начале |конце |середине |"
            r"следующе\w+ |эт\w+ |перво\w+ |второ\w+ |треть\w+ |четв[её]рт\w+ )*(?:январ\w+|феврал\w+|март\w*|апрел\w+|ма[яею]\b|июн\w+|июл\w+|август\w*|сентябр\w+|октябр\w+|ноябр\w+|декабр\w+|квартал\w*|"
            r"год[ау]?\b|весн\w+|весной|лет[ау]\b|осен\w+|зим\w+|нов\w+ год\w*|месяц\w*)|\bсрок\w*\b[^.?!]{0,20}\bдо\b",
            _I,
        ),
    ),
    (
        "prefers",
        re.compile(
            r"\b(?:please |better |best )(?:call|write|text|message|email|reach|contact)\b[^.?!]{0,40}\b(?:after|before|between|in the|on|by|via|in|not)\b|\bI(?:'|’)?(?:d)? (?:would )?prefer\b"
            r"|\b(?:don(?:'|’)t|do not|never) (?:call|phone|ring)\b|\bI (?:only |always |rarely )?(?:read|check|answer)\b[^.?!]{0,30}\b(?:email|mail|telegram|whatsapp|phone|messages)"
            r"|\b(?:email|telegram|whatsapp|phone|mail) (?:is|works) (?:better|best|easier|fine)"
            r"|\b(?:лучше|удобнее|удобней|проще|предпочитаю|предпочитаем)\b[^.?!]{0,40}\b(?:писа\w+|пишите|звони\w+|почт\w+|телеграм\w*|ватсап\w*|вечером|утром|днём|днем|после|до|созвон\w*|письм\w+|голосом)"
            r"|\b(?:звоните|пишите|набирайте)\b[^.?!]{0,30}\b(?:после|до|только|с \d|в первой|во второй|на почту|в телеграм\w*|на рабочий)|\bне звоните\b",
            _I,
        ),
    ),
    (
        "location",
        re.compile(
            r"\b(?i:we(?:'|’)?re|we are|our (?:head )?(?:office|warehouse|team|company|plant|factory|headquarters)s? (?:is|are|sits?))\s+(?i:now |all )?(?i:based |located |situated )?in [A-Z]\w+"
            r"|\b(?i:we (?:sit|operate|moved our office) (?:in|to)) [A-Z]\w+"
            r"|\b(?i:мы|наш (?:главный )?(?:офис|склад|завод|цех)|наша (?:компания|команда)|офис|склад|производство|завод)\b\s+(?i:сейчас |теперь |у нас |сам )?"
            r"(?i:находи\w+ |расположен\w* |сидим |базиру\w+ )?(?:в|во|под) [А-ЯЁ]\w+"
            r"|\b(?i:мы из) [А-ЯЁ]\w+",
        ),
    ),
    (
        "away",
        re.compile(
            r"\bI(?:'|’)?(?:ll| will|m| am)(?: be)?\s+(?:away|out of (?:the )?office|on (?:vacation|holiday|leave|a business trip)|travelling|back on|off)\b"
            r"|\b(?:я |буду |сейчас )(?:в отпуске|в командировке|на больничном|в отъезде)\b|\bв отпуске (?:до|с)\b|\bуезжаю\b|\bухожу в отпуск\b",
            _I,
        ),
    ),
    (
        "needs",
        re.compile(
            r"\b(?:we|i)(?:'|’)?(?:d| would)? (?:need|want|are looking for|like|require|plan to (?:buy|order))\b[^.?!]{0,40}?\b\d{1,6} (?!(?:am|pm|days?|weeks?|hours?|minutes?|months?|january)\b)[a-z]\w+"
            r"|\b(?:нам |мне )?(?:нужн\w+|надо|потребу\w+|требу\w+|хотим|планируем (?:купить|взять|заказать)|ищем)\b[^.?!]{0,40}?\b\d{1,6} (?!(?:час|дн|ден|недел|минут|месяц|январ|феврал|март|апрел|мая|июн|июл|август|сентябр|октябр|ноябр|декабр))[а-яё]{3,}",
            _I,
        ),
    ),
)
# What might be, is asked of us, was once, or is somebody else's, is no fact.
_NO_FACT = re.compile(
    r"\b(?:if|unless|suppose|imagine|maybe|perhaps|might|would be nice|used to|not sure|no idea|say,|for example|e\.g\.|a friend|competitors?|clients? of ours)\b"
    r"|\b(?:если|допустим|представьте|может быть|возможно|наверное|раньше|когда-то|не уверен\w*|не знаю|например|знаком\w+|конкурент\w*|якобы|вроде бы)\b",
    _I,
)
_NO_LONGER = re.compile(
    r"\b(?:no longer|not any ?more|don(?:'|’)t|do not|больше не|уже не|не использу\w+)\b", _I
)
# Of these a contact has one at a time: the newer statement takes the place of the older.
_SINGLE = frozenset(
    {
        "role",
        "company_size",
        "budget",
        "deadline",
        "decision_maker",
        "location",
        "away",
        "uses",
        "needs",
        "prefers",
    }
)
_CHANGED = re.compile(
    r"\b(?:now|moved|switched|changed|instead|actually|no longer|increased|cut|raised|new|correction|update)\b"
    r"|\b(?:теперь|переехал\w*|перешли|сменил\w*|вместо|на самом деле|увеличил\w*|урезал\w*|сократил\w*|нов\w+|поправлюсь|изменил\w*|уточн\w+)\b",
    _I,
)
# What of these changed holds from now on even without a word that says so.
_ALWAYS_REPLACED = frozenset({"role", "company_size", "budget", "deadline", "location", "away"})
LONGEST = 300


def facts_of(line: Line, known: Sequence[Known]) -> list[FoundFact]:
    """What a message of the contact says, each statement once."""
    found: list[FoundFact] = []
    for sentence in sentences(line.text):
        language = language_of(sentence, "en")
        if is_question(sentence, language) or _NO_FACT.search(sentence):
            continue
        predicates = [name for name, pattern in _RULES if pattern.search(sentence)]
        if "uses" in predicates and _NO_LONGER.search(sentence):
            predicates.remove("uses")
        found += [
            _fact(line, name, sentence, known)
            for name in predicates
            if name not in {one.predicate for one in found}
        ]
    return found


def _fact(line: Line, predicate: str, sentence: str, known: Sequence[Known]) -> FoundFact:
    is_over = predicate in _ALWAYS_REPLACED or (predicate in _SINGLE and _CHANGED.search(sentence))
    older = next((one.n for one in known if one.predicate == predicate and is_over), None)
    return FoundFact(
        message=line.n,
        predicate=predicate,
        text=" ".join(sentence.split())[:LONGEST],
        confidence=0.7,
        replaces=older,
        holds_until=_end_of_absence(sentence, line.at) if predicate == "away" else None,
    )


def _end_of_absence(sentence: str, at: datetime) -> datetime | None:
    return due_of(sentence, at)
