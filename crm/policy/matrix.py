"""Policy, not the model, decides what happens: the matrix of risk, reach, taint and autonomy, as data.

The first rule that covers a case decides; a case that no rule covers is denied. An organization may tighten each cell
of it, and loosen those that say so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from crm.bidi.models import Autonomy
from crm.policy.models import Decision, Impact, Reach, Risk

ALLOW, ASK, DENY = Decision.ALLOW, Decision.ASK, Decision.DENY
ANY_RISK = frozenset(Risk)
ANY_IMPACT = frozenset(Impact)
ANY = frozenset({True, False})
TAINTED, CLEAN = frozenset({True}), frozenset({False})


@dataclass(frozen=True)
class Case:
    """One call as policy sees it.

    A run is tainted when it has read text from outside before this call. It is counterpart-scoped when it reads
    nothing of the organization but this thread, what this same person told us, and what may be published, which is all
    that a counterpart-safe tool returns.
    """

    risk: Risk
    reach: Reach
    impact: Impact
    is_tainted: bool
    autonomy: Autonomy
    is_counterpart_scoped: bool = False
    is_counterpart_safe: bool = True


@dataclass(frozen=True)
class Rule:
    """A row of the matrix: which cases it covers, and its decision at each autonomy.

    `loose` are the autonomies at which an organization may be less strict than the product.
    """

    name: str
    risks: frozenset[Risk]
    reaches: frozenset[Reach]
    observe: Decision
    suggest: Decision
    assist: Decision
    autopilot: Decision
    taints: frozenset[bool] = ANY
    impacts: frozenset[Impact] = ANY_IMPACT
    scoped: frozenset[bool] = ANY
    safe: frozenset[bool] = ANY
    loose: frozenset[Autonomy] = frozenset()

    def covers(self, case: Case) -> bool:
        return (
            case.risk in self.risks
            and case.reach in self.reaches
            and case.is_tainted in self.taints
            and case.impact in self.impacts
            and case.is_counterpart_scoped in self.scoped
            and case.is_counterpart_safe in self.safe
        )

    def decision(self, autonomy: Autonomy) -> Decision:
        return {
            Autonomy.OBSERVE: self.observe,
            Autonomy.SUGGEST: self.suggest,
            Autonomy.ASSIST: self.assist,
            Autonomy.AUTOPILOT: self.autopilot,
        }[autonomy]

    def choices(self, autonomy: Autonomy) -> tuple[Decision, ...]:
        """What an organization may decide here: what the product does, whatever is stricter, and more where it may.

        Nobody can be asked about reading: the run would go on without what it wanted to know. A draft is a question
        already.
        """
        base = self.decision(autonomy)
        stricter = [
            one for one in (ALLOW, ASK, DENY) if _LENIENCE[one] <= _LENIENCE[base] or autonomy in self.loose
        ]
        can_ask = not self.risks <= {Risk.READ, Risk.PROPOSE}
        return tuple(one for one in stricter if can_ask or one is not ASK or one is base)


_LENIENCE = {DENY: 0, ASK: 1, ALLOW: 2}
READ, WRITE, PROPOSE, EXTERNAL = (frozenset({risk}) for risk in Risk)
SELF, THREAD, NEW, ORG, SYSTEM = (frozenset({reach}) for reach in Reach)
LOW, SENSITIVE = frozenset({Impact.LOW}), frozenset({Impact.SENSITIVE})
SCOPED = frozenset({True})
SUGGEST, ASSIST = frozenset({Autonomy.SUGGEST}), frozenset({Autonomy.ASSIST})

MATRIX: tuple[Rule, ...] = (
    # what touches settings, members, policies, other agents, bulk, export or deletion
    Rule("system_tainted", ANY_RISK, SYSTEM, DENY, DENY, DENY, DENY, taints=TAINTED),
    Rule("system", ANY_RISK, SYSTEM, DENY, ASK, ASK, ASK, taints=CLEAN),
    # a run that answers somebody by itself knows nothing that they may not hear
    Rule("read_beyond_counterpart", READ, SELF | THREAD | NEW, DENY, DENY, DENY, DENY, scoped=SCOPED,
         safe=frozenset({False})),
    Rule("read_other_scoped", READ, NEW, DENY, DENY, DENY, DENY, scoped=SCOPED),
    # our own rows
    Rule("read_own", READ, SELF, ALLOW, ALLOW, ALLOW, ALLOW),
    # what was said in private: a text in one thread must not bring out what somebody else wrote
    Rule("read_thread", READ, THREAD, ALLOW, ALLOW, ALLOW, ALLOW),
    Rule("read_other", READ, NEW, ALLOW, ALLOW, ALLOW, ALLOW, taints=CLEAN),
    Rule("read_other_tainted", READ, NEW, DENY, DENY, DENY, DENY, taints=TAINTED),
    Rule("write", WRITE, SELF, DENY, ASK, ALLOW, ALLOW, taints=CLEAN),
    Rule("write_low_tainted", WRITE, SELF, DENY, ASK, ALLOW, ALLOW, taints=TAINTED, impacts=LOW, loose=SUGGEST),
    Rule("write_sensitive_tainted", WRITE, SELF, DENY, ASK, ASK, ASK, taints=TAINTED, impacts=SENSITIVE),
    Rule("write_tainted", WRITE, SELF, DENY, ASK, ASK, ASK, taints=TAINTED),
    # colleagues: notify, assign, hand off
    Rule("write_team", WRITE, ORG, DENY, ALLOW, ALLOW, ALLOW),
    # a draft: nothing leaves, its own approval is the question
    Rule("propose_message", PROPOSE, THREAD | NEW, DENY, ALLOW, ALLOW, ALLOW),
    # a change of many rows: nothing is written before a person has seen it, and no text from outside suggests one
    Rule("propose_bulk", PROPOSE, SELF, DENY, ALLOW, ALLOW, ALLOW, taints=CLEAN),
    # what leaves the house
    Rule("send_thread", EXTERNAL, THREAD, DENY, ASK, ASK, ALLOW, taints=CLEAN, loose=ASSIST),
    Rule("send_thread_scoped", EXTERNAL, THREAD, DENY, ASK, ASK, ALLOW, taints=TAINTED, scoped=SCOPED, loose=ASSIST),
    Rule("send_thread_tainted", EXTERNAL, THREAD, DENY, ASK, ASK, ASK, taints=TAINTED),
    Rule("send_new", EXTERNAL, NEW, DENY, ASK, ASK, ASK),
)  # fmt: skip
BY_NAME = {rule.name: rule for rule in MATRIX}
Overrides = Mapping[tuple[str, Autonomy], Decision]
NONE: Overrides = {}


def decide(case: Case, overrides: Overrides = NONE) -> Decision:
    """Allow, ask or deny one call; an override counts only as far as its rule lets it."""
    rule = next((rule for rule in MATRIX if rule.covers(case)), None)
    if rule is None:
        return DENY
    chosen = overrides.get((rule.name, case.autonomy))
    if chosen is not None and chosen in rule.choices(case.autonomy):
        return chosen
    return rule.decision(case.autonomy)
