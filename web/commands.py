"""What the palette can do and where it can lead, found by words of both languages, misspelt or in the wrong layout."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from core.languages import stem, words
from crm.search.meanings import Candidate, Meaning, guesses, likely_words
from crm.search.words import Term, letter_grams, terms_of
from web.i18n import LOCALES, translations


def _(message: str) -> str:
    """Marks a label for the catalogue; it is translated when it is shown."""
    return message


@dataclass(frozen=True)
class Command:
    """A page (`href`), something done to what the page shows (`verb`, the name of its button), or a preference that
    is set. `also` are further words that people say; `scope` is what one needs for it."""

    icon: str
    label: str
    href: str = ""
    verb: str = ""
    key: str = ""
    preference: tuple[str, str] | None = None
    also: str = ""
    scope: str = ""

    @property
    def group(self) -> Literal["actions", "pages", "look"]:
        if self.preference:
            return "look"
        return "pages" if self.href and not self.href.endswith("/new") else "actions"

    @property
    def id(self) -> str:
        """Unique within a page."""
        return "-".join(words(f"{self.verb} {self.href} {' '.join(self.preference or ())}"))


COMMANDS = (
    Command("approve", _("Approve the draft"), verb="approve", key="A", also="accept ok согласовать"),
    Command("edit", _("Edit the draft"), verb="edit", key="E", also="change правка"),
    Command("feedback", _("Send the draft back with feedback"), verb="feedback", key="F", also="доработка"),
    Command("snooze", _("Snooze the draft"), verb="snooze", key="S", also="later позже напомнить"),
    Command("close", _("Reject the draft"), verb="reject", key="R", also="отказать"),
    Command("plus", _("New contact"), "/contacts/new", also="add person человек", scope="contacts:write"),
    Command("plus", _("New company"), "/companies/new", also="add организация", scope="companies:write"),
    Command("plus", _("New deal"), "/deals/new", also="add продажа", scope="deals:write"),
    Command("plus", _("New lead"), "/leads/new", also="add заявка", scope="leads:write"),
    Command("plus", _("New task"), "/tasks/new", also="add todo дело", scope="tasks:write"),
    Command("inbox", _("Inbox"), "/inbox", key="G I", also="mail messages почта сообщения"),
    Command(
        "approve",
        _("Approvals"),
        "/approvals",
        key="G A",
        also="drafts черновики согласования одобрить",
    ),
    Command(
        "shield", _("What agents may do"), "/policy", also="policy autonomy rights правила права агентов"
    ),
    Command("chat", _("All conversations"), "/inbox?folder=all", also="chats переписка чаты"),
    Command("contacts", _("Contacts"), "/contacts", also="people люди клиенты"),
    Command("company", _("Companies"), "/companies", also="организации фирмы"),
    Command("person", _("Leads"), "/leads", key="G L", also="заявки"),
    Command("deals", _("Deals"), "/deals", key="G D", also="pipeline board воронка доска"),
    Command("columns", _("Deals as a table"), "/deals/table", also="list список"),
    Command("task", _("Tasks"), "/tasks", also="todo дела"),
    Command("agent", _("Suggestions"), "/suggestions", also="next steps предложения следующий шаг"),
    Command("calendar", _("Meetings"), "/meetings", also="calendar календарь"),
    Command("filter", _("Segments"), "/segments", key="G S", also="audience аудитория"),
    Command("edit", _("Bulk edits"), "/bulk-edits", also="mass update undo массовые изменения"),
    Command("plus", _("New segment"), "/segments/new", also="audience filter аудитория", scope="views:write"),
    Command("contacts", _("Duplicates"), "/duplicates", also="same person merge дубликаты повторы"),
    Command("history", _("Merges"), "/merges", also="merged undo слияния"),
    Command("link", _("Import"), "/imports", also="csv excel xlsx загрузить"),
    Command("doc", _("Knowledge"), "/knowledge", key="G K", also="documents files документы файлы"),
    Command("search", _("Search everywhere"), "/search", also="find найти"),
    Command("bell", _("Notifications"), "/notifications", also="bell reminders колокольчик напоминания"),
    Command("trash", _("Trash"), "/trash", also="bin deleted restore корзина удалённое восстановить"),
    Command("settings", _("Settings"), "/settings", also="setup administration настроить"),
    Command(
        "columns", _("Custom fields"), "/settings/fields", also="own columns свойства", scope="fields:write"
    ),
    Command("tag", _("Tags"), "/settings/tags", also="labels метки", scope="fields:write"),
    Command("deals", _("Pipelines"), "/pipelines", also="stages rules этапы", scope="pipelines:write"),
    Command("lock", _("API keys"), "/settings/api-keys", also="token programs программы"),
    Command("plane", _("Webhooks"), "/settings/webhooks", also="hooks endpoints", scope="webhooks:manage"),
    Command(
        "chart",
        _("Evaluations"),
        "/evaluations",
        also="evals tests scores оценки замеры",
        scope="evaluations:read",
    ),
    Command(
        "history", _("Audit"), "/audit", also="log who did what журнал аудита кто что", scope="audit:read"
    ),
    Command(
        "shield",
        _("Privacy requests"),
        "/settings/privacy",
        also="gdpr erase forget export person персональные данные стереть удалить",
        scope="privacy:manage",
    ),
    Command("person", _("Preferences"), "/preferences", also="profile профиль"),
    Command("theme", _("Light theme"), preference=("theme", "light"), also="white day белая день"),
    Command("theme", _("Dark theme"), preference=("theme", "dark"), also="black night чёрная ночь"),
    Command("theme", _("Theme of the system"), preference=("theme", "system"), also="auto авто"),
    Command("globe", "English", preference=("locale", "en"), also="language английский язык"),
    Command("globe", "Русский", preference=("locale", "ru"), also="language russian язык"),
)
_FEWEST_FIT, _SURE = 0.4, 0.86


@dataclass(frozen=True)
class Chosen:
    """The commands for a query, best first; `is_sure` when whole words of the first one were typed."""

    commands: list[Command]
    is_sure: bool = False


def find_commands(query: str, offered: Iterable[Command], most: int) -> Chosen:
    """At most so many commands that have all words of the query; all that are offered when it is empty."""
    terms = terms_of(query)
    if not terms:
        return Chosen([] if query.strip() else list(offered))
    fits = sorted(((_fit(command, terms), command) for command in offered), key=lambda pair: -pair[0])
    found = [(fit, command) for fit, command in fits if fit > _FEWEST_FIT][:most]
    return Chosen([command for _, command in found], bool(found) and found[0][0] >= _SURE)


def _fit(command: Command, terms: Sequence[Term]) -> float:
    """How well a command fits: the mean over the terms, 0 when it lacks one."""
    best = []
    for term, exact, misspelt in zip(terms, *_meanings(command, tuple(terms)), strict=True):
        meaning = exact if exact.words else misspelt
        if not meaning.words or not term.readings:
            return 0.0
        best.append(max(sense.fit for sense in meaning.words.values()))
    return sum(best) / len(best)


def _meanings(command: Command, terms: Sequence[Term]) -> tuple[list[Meaning], list[Meaning]]:
    known = _words(command)
    candidates = [
        Candidate(place, number, word, stem(word))
        for place, term in enumerate(terms)
        for number in range(len(term.readings))
        for word in known
    ]
    similar = [
        candidate
        for candidate in candidates
        if _shares_letters(terms[candidate.term].readings[candidate.reading].text, candidate.word)
    ]
    return likely_words(terms, candidates), guesses(terms, similar)


def _shares_letters(text: str, word: str) -> bool:
    """As the index does it: what shares no three letters in a row is no typing error of it."""
    return not set(letter_grams(text)).isdisjoint(letter_grams(word))


@cache
def _words(command: Command) -> tuple[str, ...]:
    """The words of its label in every language, and the further ones."""
    labels = [translations(locale).gettext(command.label) for locale in LOCALES]
    return tuple(dict.fromkeys(words(" ".join([*labels, command.label, command.also]))))
