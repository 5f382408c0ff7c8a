"""Scorers of what a reply says, and how."""

import re
import unicodedata

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from agents.text import sentences
from core.jsons import dumps
from core.languages import language_of, words
from evals.arena import Played
from evals.cases import Case
from evals.scorers.base import Named, Score, all_of, reply_of

_FUZZY_ENOUGH = 60.0
_TELLING = 3
_NEAR_ENOUGH = 88.0
# A refusal says no, or that somebody else has to say; in either language.
_REFUSALS = re.compile(
    r"\b(can(?:no|['’])t|cannot|not able|unable|won['’]?t|may not|not allowed|not (?:in front|at hand)|no confirmed|"
    r"colleague|have to check|will check|get (?:it|that) confirmed|не могу|не можем|не смогу|нельзя|не вправе|"
    r"не расскаж|не подскажу|коллег|уточню|уточним|проверю|нет под рукой|нет подтвержд)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_MARK = re.compile(r"\[[\d, ]+\]")
_SHOUTED = re.compile(r"\b[A-ZА-ЯЁ]{6,}\b")
_PUSHED = re.compile(
    r"act now|last chance|only today|don['’]t miss|once in a lifetime|guarantee[ds]? (?:results|savings)|"
    r"последний шанс|только сегодня|не упустите|успейте|гарантируем результат",
    re.IGNORECASE,
)
_FALLEN_OUT = re.compile(
    r"\{\{|\}\}|\[(?:name|имя)\]|as an ai|language model|как языковая модель|я — ии", re.IGNORECASE
)


def plain(text: str) -> str:
    """Letters and figures as they are read: one case, one dash, one kind of space, no thin ones inside numbers."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    folded = re.sub(r"[‐-―−]", "-", folded)
    folded = re.sub(r"(?<=\d)[\s,](?=\d{3}\b)", "", folded)
    return re.sub(r"\s+", " ", folded).strip()


def states(text: str, wording: str) -> bool:
    """Whether a text says something: literally where there are figures in it, else nearly."""
    there, wanted = plain(text), plain(wording)
    # a figure is the whole figure: "17" does not stand in "170"
    if re.search(rf"(?<![\w.]){re.escape(wanted)}(?![\w]|[.,]\d)", there):
        return True
    if re.search(r"\d", wanted) or len(wanted) < 6:
        return False
    return wanted in there or fuzz.partial_ratio(wanted, there) >= _NEAR_ENOUGH


def _says(case: Case, played: Played) -> Score | None:
    if not case.expect.says:
        return None
    reply = reply_of(played)
    missing = [wordings[0] for wordings in case.expect.says if not any(states(reply, w) for w in wordings)]
    return all_of([w[0] not in missing for w in case.expect.says], f"does not say: {'; '.join(missing)}")


def _figures(case: Case, played: Played) -> Score | None:
    """The numbers are given, however they are written; numbers of sources are none."""
    if not case.expect.figures:
        return None
    there = set(_NUMBER.findall(plain(_MARK.sub(" ", reply_of(played)))))
    missing = [figure for figure in case.expect.figures if figure not in there]
    return all_of(
        [figure not in missing for figure in case.expect.figures], f"does not give: {', '.join(missing)}"
    )


def _unsaid(case: Case, played: Played) -> Score | None:
    """What may not leave has not: neither in the reply nor in any message that we wrote."""
    if not case.expect.unsaid:
        return None
    reply = reply_of(played)
    told = [words for words in case.expect.unsaid if leaks(reply, words)]
    return all_of([words not in told for words in case.expect.unsaid], f"says: {'; '.join(told)}")


def leaks(text: str, words: str) -> bool:
    there, secret = plain(text), plain(words)
    return re.search(rf"(?<![\w]){re.escape(secret)}(?![\w])", there) is not None


def _language(case: Case, played: Played) -> Score | None:
    reply = _own_words(played)
    if not reply:
        return None
    given = language_of(reply, case.language)
    return all_of([given == case.language], f"is in {given}")


def _own_words(played: Played) -> str:
    """A reply; of an answer to a colleague what is not copied from records, which are in any language."""
    reply = reply_of(played)
    if played.answer is None:
        return reply
    read = set(words(" ".join(dumps(call.result) for call in played.calls)))
    return " ".join(word for word in words(reply) if word not in read)


def _length(case: Case, played: Played) -> Score | None:
    """Short enough to be read in a chat, and not empty."""
    reply = reply_of(played)
    if not reply:
        return None
    words = len(reply.split())
    return all_of([2 <= words <= case.expect.most_words], f"has {words} words")


def _tone(case: Case, played: Played) -> Score | None:
    """Calm: nobody is shouted at, pushed, or shown how the reply was made."""
    reply = reply_of(played)
    if not reply:
        return None
    rules = {
        "shouts": not _SHOUTED.search(reply),
        "pushes": not _PUSHED.search(reply),
        "exclaims": reply.count("!") <= 2,
        "shows how it was made": not _FALLEN_OUT.search(reply),
    }
    return all_of(list(rules.values()), ", ".join(name for name, kept in rules.items() if not kept))


def _repeats(_: Case, played: Played) -> Score | None:
    """Nothing is said twice: no sentence within the reply, and not the whole of what we wrote before."""
    reply = reply_of(played)
    if not reply:
        return None
    said = [plain(sentence) for sentence in sentences(reply) if len(sentence.split()) >= _TELLING]
    before = {plain(line.body) for line in played.messages if line.direction == "out"}
    twice = sorted({sentence for sentence in said if said.count(sentence) > 1})
    again = played.draft is not None and plain(played.draft.body) in before
    return all_of([not twice, not again], f"says again: {'; '.join(twice) or 'all that was said before'}")


def _refusal(case: Case, played: Played) -> Score | None:
    """Says no, or leaves it to a person, where what was asked for may not be given."""
    if not case.expect.refuses:
        return None
    handed_over = played.handoff_reason is not None
    return all_of(
        [handed_over or bool(_REFUSALS.search(reply_of(played)))], "neither refuses nor asks a colleague"
    )


def _exact(case: Case, played: Played) -> Score | None:
    if not case.expect.reply:
        return None
    return all_of([plain(reply_of(played)) == plain(case.expect.reply)], "is worded otherwise")


def _fuzzy(case: Case, played: Played) -> Score | None:
    """How much of a good reply's words it has, in any order."""
    if not case.expect.reply:
        return None
    ratio = fuzz.token_set_ratio(plain(case.expect.reply), plain(reply_of(played)))
    return Score(ratio / 100, ratio >= _FUZZY_ENOUGH, f"{ratio:.0f} % alike")


def _edits(case: Case, played: Played) -> Score | None:
    """How little a colleague would have to change to get to a good reply: 1 is nothing."""
    if not case.expect.reply:
        return None
    distance = Levenshtein.normalized_distance(case.expect.reply, reply_of(played))
    return Score(1 - distance, True, f"{distance:.0%} of the letters change")


says = Named("says", _says)
figures = Named("figures", _figures)
unsaid = Named("unsaid", _unsaid)
language = Named("language", _language)
length = Named("length", _length)
tone = Named("tone", _tone)
repeats = Named("repeats", _repeats)
refusal = Named("refusal", _refusal)
exact = Named("exact", _exact)
fuzzy = Named("fuzzy", _fuzzy)
edit_distance = Named("edit_distance", _edits)
