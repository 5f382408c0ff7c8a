"""Promises with a time, and what shows that one was kept, by the grammar of short messages in both languages."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from agents.llm.offline.copilot.dates import day_of, has_clock
from agents.memory_writer.contract import FoundPromise, KeptPromise, Line, OpenPromise
from agents.text import content_stems, is_question, sentences
from core.languages import language_of

_I = re.IGNORECASE
_DAY_ENDS = 18
_DO_EN = (
    r"(?:send|share|forward|prepare|get back|come back|write|call|ring|email|mail|reply|respond|answer|check|confirm|let you know|update|deliver|finish|sign|pay|transfer|order|ship|"
    r"book|schedule|set up|follow up|provide|give you|bring|show|discuss|talk|decide|review|look|have (?:it|the|an|your|a)|be in touch|upload|fix|arrange|complete|return|invite|"
    r"introduce|ask|find out|clarify|submit|draft|make|do|post|drop|ping|approve|settle|install|start|launch|test|try)"
)
_WILL_EN = re.compile(
    rf"\b(?:I|we)(?:'|’)(?:ll|m going to|re going to)\s+(?:\w+\s+){{0,2}}?{_DO_EN}|\b(?:I|we) (?:will|shall|am going to|are going to|promise to|plan to)\s+(?:\w+\s+){{0,2}}?{_DO_EN}"
    rf"|^(?:will|going to)\s+(?:\w+\s+)?{_DO_EN}|\blet me {_DO_EN}|\b(?:you(?:'|’)ll|you will|you shall) (?:have|get|receive)\b|\bexpect (?:it|the|our|my|an)\b"
    r"|\b(?:offer|quote|contract|invoice|proposal|documents?|price list|report|payment|money|answer|it) will (?:be|reach|arrive|come|follow)\b|\bconsider it done\b",
    _I,
)
_DO_RU = (
    r"(?:пришл[юё]м?|пришлем|отправ(?:лю|им)|вышл(?:ю|ем)|скину|скинем|подготов(?:лю|им)|сдела(?:ю|ем)|перезвон(?:ю|им)|позвон(?:ю|им)|набер(?:у|[её]м)|верн(?:усь|[её]мся)|"
    r"сообщ(?:у|им)|дам(?:\s+знать)?|дадим|уточн(?:ю|им)|подтверд(?:им|ю)|подтвержу|напиш(?:у|ем)|отвеч(?:у|у)|ответ(?:им|ю)|подпиш(?:у|ем)|оплат(?:им|ю)|оплач(?:у|иваем)|перевед(?:у|[её]м)|передам|"
    r"передадим|согласу(?:ю|ем)|обсу(?:жу|дим)|реш(?:у|им)|покаж(?:у|ем)|выстав(?:лю|им)|оформ(?:лю|им)|закаж(?:у|ем)|привез(?:у|[её]м)|достав(?:лю|им)|отгруз(?:им|жу)|провер(?:ю|им)|посмотр(?:ю|им)|"
    r"посчита(?:ю|ем)|рассчита(?:ю|ем)|соберу|собер[её]м|созвонимся|встретимся|познаком(?:лю|им)|поделюсь|поделимся|загруж(?:у|им)|исправ(?:лю|им)|запуст(?:им|лю|ю)|назнач(?:у|им)|обнов(?:лю|им)|"
    r"внес(?:у|[её]м)|закро(?:ю|ем)|законч(?:у|им)|доделаю|доделаем|переда(?:м|дим)|составлю|составим|попрошу|узна(?:ю|ем)|свяж(?:усь|емся)|отпиш(?:усь|емся)|уведомлю|направ(?:лю|им)|"
    r"пришл[её]м|будет готово|будут готовы|будет у вас|постараюсь|займусь|начн(?:у|[её]м)|предоставлю|предоставим|верну|подпишем)"
)
_WILL_RU = re.compile(
    rf"(?<!\w){_DO_RU}(?!\w)|\bбуд(?:у|ем) (?:готов\w*|держать|звонить|писать)|\bобеща(?:ю|ем)\b|\b(?:счёт|счет|договор|кп|предложение|документы|оплата|деньги|ответ)\b[^.?!]{{0,20}}\b(?:будет|будут|придёт|придет|уйдёт|уйдет|поступит)\b",
    _I,
)
# Not bound: a condition, a refusal, somebody else's doing, a mere possibility, or what is over.
_NOT = re.compile(
    r"\b(?:if|unless|in case|once you|when you|as soon as you|after you|won(?:'|’)t|will not|can(?:'|’)t|cannot|not be able|might|may be able|maybe|perhaps|would|could|unlikely|try to|hope|not going to|no promises)\b"
    r"|\b(?:если|когда вы|как только вы|после того как вы|не смогу|не сможем|не получится|вряд ли|может быть|возможно|наверное|вероятно|бы|надеюсь|не обещаю|не буду|не будем|не успею|не успеем|не пришл\w+|не отправ\w+|не позвон\w+)\b",
    _I,
)
_END_OF_WEEK = re.compile(
    r"\b(?:end of (?:the|this) week|this week|later this week)\b|\b(?:конц[ауе] (?:этой )?недели|на этой неделе|на неделе)\b",
    _I,
)
_NEXT_WEEK = re.compile(r"\b(?:next week)\b|\bследующей недел[еюи]\b", _I)
_BEGIN = re.compile(r"\b(?:early|beginning|start) (?:of )?next week|\bв начале следующей недели", _I)
_TODAY = re.compile(
    r"\b(?:today|tonight|this (?:afternoon|evening|morning)|(?:by )?(?:the )?end of (?:the |my )?(?:working |business )?day|eod|by noon|before lunch|after lunch|shortly after lunch)\b"
    r"|\b(?:сегодня|до конца (?:рабочего )?дня|к концу дня|к вечеру|вечером|до вечера|до обеда|к обеду|после обеда|днём|днем)\b",
    _I,
)
_NOON = re.compile(r"\b(?:(?:by|before) noon|(?:by|before) lunch|до обеда|к обеду)\b", _I)
_EVENING = re.compile(r"\b(?:tonight|this evening)\b|\bвечером\b", _I)
_HOURS = re.compile(
    r"\b(?:in|within) (?:the next )?(?:(\d{1,2}|an?|one|two|three|a couple of) )?(hours?|half an hour|minutes?)|\bin half an hour\b|\b(?:через|в течение) (?:(\d{1,2}|пол|пару|два|три) ?)?(час\w*|полчаса|минут\w*)",
    _I,
)
_DAYS = re.compile(
    r"\b(?:within|in) (?:the next )?(\d{1,2}|a couple of|a few|two|three|one) (?:business |working )?days?\b|\b(?:в течение|через) (\d{1,2}|пары|пару|двух|два|трёх|трех|три|нескольких|одного) (?:рабочих )?дн\w*|\bв течение дня\b",
    _I,
)
_MONTH_END = re.compile(
    r"\b(?:end of (?:the|this) month|this month)\b|\bконц[ауе] (?:этого )?месяца\b|\bв этом месяце\b", _I
)
_TIME_ONLY = re.compile(
    r"\b(?:by|at|before|до|к|в)\s+\d{1,2}(?:[:.]\d{2})?\s*(?:am|pm|o(?:'|’)clock|ч\b|час\w*|:\d{2})?", _I
)
_COUNTS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "a couple of": 2, "a few": 3, "пол": 1, "пару": 2, "пары": 2, "два": 2, "двух": 2, "три": 3,
    "трёх": 3, "трех": 3, "нескольких": 3, "одного": 1,
}  # fmt: skip


def promises_of(line: Line) -> list[FoundPromise]:
    """The sentences of a message in which its author binds themselves to a time."""
    found = []
    for sentence in sentences(line.text):
        if _is_asked(sentence) or _NOT.search(sentence):
            continue
        if not (_WILL_EN.search(sentence) or _WILL_RU.search(sentence)):
            continue
        due_at = due_of(sentence, line.at)
        if due_at is not None and due_at > line.at:
            found.append(FoundPromise(message=line.n, quote=" ".join(sentence.split()), due_at=due_at))
    return found


def _is_asked(sentence: str) -> bool:
    """«Will send it tonight.» begins as questions do and is none."""
    is_bare = sentence.lower().startswith(("will ", "going to ")) and not sentence.rstrip(" )").endswith("?")
    return not is_bare and is_question(sentence, language_of(sentence, "en"))


def due_of(sentence: str, at: datetime) -> datetime | None:
    """The moment by which what a sentence names is due, seen from `at`; a day without an hour ends at 18:00."""
    lowered = sentence.lower().replace("ё", "е")
    evening = at.replace(hour=_DAY_ENDS, minute=0, second=0, microsecond=0)
    if hours := _HOURS.search(lowered):
        return at + _span(hours)
    if days := _DAYS.search(lowered):
        return evening + timedelta(days=_count(days[1] or days[2]) if days[1] or days[2] else 0)
    if _END_OF_WEEK.search(lowered):
        return _friday(evening)
    if _NEXT_WEEK.search(lowered) and not _names_a_day(lowered, at):
        monday = evening + timedelta(days=7 - evening.weekday())
        return monday if _BEGIN.search(lowered) else _friday(monday)
    if _MONTH_END.search(lowered):
        return (evening.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    if day := day_of(lowered, at):
        return day if has_clock(lowered) else _hour_of(lowered, day)
    if _TODAY.search(lowered):
        return _later(_hour_of(lowered, at), at)
    if _TIME_ONLY.search(lowered) and has_clock(lowered):
        named = day_of(f"today {lowered}", at)
        return None if named is None else _later(named, at)
    return None


def _names_a_day(lowered: str, at: datetime) -> bool:
    without = _NEXT_WEEK.sub(" ", lowered)
    return day_of(without, at) is not None


def _hour_of(lowered: str, day: datetime) -> datetime:
    hour = 13 if _NOON.search(lowered) else 21 if _EVENING.search(lowered) else _DAY_ENDS
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


def _later(due_at: datetime, at: datetime) -> datetime:
    """What is promised for today after the working day is over is meant for its end."""
    return due_at if due_at > at else at.replace(hour=23, minute=59, second=0, microsecond=0)


def _friday(evening: datetime) -> datetime:
    """The Friday of this week; at the weekend, the next one."""
    return evening + timedelta(days=(4 - evening.weekday()) % 7)


def _span(found: re.Match[str]) -> timedelta:
    unit = found[2] or found[4] or ""
    text = found[0]
    if "half" in text or "полчаса" in text:
        return timedelta(minutes=30)
    count = _count(found[1] or found[3] or "1")
    return timedelta(minutes=count) if unit.startswith(("minute", "минут")) else timedelta(hours=count)


def _count(text: str) -> int:
    return int(text) if text.isdigit() else _COUNTS.get(text.strip(), 1)


# kept -------------------------------------------------------------------------------------------------------------
_DONE = re.compile(
    r"\b(?:attached|attaching|here (?:is|are|it is|you go|comes)|here(?:'|’)s|as promised|as agreed|just sent|have sent|(?:I|we)(?:'|’)ve sent|I sent|sent (?:it|you|the)|(?:is|are) (?:done|ready|signed|paid)"
    r"|have (?:paid|signed|confirmed|called|checked)|paid (?:it|the)|signed (?:it|the)|confirmed|thanks? (?:you )?for (?:the|your) (?:call|offer|quote|contract|documents?|proposal|invoice|price list|meeting)"
    r"|(?:got|received) (?:the|your|it)|checked)\b"
    r"|\b(?:прикреп\w+|прилага\w+|во вложении|вот (?:наше |ваше |обещанн\w+ )?\w+|как (?:и )?обеща\w+|как договаривались|отправил\w*|выслал\w*|прислал\w*|скинул\w*|направил\w*|высылаю|отправляю|оплатил\w*|подписал\w*|"
    r"подтвержда\w+|уточнил\w*|проверил\w*|готово|готов\w? (?:договор|счёт|счет|кп)|получил\w*|спасибо за (?:звонок|предложение|кп|договор|счёт|счет|документы|прайс|встречу|созвон)|созвонились)\b",
    _I,
)
_NOT_DONE = re.compile(
    r"\b(?:not|haven(?:'|’)t|hasn(?:'|’)t|didn(?:'|’)t|still|yet|will|n(?:'|’)t)\b|\b(?:не|ещё|еще|пока)\b",
    _I,
)
_LITTLE = frozenset({"today", "tomorrow", "will", "let", "send", "завтр", "сегодн"})


def kept_of(promise: OpenPromise, lines: Sequence[Line]) -> KeptPromise | None:
    """The new line that shows that a promise was kept: it says that something was done, and names it or brings a file."""
    for line in lines:
        if line.n > promise.message and line.is_new and _shows(promise, line):
            return KeptPromise(promise=promise.n, message=line.n)
    return None


def _shows(promise: OpenPromise, line: Line) -> bool:
    is_author = (line.author == "us") == promise.is_ours
    for sentence in sentences(line.text) or [""]:
        is_done = _DONE.search(sentence) and not _NOT_DONE.search(sentence) and not sentence.endswith("?")
        if is_done and (_names_it(promise.quote, sentence) or (is_author and bool(line.files))):
            return True
        if is_done and is_author and not _things(promise.quote):
            return True
    return is_author and bool(line.files) and bool(_SENDING.search(promise.quote))


_SENDING = re.compile(
    r"\b(?:send|share|forward|attach|offer|quote|documents?)\w*|\b(?:пришл|отправ|вышл|скин|направ|подготов)\w+",
    _I,
)


def _names_it(quote: str, sentence: str) -> bool:
    return bool(_things(quote) & content_stems(sentence, language_of(sentence, "en")))


def _things(quote: str) -> frozenset[str]:
    """What a promise is about: its telling words, without verbs that promise and words of time."""
    bare = _WILL_RU.sub(" ", _TIMES.sub(" ", quote))
    bare = re.sub(rf"\b{_DO_EN}\b", " ", bare, flags=_I)
    return content_stems(bare, language_of(quote, "en")) - _LITTLE


_TIMES = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\b(?:today|tomorrow|tonight|week|month|day|days|end|next|morning|evening|afternoon|noon|by|on|until|hour|hours|I'll|we'll|you)\b"
    r"|\b(?:понедельник\w*|вторник\w*|сред[ауе]|четверг\w*|пятниц\w+|суббот\w+|воскресень\w+|сегодня|завтра|послезавтра|недел\w+|месяц\w*|дня|день|дней|конц\w+|следующ\w+|утр\w+|вечер\w*|обед\w*|час\w*|вам|вас)\b|\d+",
    _I,
)
