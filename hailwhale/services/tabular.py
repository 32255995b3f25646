"""Answers as CSV, for spreadsheets: one row a number, and no text that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from hailwhale.services.reporting import PlotAnswer, TotalsAnswer

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def totals_csv(answer: TotalsAnswer) -> str:
    """The columns period, dimension, metric and value.

    >>> print(totals_csv({"today": {"=SUM(A1)": {"hits": -2}}}).splitlines()[1])
    today,'=SUM(A1),hits,-2
    """
    rows = (
        (period, dimension, metric, value)
        for period, dimensions in answer.items()
        for dimension, metrics in dimensions.items()
        for metric, value in metrics.items()
    )
    return _csv(("period", "dimension", "metric", "value"), rows)


def plot_csv(answer: PlotAnswer) -> str:
    """The columns time (ISO 8601, UTC, of the bucket's start), dimension, metric and value."""
    rows = (
        (datetime.fromtimestamp(int(at_ms) // 1000, UTC).isoformat(), dimension, metric, value)
        for dimension, metrics in answer.items()
        for metric, points in metrics.items()
        for at_ms, value in points
    )
    return _csv(("time", "dimension", "metric", "value"), rows)


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_defused(cell) for cell in row] for row in rows)
    return out.getvalue()


def _defused(cell: object) -> object:
    """A text that begins as a formula gets a quote in front; numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell
