"""Does the agent tell what needs an answer, what needs a person, and what needs nothing?"""

from evals.scorers import outcomes, texts
from evals.suites.base import Suite

SUITE = Suite(
    name="triage",
    about="whole threads: answer, ignore or call a person",
    deciding=(outcomes.decision,),
    looking=(texts.language,),
    thresholds={"pass_rate": 0.72, "pass_rate.en": 0.7, "pass_rate.ru": 0.7},
)
