"""How like two replies are, as a colleague would see it: what they do, which figures they state, and their words.

No single number tells whether a draft says what a colleague wrote: "€17 each" and "€71 each" differ in two letters,
"I will check" and "it holds 16 hours" do different things in as many words. So three things are looked at apart:

- *Action.* Every sentence does something (`Act`); a reply does what its sentences do. Two replies do the same if the
  foremost act of one is among those of the other. Putting off and declining go with nothing but themselves.
- *Figures.* Numbers, dates, times, shares, links and addresses, as they are read and not as they are typed.
- *Similarity.* The F1 of the stems that carry meaning, in either language.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from agents.text import content_stems, sentences
from core.languages import language_of
from evals.scorers.texts import plain

# Less than this much in common is another matter, whatever the sentences do.
SAME_MATTER = 0.2
# As little as this is left to be changed in a draft that goes out as it is.
SAME_WORDS = 0.7


class Act(StrEnum):
    """What a sentence does, the foremost first."""

    DEFERS = "defers"
    DECLINES = "declines"
    TELLS = "tells"
    MEETS = "meets"
    ASKS = "asks"
    CLOSES = "closes"


_DEFERS = re.compile(
    r"\b(?:(?:i|we)(?:['’]ll| will|['’]ll have to| have to| need to| am going to|['’]m going to)? (?:\w+ )?"
    r"(?:check|find out|look into|ask|confirm|clarify|get back)|let me (?:check|find|ask|look|confirm)|"
    r"come back to you|get back to you|get (?:it|that|this) confirmed|уточн(?:ю|им)|провер(?:ю|им)|узна(?:ю|ем)|спро(?:шу|сим)|выясн(?:ю|им)|"
    r"верн(?:усь|емся)|подтвер(?:жу|дим))\b",
    re.IGNORECASE,
)
_DECLINES = re.compile(
    r"^(?:no|нет)[,.:]|\b(?:can(?:no|['’])t|cannot|unable to|not able to|won['’]t be able|not possible|unfortunately|i['’]m afraid|"
    r"we do(?:n['’]t| not) (?:offer|have|do|sell|support|ship)|не (?:можем|могу|сможем|смогу|получится|выйдет)|"
    r"к сожалению|невозможно|нельзя|не (?:предлага|поддержива|продаем|продаём|работаем)\w*)",
    re.IGNORECASE,
)
_MEETS = re.compile(
    r"\b(?:call|calls|meet|meeting|meetings|demo|zoom|slot|calendar|invite|invitation|созвон\w*|встре[тч]\w*|демо\w*|"
    r"звон\w*|позвон\w*|календар\w*|приглаш\w*)\b",
    re.IGNORECASE,
)
_CLOSES = re.compile(
    r"^\W*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|thank(?:s| you)|you['’]re welcome|welcome|"
    r"great|perfect|noted|got it|ok(?:ay)?|sure|best|kind regards|regards|cheers|здравствуйте|привет|добрый|доброе|"
    r"спасибо|благодарю|пожалуйста|хорошо|отлично|принято|понял[аи]?|понятно|ок(?:ей)?|с уважением)\b",
    re.IGNORECASE,
)
_SHORT, _SHORTEST = 5, 3
_LINK = re.compile(r"(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_TIME = re.compile(r"(?<!\d)([01]?\d|2[0-3]):([0-5]\d)(?!\d)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def acts_of(text: str) -> frozenset[Act]:
    """Everything that a reply does. Greetings and thanks are nothing beside the rest."""
    found = {_act(sentence) for sentence in sentences(text)}
    return frozenset(found - {Act.CLOSES} or found)


def _act(sentence: str) -> Act:
    if _DEFERS.search(sentence):
        return Act.DEFERS
    if _is_polite(sentence):
        return Act.CLOSES
    if _DECLINES.search(sentence):
        return Act.DECLINES
    if _MEETS.search(sentence):
        return Act.MEETS
    return Act.ASKS if sentence.rstrip(" )").endswith("?") else Act.TELLS


def _is_polite(sentence: str) -> bool:
    """A greeting, thanks or goodbye, with or without a name before it, and little else."""
    count = len(sentence.split())
    return (count <= _SHORT and _CLOSES.match(sentence) is not None) or (
        count <= _SHORTEST and any(_CLOSES.match(part) for part in sentence.split(","))
    )


def foremost(acts: frozenset[Act]) -> Act | None:
    """What a reply does before all else."""
    return next((act for act in Act if act in acts), None)


def is_same_action(one: frozenset[Act], other: frozenset[Act]) -> bool:
    """Whether what one does before all else, the other does as well."""
    first, second = foremost(one), foremost(other)
    if first in _ALONE or second in _ALONE:
        return first == second
    return first in other or second in one


_ALONE = (Act.DEFERS, Act.DECLINES, None)
# Both answer the same question: who puts it off or says thanks does so in any words.
_WORDLESS = (Act.DEFERS, Act.CLOSES)


def figures_of(text: str) -> frozenset[str]:
    """Every value of a text that is right or wrong: `1 200,50` and `1,200.50` are one; links and addresses too."""
    rest = plain(text)
    found = {link.rstrip(".,;:!?)") for link in _LINK.findall(rest)}
    rest = _LINK.sub(" ", rest)
    found |= {f"{int(hour)}:{minute}" for hour, minute in _TIME.findall(rest)}
    rest = _TIME.sub(" ", rest)
    return frozenset(found | {_number(match) for match in _NUMBER.findall(rest)})


def _number(text: str) -> str:
    whole = re.sub(r"[.,](?=\d{3}(?:\D|$))", "", text).replace(",", ".")
    if whole.count(".") > 1:  # a date, or a version
        return whole
    return f"{float(whole):g}" if len(whole) < 16 else whole


def similarity(one: str, other: str) -> float:
    """How much of the telling words two texts share, from 0 to 1, in any order; greetings and thanks tell nothing."""
    first, second = (content_stems(_matter(text), language_of(text, "en")) for text in (one, other))
    if not first or not second:
        return 1.0 if plain(one) == plain(other) else 0.0
    return 2 * len(first & second) / (len(first) + len(second))


def _matter(text: str) -> str:
    told = [sentence for sentence in sentences(text) if not _is_polite(sentence)]
    return " ".join(told) or text


@dataclass(frozen=True)
class Likeness:
    """How like a draft is to what a colleague wrote. `missing` and `extra` are figures of only one of them."""

    act: Act | None
    is_same_action: bool
    missing: frozenset[str]
    extra: frozenset[str]
    shared: int
    similarity: float
    is_same_language: bool

    @property
    def figures(self) -> float | None:
        """F1 of the figures; None where neither states any."""
        total = 2 * self.shared + len(self.missing) + len(self.extra)
        return 2 * self.shared / total if total else None

    @property
    def agrees(self) -> bool:
        """The same thing is done about the same matter, and no figure stands in another's place."""
        if not self.is_same_language or not self.is_same_action or (self.missing and self.extra):
            return False
        if self.act in _WORDLESS:
            return True
        return (self.figures or 1.0) >= 0.5 and (self.similarity >= SAME_MATTER or self.shared > 0)

    @property
    def is_as_good(self) -> bool:
        """A colleague would hardly have changed it: the same figures, and most of the words."""
        return (
            self.is_same_language
            and self.is_same_action
            and not self.missing
            and not self.extra
            and self.similarity >= SAME_WORDS
        )


def likeness(draft: str, written: str, heard: str = "") -> Likeness:
    """Set a draft beside what a colleague wrote; figures of what was `heard` may be said again or left out."""
    given, right, known = figures_of(draft), figures_of(written), figures_of(heard)
    return Likeness(
        act=foremost(acts_of(written)),
        is_same_action=is_same_action(acts_of(draft), acts_of(written)),
        missing=right - given - known,
        extra=given - right - known,
        shared=len(given & right),
        similarity=similarity(draft, written),
        is_same_language=language_of(draft, "en") == language_of(written, "en"),
    )
