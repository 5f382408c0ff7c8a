"""What a text to somebody outside promises or states, and whether something that we trust bears it out."""

import re
from collections.abc import Iterable, Sequence

from core.languages import Language, language_of, stems

_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+|;\s+")
# What binds us whatever the tense.
_BINDING = re.compile(
    r"\b(?:guarantee\w*|promis\w*|warrant(?:y|ies|ed)|refund\w*|reimburs\w*|compensat\w*|commit(?:ted|ment)?\b|money.back"
    r"|assur\w*|vouch\w*|swear|my word|our word|without fail|rely on|count on|certainly|definitely|surely|no doubt|100 ?%"
    r"|free of charge|(?:for|completely|absolutely) free|at no (?:extra |additional )?(?:cost|charge)|complimentary"
    r"|free (?:shipping|delivery|installation|set-?up|trial|training|support|returns?|months?|replacement|upgrades?)"
    r"|costs? (?:you )?nothing|unlimited|lifetime|forever|24/7|around the clock|on the house|cancel (?:at )?any ?time|discount\w*"
    r"|(?:no|zero|without any) (?:\w+ )?(?:fees?|commission|obligations?|prepayment|penalt(?:y|ies)|costs?|charges?|delays?|downtime"
    r"|risks?|limits?)|never (?:fail|break|expire|go down|lose)\w*)"
    r"|\b(?:гаранти\w+|обеща\w+|обязу\w+|бесплатн\w+|даром|компенсир\w+|верн[её]м\b(?! к)|возврат\w*|возмест\w+|руча\w+"
    r"|да[юе]м? слово|слово чести|уверя\w+|завер\w+|будьте уверены|можете не сомневаться|не (?:пережива|волну)\w+|непременно"
    r"|обязательно|точно не|без (?:\w+ )?(?:доплат\w*|комисси\w+|ограничени\w+|предоплат\w+|штраф\w+|простоев|задержек|риска)"
    r"|ничего не стоит|не придется|пожизненн\w+|навсегда|круглосуточн\w+|в подарок|скидк\w+|за наш сч[её]т|никогда не"
    r"|в любой момент|неограниченн\w+)",
    re.IGNORECASE,
)
# What somebody here, or the thing itself, is going to do.
_WILL = re.compile(
    r"\b(?:will|shall|won't|won’t|(?:is|are|am|'re|’re) going to)\b|\w(?:'|’)ll\b", re.IGNORECASE
)
_WILL_RU = re.compile(
    r"\bбуд(?:ет|ут|ем|у)\b|\b(?:получите|прид(?:ет|ёт|ут)|приед(?:ет|ут)|достав(?:ят|ит)|установ(?:ят|ит)|привез(?:ут|[её]т)"
    r"|заработа(?:ет|ют)|сниз(?:ят|ится))\b"
    # the first person: «доставим», «привезу», «положим»; adjectives and pronouns end so too
    r"|\b(?!\w*(?:ским|ным|шим|щим|чим|гим|ким|хим|сим|вым|дним|этим|моим|твоим|своим|нашим|вашим|всем|днем|рублем|затем)\b)"
    r"\w{3,}(?:[аеияую]ем|[бвгджзклмнпрстфхцчшщьл](?:[её]м|им)|лю|жу|чу|шу|зу)\b",
    re.IGNORECASE,
)
# Looking into something binds nobody.
_SOFT = re.compile(
    r"\b(?:check|confirm|clarify|ask|find out|look into|come back|get back|let you know|be in touch|call you|write to you"
    r"|pass (?:it|this) on|be (?:happy|glad) to|if|whether|would|could|may)\b"
    r"|\b(?:уточн\w+|провер\w+|верн(?:усь|[её]мся)|сообщ\w+|подтвер\w+|узна\w+|перезвон\w+|переда\w+|пришл\w+|отправ\w+|благодар\w+"
    r"|предлага\w+|понима\w+|если|могли бы|возможно|давайте)\b",
    re.IGNORECASE,
)
_LITTLE = frozenset(stems(
    "the a an and or for with you your we our us it is are be will shall to of in on at by this that all any from have has "
    "can do also so if as и в на с по для мы вы вам вас ваш наш это все что как за к до от же бы не но или у о"
))  # fmt: skip
_POLITE = re.compile(
    r"\b(?:thank\w*|hello|hi|dear|good (?:morning|afternoon|evening|day)|welcome|pleas(?:e|ed|ure)|glad|happy|sorry|regards|best"
    r"|understand|appreciate)\b|\b(?:спасибо|благодар\w+|здравствуйте|добр(?:ый|ого|ое) \w+|пожалуйста|рад\w*|извин\w+"
    r"|подскаж\w+|напишите|пришлите|с уважением|понимаю\w*|хорошо|отлично|удовольстви\w+)\b",
    re.IGNORECASE,
)
_NEEDED = 0.6
_NEAR = 0.4
_FEWEST = 2


def unfounded(body: str, trusted: Iterable[str]) -> list[str]:
    """The sentences of the body that promise something which no trusted text says."""
    known = _known(trusted)
    return [one for one in _sentences(body) if _promises(one) and not _is_borne_out(_stems(one), known)]


def unsourced(body: str, trusted: Iterable[str]) -> list[str]:
    """The other statements of the body that no trusted text says.

    What we only know in another language cannot be compared; then a statement is left alone.
    """
    texts = list(trusted)
    known = {
        language: _known(text for text in texts if _language(text) == language) for language in ("en", "ru")
    }
    return [
        one
        for one in _sentences(body)
        if _states(one) and not _promises(one) and known[_language(one)]
        if not _is_near(_stems(one), known[_language(one)])
    ]


def _known(texts: Iterable[str]) -> list[frozenset[str]]:
    return [_stems(part) for text in texts for part in _SENTENCE.split(text) if part.strip()]


def _language(text: str) -> Language:
    return language_of(text, "en")


def _states(sentence: str) -> bool:
    """Whether it tells something that is not judged by its figures; questions, thanks, greetings and a word or two tell
    nothing."""
    if any(map(str.isdigit, sentence)):
        return False
    is_polite = sentence.endswith("?") or _SOFT.search(sentence) or _POLITE.search(sentence)
    return not is_polite and len(_stems(sentence)) >= _FEWEST


def _is_near(said: frozenset[str], known: Sequence[frozenset[str]]) -> bool:
    nearest = sorted(known, key=lambda told: -len(said & told))[:2]
    return len(said & frozenset[str]().union(*nearest)) >= _NEAR * len(said)


def _sentences(body: str) -> list[str]:
    return [part.strip() for part in _SENTENCE.split(body) if part.strip()]


def _promises(sentence: str) -> bool:
    if sentence.endswith("?"):
        return False
    if _BINDING.search(sentence):
        return True
    return bool(_WILL.search(sentence) or _WILL_RU.search(sentence)) and not _SOFT.search(sentence)


def _is_borne_out(promised: frozenset[str], known: Sequence[frozenset[str]]) -> bool:
    """Whether two trusted sentences together have most of what is promised, and all of its numbers."""
    nearest = sorted(known, key=lambda told: -len(promised & told))[:2]
    told = frozenset[str]().union(*nearest)
    numbers = {one for one in promised if one.isdigit()}
    return bool(promised) and numbers <= told and len(promised & told) >= _NEEDED * len(promised)


def _stems(text: str) -> frozenset[str]:
    return frozenset(stems(text)) - _LITTLE
