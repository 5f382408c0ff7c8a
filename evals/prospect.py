"""A simulated prospect: a script that answers what our agent writes, the same for the same case and attempt.

prospect = Prospect(case.talk, Random("talks-en-001 0"))
line = prospect.hear(Heard("Forty scanners cost €17 each a month."))     # None: the talk is over
prospect.end                                                              # "content"
"""

from dataclasses import dataclass, field
from random import Random
from typing import Literal

from evals.cases import Talk, Wish
from evals.scorers.texts import states

End = Literal["content", "gone", "handed over"]


@dataclass(frozen=True)
class Heard:
    """What came back of a message: our answer, if there was one, and whether a person was called."""

    text: str = ""
    has_person: bool = False


@dataclass
class Prospect:
    """Wants one thing after the other, answers what it is asked, asks again in other words, and leaves at last.

    `end` is how the talk ended: with all that was wanted, without, or with a person whom nobody had asked for.
    """

    talk: Talk
    random: Random
    end: End | None = None
    got: int = 0
    _asked: int = 0
    _told: set[int] = field(default_factory=set)

    def hear(self, heard: Heard) -> str | None:
        """What the prospect writes next; None when the talk is over."""
        wish = self.talk.wishes[self.got]
        if _is_granted(wish, heard):
            return self._go_on()
        if heard.has_person:
            return self._leave("handed over")
        return self._tell(heard) or self._ask_again(wish)

    def _go_on(self) -> str | None:
        self.got += 1
        self._asked = 0
        if self.got == len(self.talk.wishes):
            return self._leave("content")
        return self._wording(self.talk.wishes[self.got], 0)

    def _leave(self, end: End) -> str | None:
        self.end = end
        return None

    def _tell(self, heard: Heard) -> str:
        """What we asked for, once for each thing that the prospect knows."""
        if "?" in heard.text:
            for number, known in enumerate(self.talk.knows):
                if number not in self._told and any(states(heard.text, words) for words in known.about):
                    self._told.add(number)
                    return known.says
        return ""

    def _ask_again(self, wish: Wish) -> str | None:
        self._asked += 1
        if self._asked > self.talk.patience:
            return self._leave("gone")
        # the burst was how the first wish was said first
        return self._wording(wish, self._asked - (1 if self.got == 0 else 0))

    def _wording(self, wish: Wish, number: int) -> str | None:
        if not wish.asks:
            return self._leave("gone")
        said = wish.asks[min(number, len(wish.asks) - 1)]
        return said if isinstance(said, str) else self.random.choice(said)


def _is_granted(wish: Wish, heard: Heard) -> bool:
    match wish.gets:
        case "person":
            return heard.has_person
        case "peace":
            return not heard.text
        case "answer":
            return bool(heard.text) and (not wish.hears or any(states(heard.text, one) for one in wish.hears))
