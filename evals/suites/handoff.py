"""Does the agent call a person when it should, with a reason that holds, and only then?"""

from evals.scorers import outcomes
from evals.suites.base import Suite

SUITE = Suite(
    name="handoff",
    about="calls a person with the right reason, and only when it should",
    deciding=(outcomes.decision, outcomes.handoff),
    looking=(outcomes.final_state,),
    thresholds={"pass_rate": 0.32, "final_state": 1.0},
)
