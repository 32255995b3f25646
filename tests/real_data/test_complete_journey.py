"""A part of the real sales, imported and sent over HTTP, equals what DuckDB sums up."""

from __future__ import annotations

import pytest

from examples.complete_journey import run


def test_a_week_of_real_sales_is_counted_to_the_last_cent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = run(rows=22_000, http_rows=2_000)
    assert result.different == []
    assert result.numbers > 100_000
    out = capsys.readouterr().out
    assert "20,000 rows, 20,000 counted, 0 rejected" in out
    assert "HTTP: 2,000 rows, sent and counted" in out
