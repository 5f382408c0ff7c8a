"""The ratchet: what an agent once got right, it goes on getting right, but for noise.

A baseline says of every case of a suite whether it passed when it was last written. Of the cases that end differently
now, those that got worse are set against those that got better by a one-sided exact sign test: where chance alone
would make it as bad less often than once in twenty, the ratchet holds. With nothing better, five that are worse are
too many. A data set that has changed needs a new baseline: `getsale eval baseline SUITE`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import Unprocessable
from crm.evaluations.comparison import SIGNIFICANT, sign_test
from crm.evaluations.models import EvalCase, EvalRun
from evals.cases import Case, digest

BASELINES = Path(__file__).parent / "baselines"


@dataclass(frozen=True)
class Baseline:
    """A suite as it once went: case -> whether it passed."""

    suite: str
    model: str
    dataset_sha256: str
    passed: Mapping[str, bool]


@dataclass(frozen=True)
class Difference:
    """What changed since the baseline."""

    worse: list[str]
    better: list[str]

    @property
    def chance(self) -> float:
        return sign_test(len(self.worse), len(self.better))

    @property
    def is_worse(self) -> bool:
        return self.chance < SIGNIFICANT


def read_baseline(suite: str, cases: Sequence[Case]) -> Baseline:
    """The baseline of a suite with all its cases. Raises: Unprocessable when there is none for these cases."""
    path = BASELINES / f"{suite}.json"
    renew = f"write one with `getsale eval baseline {suite}`"
    if not path.exists():
        raise Unprocessable(f"The suite {suite} has no baseline; {renew}.")
    told = json.loads(path.read_text(encoding="utf-8"))
    passed = {key: True for key in told["passed"]} | {key: False for key in told["failed"]}
    baseline = Baseline(suite, told["model"], told["dataset_sha256"], passed)
    if baseline.dataset_sha256 != digest(cases):
        raise Unprocessable(f"The baseline of {suite} is of other cases; {renew}.")
    return baseline


def write_baseline(run: EvalRun, cases: Sequence[EvalCase]) -> Path:
    """Keep a run of a whole suite as what the next ones are measured by."""
    told = {
        "suite": run.suite,
        "model": run.model,
        "dataset_sha256": run.dataset_sha256,
        "passed": sorted(case.key for case in cases if case.is_passed),
        "failed": sorted(case.key for case in cases if not case.is_passed),
    }
    path = BASELINES / f"{run.suite}.json"
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return path


def difference(baseline: Baseline, cases: Sequence[EvalCase]) -> Difference:
    """What these cases, all or a part of the suite, do otherwise than the baseline."""
    return Difference(
        [case.key for case in cases if baseline.passed[case.key] and not case.is_passed],
        [case.key for case in cases if not baseline.passed[case.key] and case.is_passed],
    )
