"""The CRM bench, at a few thousandths of its size, prints every figure that it promises."""

import pytest

from infra.bench import crm as bench


@pytest.mark.full
def test_the_bench_prints_every_figure() -> None:
    figures = bench.run(scale=0.003).figures

    assert {
        "read_ratio", "list_p95", "list_page_p95", "list_page_size_p95", "segment_count_p50", "search_p95",
        "search_growth_ratio", "list_growth_ratio", "import_rows_per_second", "import_copy_rows_per_second",
        "row_security_ratio",
    } <= set(figures)  # fmt: skip
    assert figures["import_rows_per_second"].n == 2000
