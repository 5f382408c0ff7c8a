"""Does the copilot answer colleagues as computed, with sources, and propose what it is asked to do?"""

from evals.scorers import calls, rows, sources, texts
from evals.suites.asking import ask
from evals.suites.base import Suite

SUITE = Suite(
    name="copilot",
    about="answers as computed from the data, rests on sources, refuses what it may not",
    deciding=(
        texts.figures,
        texts.says,
        sources.cited,
        sources.kinds,
        calls.tool_f1,
        rows.final_rows,
        texts.refusal,
        texts.language,
    ),
    thresholds={"pass_rate": 0.9, "pass_rate.en": 0.9, "pass_rate.ru": 0.9, "figures": 0.97, "cited": 0.97},
    play=ask,
)
