"""Answers as CSV, for spreadsheets: one row a number, and no text that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from typing import IO

from hailwhale.core.graphite.curves import Curve
from hailwhale.core.numbers import Number, as_number
from hailwhale.core.time.calendar_grid import Grid
from hailwhale.services.query.ranking import RankAnswer
from hailwhale.services.query.series import PlotAnswer, TotalsAnswer

# Where a spreadsheet takes a cell for a formula: at its start, and behind a semicolon, which parts
# cells where the comma is the decimal point. The wide signs are what Japanese ones take, too.
_FORMULA = re.compile(r"(?:^|(?<=;))(?=[ \"]*[=+\-@\t\r＝＋－＠])")


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


def rank_csv(answer: RankAnswer) -> str:
    """The columns dimension (or pk) to importance, then one for each further metric.

    What there is no number of stays empty.
    """
    name = "pk" if answer and "pk" in answer[0] else "dimension"
    further = list(answer[0]["metrics"])[1:] if answer else []
    rows = (
        (
            row["pk"] if "pk" in row else row["dimension"],
            *(row["value"], row["share"], row["parent_value"]),
            *(row["difference"], row["relative"], row["importance"]),
            *(row["metrics"][metric] for metric in further),
        )
        for row in answer
    )
    numbers = ("value", "share", "parent_value", "difference", "relative", "importance")
    return _csv((name, *numbers, *further), rows)


def graphite_csv(curves: Sequence[Curve], grid: Grid) -> str:
    """Target, local time and value, without a header, as Graphite has it."""
    rows = (
        (curve.name, f"{datetime.fromtimestamp(at_s, grid.zone):%Y-%m-%d %H:%M:%S}", _number(value))
        for curve in curves
        for at_s, value in zip(curve.starts_s, curve.values, strict=True)
    )
    return _csv((), rows)


def write_csv(out: IO[str], header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows as they come, for files too large to be held; no header where it is ()."""
    writer = csv.writer(out, lineterminator="\r\n")
    heads = [header] if header else []
    writer.writerows([_defused(cell) for cell in row] for row in chain(heads, rows))


def _number(value: Decimal | None) -> Number | None:
    return None if value is None else as_number(value)


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    write_csv(out, header, rows)
    return out.getvalue()


def _defused(cell: object) -> object:
    """A text that begins as a formula gets a quote in front; numbers stay numbers."""
    return _FORMULA.sub("'", cell) if isinstance(cell, str) else cell
