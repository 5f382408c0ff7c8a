"""Policy, not the model, decides what happens: the matrix of risk, reach, taint and autonomy, as data.

The first rule that covers a case decides; a case that no rule covers is denied.
"""

from dataclasses import dataclass

from crm.bidi.models import Autonomy
from tools.base import Decision, Impact, Reach, Risk

ALLOW, ASK, DENY = Decision.ALLOW, Decision.ASK, Decision.DENY
ANY_RISK = frozenset(Risk)
ANY_IMPACT = frozenset(Impact)
ANY = frozenset({True, False})
TAINTED, CLEAN = frozenset({True}), frozenset({False})


@dataclass(frozen=True)
class Case:
    """One call as policy sees it.

    A run is tainted when it has read text from outside before this call. It is counterpart-scoped when it reads
    nothing of the organization but this thread, what this same person told us, and what may be published.
    """

    risk: Risk
    reach: Reach
    impact: Impact
    is_tainted: bool
    autonomy: Autonomy
    is_counterpart_scoped: bool = False


@dataclass(frozen=True)
class Rule:
    """A row of the matrix: which cases it covers, and its decision at each autonomy."""

    risks: frozenset[Risk]
    reaches: frozenset[Reach]
    observe: Decision
    suggest: Decision
    assist: Decision
    autopilot: Decision
    taints: frozenset[bool] = ANY
    impacts: frozenset[Impact] = ANY_IMPACT
    scoped: frozenset[bool] = ANY

    def covers(self, case: Case) -> bool:
        return (
            case.risk in self.risks
            and case.reach in self.reaches
            and case.is_tainted in self.taints
            and case.impact in self.impacts
            and case.is_counterpart_scoped in self.scoped
        )

    def decision(self, autonomy: Autonomy) -> Decision:
        return {
            Autonomy.OBSERVE: self.observe,
            Autonomy.SUGGEST: self.suggest,
            Autonomy.ASSIST: self.assist,
            Autonomy.AUTOPILOT: self.autopilot,
        }[autonomy]


READ, WRITE, PROPOSE, EXTERNAL = (frozenset({risk}) for risk in Risk)
SELF, THREAD, NEW, ORG, SYSTEM = (frozenset({reach}) for reach in Reach)
LOW = frozenset({Impact.LOW})

MATRIX: tuple[Rule, ...] = (
    # what touches settings, members, policies, other agents, bulk, export or deletion
    Rule(ANY_RISK, SYSTEM, DENY, DENY, DENY, DENY, taints=TAINTED),
    Rule(ANY_RISK, SYSTEM, DENY, ASK, ASK, ASK, taints=CLEAN),
    # our own rows
    Rule(READ, SELF, ALLOW, ALLOW, ALLOW, ALLOW),
    # what was said in private: a text in one thread must not bring out what somebody else wrote
    Rule(READ, THREAD, ALLOW, ALLOW, ALLOW, ALLOW),
    Rule(READ, NEW, ALLOW, ALLOW, ALLOW, ALLOW, taints=CLEAN),
    Rule(READ, NEW, DENY, DENY, DENY, DENY, taints=TAINTED),
    Rule(WRITE, SELF, DENY, ASK, ALLOW, ALLOW, taints=CLEAN),
    Rule(WRITE, SELF, DENY, ASK, ALLOW, ALLOW, taints=TAINTED, impacts=LOW),
    Rule(WRITE, SELF, DENY, ASK, ASK, ASK, taints=TAINTED),
    # colleagues: notify, assign, hand off
    Rule(WRITE, ORG, DENY, ALLOW, ALLOW, ALLOW),
    # a draft: nothing leaves, its own approval is the question
    Rule(PROPOSE, THREAD | NEW, DENY, ALLOW, ALLOW, ALLOW),
    # a change of many rows: nothing is written before a person has seen it, and no text from outside suggests one
    Rule(PROPOSE, SELF, DENY, ALLOW, ALLOW, ALLOW, taints=CLEAN),
    # what leaves the house
    Rule(EXTERNAL, THREAD, DENY, ASK, ASK, ALLOW, taints=CLEAN),
    Rule(EXTERNAL, THREAD, DENY, ASK, ASK, ALLOW, taints=TAINTED, scoped=frozenset({True})),
    Rule(EXTERNAL, THREAD, DENY, ASK, ASK, ASK, taints=TAINTED),
    Rule(EXTERNAL, NEW, DENY, ASK, ASK, ASK),
)


def decide(case: Case) -> Decision:
    """Allow, ask or deny one call."""
    for rule in MATRIX:
        if rule.covers(case):
            return rule.decision(case.autonomy)
    return DENY
