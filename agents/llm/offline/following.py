"""Advises on a promise that is due or a deal that stands still, by plain rules and templates in both languages."""

import re

from agents.follow_up.contract import Advice, Line, Occasion, Step
from agents.llm.offline.memory.promises import kept_of
from agents.memory_writer.contract import Line as TalkLine
from agents.memory_writer.contract import OpenPromise
from core.languages import Language

_REFUSAL = re.compile(
    r"\b(?:not interested|no longer interested|went with (?:another|someone|a competitor)|chose (?:another|someone else)|decided against|please stop|no need any ?more|not needed any ?more)\b"
    r"|\b(?:не интересно|неинтересно|больше не (?:нужно|актуально|интересует)|неактуально|не актуально|выбрали (?:другого|других|другую)|отказ\w+|передумали)\b",
    re.IGNORECASE,
)
_SHORT = 90
_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "ours": "Keep our promise to {contact}: “{quote}”",
        "ours_why": "We said so on {made}; it was due on {due}, and nothing in the conversation shows that it was done.",
        "theirs": "Ask {contact} about what they promised: “{quote}”",
        "theirs_why": "They said so on {made}; it was due on {due}, and nothing has come since.",
        "stalled": "Bring {deal} back to life",
        "unanswered": "Answer {contact} about {deal}",
        "quiet_why": "Nothing has happened about this deal for {days} days, and nothing is planned.",
        "unanswered_why": "{contact} wrote last and has no answer; nothing has happened for {days} days.",
        "lost": "Close {deal} as lost",
        "lost_why": "{contact} declined; nothing has happened since, for {days} days.",
        "call": "Call {contact} about {deal}",
        "decide": "Decide what happens with {deal}",
    },
    "ru": {
        "ours": "Выполнить обещание для {contact}: «{quote}»",
        "ours_why": "Мы пообещали это {made}, срок был {due}, и в переписке не видно, что это сделано.",
        "theirs": "Напомнить {contact} про обещание: «{quote}»",
        "theirs_why": "Это пообещали {made}, срок был {due}, и с тех пор ничего не пришло.",
        "stalled": "Вернуть к жизни сделку «{deal}»",
        "unanswered": "Ответить {contact} по сделке «{deal}»",
        "quiet_why": "По сделке ничего не происходит, дней: {days}, и ничего не запланировано.",
        "unanswered_why": "Последнее сообщение от {contact} осталось без ответа, дней: {days}.",
        "lost": "Закрыть сделку «{deal}» как проигранную",
        "lost_why": "{contact}: отказ. С тех пор ничего не происходит, дней: {days}.",
        "call": "Позвонить {contact} по сделке «{deal}»",
        "decide": "Решить, что делать со сделкой «{deal}»",
    },
}
_DRAFTS: dict[Language, dict[str, str]] = {
    "en": {
        "theirs": "Hello {first}, a short question about what you mentioned on {made}: did you find the time for it? "
        "If something stands in the way, tell me; I am glad to help.",
        "quiet": "Hello {first}, we have not spoken for a while. Is the topic still of interest to you? "
        "If now is a bad time, tell me when I should come back to it.",
    },
    "ru": {
        "theirs": "{first}, здравствуйте! Хочу спросить о том, о чём вы писали {made}: получилось? "
        "Если что-то мешает, скажите, с удовольствием помогу.",
        "quiet": "{first}, здравствуйте! Давно не были на связи. Вопрос для вас ещё актуален? "
        "Если сейчас неудобно, подскажите, когда к нему вернуться.",
    },
}


def advise_on(shown: Occasion) -> Advice:
    """What to do next, or which line shows that the promise was kept."""
    return _on_promise(shown) if shown.promise is not None else _on_deal(shown)


def _on_promise(shown: Occasion) -> Advice:
    promise = shown.promise
    assert promise is not None
    if promise.message is not None:
        known = OpenPromise(n=1, message=promise.message, is_ours=promise.is_ours, quote=promise.quote,
                            due_at=promise.due_at)  # fmt: skip
        kept = kept_of(known, [_talked(line) for line in shown.lines])
        if kept is not None:
            return Advice(settled_by=kept.message)
    side = "ours" if promise.is_ours else "theirs"
    made, due = f"{promise.made_at:%d.%m}", f"{promise.due_at:%d.%m}"
    title = _say(shown, side, quote=_short(promise.quote))
    steps = [Step(do="task", text=title)]
    if not promise.is_ours and shown.may_draft:
        steps = [Step(do="draft", text=_draft(shown, "theirs", made=made))]
    return Advice(title=title[:200], why=_say(shown, f"{side}_why", made=made, due=due)[:500], steps=steps)


def _on_deal(shown: Occasion) -> Advice:
    deal = shown.deal
    assert deal is not None
    last = shown.lines[-1] if shown.lines else None
    said = {"deal": deal.name, "days": str(deal.quiet_days)}
    if last is not None and last.author == "contact" and _REFUSAL.search(last.text) and deal.stages:
        return _advice(shown, "lost", "lost_why", [Step(do="stage", text=deal.stages[-1])], said)
    if last is not None and last.author == "contact":
        task = Step(do="task", text=_say(shown, "unanswered", **said))
        return _advice(shown, "unanswered", "unanswered_why", [task], said)
    if last is not None and shown.may_draft:
        draft = Step(do="draft", text=_draft(shown, "quiet"))
        return _advice(shown, "stalled", "quiet_why", [draft], said)
    todo = _say(shown, "call" if shown.contact else "decide", **said)
    return _advice(shown, "stalled", "quiet_why", [Step(do="task", text=todo)], said)


def _advice(shown: Occasion, title: str, why: str, steps: list[Step], said: dict[str, str]) -> Advice:
    return Advice(title=_say(shown, title, **said)[:200], why=_say(shown, why, **said)[:500], steps=steps)


def _say(shown: Occasion, phrase: str, **said: str) -> str:
    return _WORDS[shown.language][phrase].format(contact=shown.contact, **said)


def _draft(shown: Occasion, phrase: str, **said: str) -> str:
    first = shown.contact.split(" ")[0]
    return _DRAFTS[shown.contact_language][phrase].format(first=first, **said)


def _short(quote: str) -> str:
    return quote if len(quote) <= _SHORT else f"{quote[:_SHORT].rsplit(' ', 1)[0]} …"


def _talked(line: Line) -> TalkLine:
    return TalkLine(n=line.n, author=line.author, text=line.text, at=line.at, files=line.files)
