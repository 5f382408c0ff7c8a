"""The questions to the copilot are those that the firm's own data gives, with the answers that it gives."""

from evals.copilot_questions import all_cases
from evals.firm import read_firm
from evals.suites import find_suite


def test_the_datasets_are_what_is_computed_now() -> None:
    assert find_suite("copilot").cases() == list(all_cases(read_firm()))
