"""Does the agent do what a person then did? At every point of past talks where one of us answered."""

from evals.scorers import agreement, texts
from evals.suites.base import Suite

SUITE = Suite(
    name="backtest",
    about="past talks: at every answer of a colleague, does the agent say the same",
    deciding=(agreement.agrees,),
    looking=(
        agreement.answered,
        agreement.action,
        agreement.figures,
        agreement.similar,
        texts.language,
        texts.edit_distance,
    ),
    by_stratum=True,
)
