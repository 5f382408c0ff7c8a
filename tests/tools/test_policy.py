"""The policy matrix: every case is decided, and the table says what the product promises."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.bidi.models import Autonomy
from crm.policy.matrix import MATRIX, Case, Rule, decide
from crm.policy.models import Decision, Impact, Reach, Risk

COLUMNS = (Autonomy.OBSERVE, Autonomy.SUGGEST, Autonomy.ASSIST, Autonomy.AUTOPILOT)
LENIENCE = {Decision.DENY: 0, Decision.ASK: 1, Decision.ALLOW: 2}
LETTERS = {"-": Decision.DENY, "?": Decision.ASK, "+": Decision.ALLOW}
CASES = [
    Case(*case)
    for case in product(Risk, Reach, Impact, (False, True), Autonomy, (False, True), (False, True))
]
cases = st.sampled_from(CASES)

# risk, reach, impact (* any), taint (c clean, t tainted, s tainted but counterpart-scoped, * any),
# then the decisions at observe, suggest, assist, autopilot: - deny, ? ask, + allow
TABLE = """
read      self    *          *   ++++
read      thread  *          *   ++++
read      new     *          c   ++++
read      new     *          ts  ----
write     self    *          c   -?++
write     self    low        ts  -?++
write     self    ordinary   ts  -???
write     self    sensitive  ts  -???
write     org     *          *   -+++
propose   thread  *          *   -+++
propose   new     *          *   -+++
propose   self    *          c   -+++
external  thread  *          c   -??+
external  thread  *          s   -??+
external  thread  *          t   -???
external  new     *          *   -???
*         system  *          c   -???
*         system  *          ts  ----
"""


def expected() -> dict[Case, Decision]:
    """The table above, row by row, over every case; what it does not name is denied."""
    found = dict.fromkeys(CASES, Decision.DENY)
    for row in TABLE.strip().splitlines():
        risk, reach, impact, taint, letters = row.split()
        for case in CASES:
            if (
                risk in ("*", case.risk)
                and reach == case.reach
                and impact in ("*", case.impact)
                and (taint == "*" or _taint(case) in taint)
            ):
                found[case] = LETTERS[letters[COLUMNS.index(case.autonomy)]]
    # a run that answers somebody by itself reads nothing that they may not hear, tainted or not
    for case in CASES:
        is_beyond = not case.is_counterpart_safe or case.reach is Reach.NEW
        is_scoped = case.is_counterpart_scoped and case.reach is not Reach.SYSTEM
        if case.risk is Risk.READ and is_scoped and is_beyond:
            found[case] = Decision.DENY
    return found


def _taint(case: Case) -> str:
    if not case.is_tainted:
        return "c"
    return "s" if case.is_counterpart_scoped else "t"


EXPECTED = expected()


@pytest.mark.parametrize(("risk", "reach"), list(product(Risk, Reach)))
def test_every_case_is_decided_as_the_table_says(risk: Risk, reach: Reach) -> None:
    of_pair = [case for case in CASES if (case.risk, case.reach) == (risk, reach)]

    assert len(of_pair) == len(Impact) * 2 * len(Autonomy) * 2 * 2
    assert {case: decide(case) for case in of_pair} == {case: EXPECTED[case] for case in of_pair}


def test_every_rule_decides_some_case() -> None:
    used = {next((rule for rule in MATRIX if rule.covers(case)), None) for case in CASES}

    assert set(MATRIX) <= used


@given(cases)
def test_a_tainted_run_never_gets_more_than_a_clean_one(case: Case) -> None:
    tainted, clean = (decide(replace(case, is_tainted=taint)) for taint in (True, False))

    assert LENIENCE[tainted] <= LENIENCE[clean]


@given(cases)
def test_more_autonomy_never_gets_less(case: Case) -> None:
    decisions = [LENIENCE[decide(replace(case, autonomy=autonomy))] for autonomy in COLUMNS]

    assert decisions == sorted(decisions)


@given(cases)
def test_a_write_that_may_spoil_more_never_gets_more(case: Case) -> None:
    decisions = [LENIENCE[decide(replace(case, impact=impact))] for impact in Impact]

    assert decisions == sorted(decisions, reverse=True)


@given(cases)
def test_an_observer_only_reads(case: Case) -> None:
    observed = decide(replace(case, autonomy=Autonomy.OBSERVE))

    assert observed is Decision.DENY or case.risk is Risk.READ


@given(cases)
def test_nothing_leaves_to_somebody_new_without_a_person(case: Case) -> None:
    assert decide(replace(case, risk=Risk.EXTERNAL, reach=Reach.NEW)) is not Decision.ALLOW


cells = st.sampled_from([(rule, autonomy) for rule in MATRIX for autonomy in COLUMNS])


@given(cases, cells, st.sampled_from(Decision))
def test_an_override_only_tightens_but_where_the_matrix_says_otherwise(
    case: Case, cell: tuple[Rule, Autonomy], chosen: Decision
) -> None:
    rule, autonomy = cell
    overridden = decide(case, {(rule.name, autonomy): chosen})

    is_looser = LENIENCE[overridden] > LENIENCE[decide(case)]
    assert not is_looser or (autonomy in rule.loose and case.autonomy is autonomy)
    assert not is_looser or Autonomy.OBSERVE is not autonomy


@given(cases, cells)
def test_no_override_lets_out_what_may_spoil_more_or_goes_to_somebody_new(
    case: Case, cell: tuple[Rule, Autonomy]
) -> None:
    allowed = decide(case, {(cell[0].name, cell[1]): Decision.ALLOW})

    is_dear = case.is_tainted and case.risk is Risk.WRITE and case.impact is Impact.SENSITIVE
    if case.reach in (Reach.SELF, Reach.NEW) and (is_dear or case.risk is Risk.EXTERNAL):
        assert allowed is not Decision.ALLOW


def test_every_rule_has_a_name_of_its_own() -> None:
    assert len({rule.name for rule in MATRIX}) == len(MATRIX)


def test_nobody_can_be_asked_about_reading() -> None:
    reading = [rule for rule in MATRIX if rule.risks == {Risk.READ}]

    assert all(Decision.ASK not in rule.choices(autonomy) for rule in reading for autonomy in COLUMNS)
