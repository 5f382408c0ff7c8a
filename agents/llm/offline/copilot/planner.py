"""Finds out what a question asks for, by its words, and plays the plan for it."""

import re
from collections.abc import Sequence

from agents.copilot.contract import Question, Returned
from agents.llm.base import ModelReply, ModelRequest
from agents.llm.offline.copilot import agenda, changing, counting, doing, people, talks
from agents.llm.offline.copilot.finding import RECORDS
from agents.llm.offline.copilot.naming import names_in, search_words
from agents.llm.offline.copilot.plans import Plan, Planner, Want, mark, play, records, text
from agents.llm.offline.copilot.saying import say

_MOST = 2


def _pattern(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts), re.IGNORECASE)


# What the asker wants done stands first in a sentence, as an order.
_ORDERS: tuple[tuple[re.Pattern[str], Planner], ...] = (
    (_pattern(r"\b(?:mark|tick|close|complete|finish)\b.*\b(?:as done|off|task)\b", r"^\s*complete\b", r"(?:отметь|закрой|заверши)\w*.*(?:задач|выполнен)", r"задач\w*.*\bвыполнен"), changing.finish_task),
    (_pattern(r"\bmove\b.*\btask\b", r"\btask\b.*\b(?:priority|urgent)\b", r"перенес\w*.*задач", r"задач\w*.*приоритет"), changing.change_task),
    (_pattern(r"\bcancel\b", r"\bclose the (?:meeting|call)\b", r"\bотмени", r"закрой\w*\s+(?:встреч|созвон)"), changing.end_meeting),
    (_pattern(r"\b(?:remove|take)\b.*\btag\b", r"(?:сними|убери)\w*.*(?:метк|тег)"), changing.untag),
    (_pattern(r"\b(?:set|change|update)\b.*\b(?:amount|close date)\b", r"\bclose date\b.*\b(?:moves?|is now)\b", r"(?:поставь|измени|обнови)\w*.*(?:сумм\w+ сделк|дат\w+ закрыт)", r"дата закрыт\w+.*перенос"), changing.set_deal),
    (_pattern(r"\badd\b.*@.*\bto\b", r"\badd the (?:e-?mail|address)\b", r"добавь\w*.*(?:почт|адрес)\w*.*@"), changing.add_address),
    (_pattern(r"\bsuppress\b", r"\bdo not write to\b.*\bany ?more\b", r"больше (?:ей|ему|им) не писать"), changing.suppress),
    (_pattern(r"\bmake\b.*\ba lead\b", r"\b(?:create|open|add) a lead\b", r"(?:заведи|создай|открой)\w*\s+лид"), changing.open_lead),
    (_pattern(r"\bnext step\b.*(?:\bto\b|:|-)", r"(?:set|change|write|запиши|поставь|измени|обнови)\w*.*(?:next step|следующ\w+ шаг)", r"^следующ\w+ шаг.*[:—–-]"), doing.next_step),
    (_pattern(r"\b(?:add|create|make|set up|open)\b.*\btask\b", r"\bremind me\b", r"^\s*(?:task|задача)\s*:", r"(?:создай|добавь|поставь|заведи|сделай)\w*\s+(?:\w+\s+)?задачу", r"\bнапомни"), doing.create_task),
    (_pattern(r"\b(?:add|write|make|leave|create)\b.*\bnote\b", r"\bnote (?:that|on|for)\b", r"^\s*заметка\b", r"\bwrite down\b", r"(?:добавь|запиши|сделай|оставь|создай)\w*\s+.*заметк", r"^\s*(?:запиши|отметь)\w*\b(?!.*(?:метк|тег))"), doing.note),
    (_pattern(r"^\s*(?:please\s+)?tag\b", r"\b(?:add|put)\b.*\btag\b", r"(?:добавь|поставь|повесь)\w*\s+.*(?:метк|тег)", r"\bпометь"), doing.tag),
    (_pattern(r"\b(?:move|shift|advance|put)\b.*\b(?:to|into)\b", r"\bmark\b.*\bas\b", r"\bgoes to\b", r"\bclose\b.*\bas\b", r"(?:перенес|перевед|перевод|передвин|перемест|сдвин)\w*[\s,].*\b(?:в|на)\b", r"(?:отметь|закрой)\w*\s+(?:\w+\s+)?как\b"), doing.move_deal),
    (_pattern(r"\b(?:plan|schedule|book|set up|arrange)\b.*\b(?:meeting|call|demo)\b", r"(?:запланируй|назначь|поставь|забронируй)\w*\s+.*(?:встреч|созвон|звонок|демо)"), doing.plan_meeting),
    (_pattern(r"^\s*(?:please\s+)?(?:assign|reassign|hand over|give)\b", r"\bmake\b.*\b(?:responsible|owner)\b", r"(?:назначь|сделай|передай|закрепи)\w*\s"), doing.assign),
)  # fmt: skip
_QUESTIONS: tuple[tuple[re.Pattern[str], Planner], ...] = (
    (_pattern(r"\bintroduc\w+", r"\bintro\b", r"\bwho (?:here |of us )?knows\b", r"\bwarm (?:path|intro)", r"познаком\w+", r"\bкто (?:\w+ )?(?:знает|знаком)", r"сведет|свед[её]т|выход на\b"), people.introduce),
    (_pattern(r"\bpromis\w+", r"\bcommit(?:ted|ment)", r"\bagreed\b", r"обещ\w+", r"договор(?:ил|ен)\w*"), talks.promised),
    (_pattern(r"\b(?:stalled|stuck|stale|quiet|no activity|neglected)\b", r"завис\w*", r"застря\w+", r"без движения", r"заброшен\w+", r"давно не"), agenda.stalled),
    (_pattern(r"\bhow (?:many|much)\b", r"\b(?:count|sum|total|average|mean|worth|revenue)\b", r"\bby (?:stage|owner|month|company|currency)\b", r"сколько", r"посчитай", r"сумм\w+", r"средн\w+", r"количеств\w+", r"по (?:стадиям|этапам|ответственным|месяцам|компаниям|валютам|менеджерам)", r"на какую сумму", r"выручк\w+"), counting.count),
    (_pattern(r"\b(?:tasks?|to-?dos?|overdue)\b", r"\bwhat (?:do|should) i (?:have to )?do\b", r"\bon my plate\b", r"задач\w*", r"просроч\w+", r"что мне (?:нужно )?(?:с)?делать"), agenda.tasks),
    (_pattern(r"\bmeetings?\b", r"\bcalendar\b", r"\bschedule\b", r"\bagenda\b", r"встреч\w*", r"календар\w+", r"расписани\w+", r"созвон\w*"), agenda.meetings),
    (_pattern(r"\b(?:say|said|wrote|write about|mention\w*|told|asked|tell us)\b", r"\blast message\b", r"\bwhat .* think\b", r"\bсказал\w*|\bговори\w+|\bписал\w*|\bнаписал\w*|упомина\w+|последнее сообщение|\bспрашива\w+|\bответил\w*"), talks.said),
    (_pattern(r"\btell me about\b", r"\bwho is\b", r"\bwhat (?:do we|is) know\w*\b", r"\bwhat (?:is|about)\b", r"\bbrief me\b", r"\bsummar\w+", r"\babout\b", r"расскажи\w*", r"\bкто так\w+", r"что (?:мы )?(?:известно|знаем)", r"\bчто за\b", r"сводк\w+", r"\bинформаци\w+", r"\bпро\b", r"как(?:ая|ой|ие|ово) (?:состояни|статус|стади)", r"\bstatus of\b", r"\bwhere (?:is|are|does)\b"), people.tell_about),
)  # fmt: skip
_TAG = _pattern(r"\btag\b", r"метк|тег")
_WRITE = _pattern(
    r"^\s*(?:please\s+)?(?:send|email|reply|write to|call|message)\b",
    r"^\s*(?:отправь|напиши|ответь|позвони)\w*\b",
)
# Whoever asks whether to do something has not ordered it.
_WONDERS = _pattern(
    r"^\s*(?:should|shall|why|is it)\b.*\?\s*$", r"^\s*(?:стоит ли|нужно ли|надо ли|зачем|почему)\b"
)
_REMOVE = _pattern(r"^\s*(?:please\s+)?(?:delete|remove|erase)\b", r"^\s*(?:удали|сотри|убери)\w*\b")


def answer(request: ModelRequest) -> ModelReply:
    """The next call for a question, or its answer, out of the request as any model gets it."""
    asked = next(
        turn.text for turn in reversed(request.messages) if turn.role == "user" and turn.text.startswith("{")
    )
    question = Question.model_validate_json(asked)
    returned = [Returned.model_validate_json(turn.text) for turn in request.messages if turn.role == "tool"]
    return play(_plan(question), returned)


def _plan(question: Question) -> Plan:
    """What was asked, one part after the other."""
    lines: list[str] = []
    for planner in _planners(question):
        lines += yield from planner(question)
    return lines


def _planners(question: Question) -> Sequence[Planner]:
    words = question.question
    if _REMOVE.search(words) and not _TAG.search(words):
        return [_says("help.remove")]
    ordered = [planner for pattern, planner in _ORDERS if pattern.search(words)]
    if ordered and not _WONDERS.search(words):
        return _ordered(question)
    if _WRITE.search(words):
        return [_says("help.write")]
    wanted = [planner for pattern, planner in _QUESTIONS if pattern.search(words)]
    # A figure about tasks is a figure; what somebody said about a meeting was said.
    if counting.count in wanted or talks.said in wanted:
        wanted = [one for one in wanted if one not in (agenda.tasks, agenda.meetings, people.tell_about)]
    if len(wanted) > 1 and people.tell_about in wanted:
        wanted.remove(people.tell_about)
    # Nobody is named and nothing looked at: what was said anywhere about these words is the best guess.
    if (
        not names_in(question)
        and question.looking_at is None
        and wanted in ([people.tell_about], [talks.said])
    ):
        return [talks.recalled]
    return wanted[:_MOST] or [_look_up]


def _ordered(question: Question) -> Sequence[Planner]:
    """Each order of a question: joined by "and", each part means what it says."""
    parts = [
        part
        for part in re.split(
            r"(?:,?\s+(?:and|then|и|затем|а также)\s+|[.;]\s+)(?=[a-zа-яё]+\b)",
            question.question,
            flags=re.IGNORECASE,
        )
        if part
    ]
    found: list[Planner] = []
    begun = ""
    for part in parts:
        planner = next((planner for pattern, planner in _ORDERS if pattern.search(part)), None)
        if planner is None and begun:
            continue
        if planner is not None:
            begun = part
            found.append(_asking(planner, _whole(part, parts, planner)))
    if len(found) < 2:
        first = next(planner for pattern, planner in _ORDERS if pattern.search(question.question))
        return [first]
    return found[:_MOST]


def _whole(part: str, parts: list[str], planner: Planner) -> str:
    """A part with those after it that give no order of their own: they go on with it."""
    place = parts.index(part)
    said = [part]
    for later in parts[place + 1 :]:
        if any(pattern.search(later) for pattern, _ in _ORDERS):
            break
        said.append(later)
    return " and ".join(said)


def _asking(planner: Planner, words: str) -> Planner:
    return lambda question: planner(question.model_copy(update={"question": words}))


def _says(key: str) -> Planner:
    def plan(question: Question) -> Plan:
        yield from ()
        return [say(question, key)]

    return plan


def _look_up(question: Question) -> Plan:
    """A name alone is looked up; what nobody understands says what can be asked."""
    names = names_in(question)
    if not names:
        return [say(question, "help.unknown")]
    found = yield Want("search_records", {"text": search_words(names[0])[:200], "limit": 10})
    hits = records(found, "found")
    if not hits:
        return [say(question, "search.none", text=names[0])]
    if len(hits) == 1 and text(hits[0], "kind") in RECORDS:
        return (yield from people.tell_about(question))
    return [
        say(question, "search.some"),
        *(
            say(
                question,
                "search.item",
                title=text(one, "title"),
                detail=f", {text(one, 'detail')}" if text(one, "detail") else "",
                kind=say(question, f"search.kinds_{text(one, 'kind')}"),
                mark=mark(one),
            )
            for one in hits
        ),
    ]
