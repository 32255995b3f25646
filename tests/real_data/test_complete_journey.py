"""Real sales through import and HTTP equal what DuckDB sums up, to the last cent."""

from __future__ import annotations

from examples.complete_journey import run


def test_a_part_of_the_real_sales_is_counted_to_the_last_cent() -> None:
    result = run(rows=8_000, http_rows=2_000)
    assert result.different == ()
    assert result.numbers > 10_000
