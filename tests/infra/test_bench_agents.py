"""The bench of agents, at a small size, prints every figure that it promises, of work that was done."""

import pytest

from infra.bench import _run_cost
from infra.bench import agents as bench


@pytest.mark.full
def test_the_bench_prints_every_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, small in (("ROUNDS", 1), ("BATCH", 4), ("CALLS", 20), ("TURNS", 3)):
        monkeypatch.setattr(_run_cost, name, small)
    monkeypatch.setattr(bench, "QUESTIONS", 3)

    figures = bench.run().figures

    assert {
        "runs_ratio_1", "runs_ratio_8", "runs_per_second_1", "runs_per_second_bare_1", "tool_added_read_p50",
        "tool_added_write_p50", "checkpoint_bytes_50_turns", "copilot_first_token_p95",
    } <= set(figures)  # fmt: skip
    assert figures["runs_ratio_1"].n == 4
    assert figures["checkpoint_bytes_50_turns"].value < figures["checkpoint_bytes_50_turns_bare"].value
