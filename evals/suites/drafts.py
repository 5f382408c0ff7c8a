"""Are the drafted replies right, in the contact's language, and fit to be sent?"""

from evals.scorers import outcomes, sources, texts
from evals.suites.base import Suite

SUITE = Suite(
    name="drafts",
    about="replies state what they should, rest on their sources, and invent nothing",
    deciding=(
        outcomes.decision,
        outcomes.unsent,
        texts.says,
        texts.unsaid,
        texts.language,
        texts.length,
        texts.tone,
        texts.repeats,
    ),
    looking=(
        sources.citations,
        sources.context_recall,
        sources.context_precision,
        texts.fuzzy,
        texts.edit_distance,
    ),
    thresholds={
        "pass_rate": 0.4,
        "unsent": 1.0,
        "language": 0.98,
        "length": 0.98,
        "tone": 0.98,
        "repeats": 0.98,
        "context_recall": 0.5,
    },
)
