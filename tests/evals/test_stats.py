"""How sure figures are."""

import pytest

from crm.evaluations.comparison import sign_test
from evals.stats import macro_f1, pass_hat_k, wilson


@pytest.mark.parametrize(
    ("passed", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (95, 100, 0.8882, 0.9785)]
)
def test_the_interval_of_a_share(passed: int, n: int, low: float, high: float) -> None:
    assert wilson(passed, n) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(
    ("worse", "better", "chance"), [(0, 0, 1.0), (5, 0, 1 / 32), (4, 0, 1 / 16), (3, 3, 42 / 64)]
)
def test_how_likely_chance_alone_makes_it_worse(worse: int, better: int, chance: float) -> None:
    assert sign_test(worse, better) == pytest.approx(chance)


def test_the_mean_f1_over_the_right_labels() -> None:
    assert macro_f1([("a", "a"), ("a", "b"), ("b", "b")]) == pytest.approx(2 / 3)


def test_that_all_tries_pass_is_estimated_from_those_there_were() -> None:
    assert pass_hat_k(4, 8, 1) == 0.5
    assert pass_hat_k(8, 8, 8) == 1.0
    assert pass_hat_k(4, 8, 2) == pytest.approx(6 / 28)
