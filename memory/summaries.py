"""What an episode was about, in its own words: an honest extract, made without a language model."""

import re
from collections import Counter
from collections.abc import Sequence

from memory import words
from memory.models import NewTurn

# Shorter episodes are their own summary.
MIN_TURNS = 8
SENTENCES = 4
_END = re.compile(r"(?<=[.!?…])\s+|\n+")
_SHORTEST, _LONGEST = 4, 40


def summarize(turns: Sequence[NewTurn]) -> str:
    """The sentences that say most of what the episode keeps coming back to, in order, each with its speaker.

    Source: the frequency of content words as in Nenkova and Vanderwende, "The Impact of Frequency on Summarization"
    (2005); a word that was said weighs less the next time.
    """
    said = [
        (place, turn.speaker, sentence, words.stems(sentence))
        for place, turn in enumerate(turns)
        for sentence in _END.split(turn.text.strip())
    ]
    said = [one for one in said if _SHORTEST <= len(one[3]) <= _LONGEST]
    weights = Counter(stem for *_, stems in said for stem in set(stems))
    chosen: list[tuple[int, str, str, list[str]]] = []
    while said and len(chosen) < SENTENCES:
        best = max(said, key=lambda one: sum(weights[stem] for stem in set(one[3])) / len(one[3]) ** 0.5)
        said.remove(best)
        chosen.append(best)
        for stem in best[3]:
            weights[stem] = 0
    chosen.sort(key=lambda one: one[0])
    return "\n".join(f"{speaker}: {sentence}" if speaker else sentence for _, speaker, sentence, _ in chosen)
