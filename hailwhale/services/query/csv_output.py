"""Answers as CSV for spreadsheets: one number per row, and no text that would run as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import IO

from hailwhale.core.events.paths import written
from hailwhale.core.graphite.curves import Curve
from hailwhale.core.numbers import Number, as_number
from hailwhale.core.time.calendar_grid import Grid
from hailwhale.services.query.results import PeriodTotals, Ranking, SeriesPoints

# Where a spreadsheet sees a formula: at the start of a cell, and after a semicolon, which separates
# cells where the comma is the decimal point. Japanese ones also accept the full-width characters.
_FORMULA = re.compile(r"(?:^|(?<=;))(?=[ \"]*[=+\-@\t\r＝＋－＠])")


def totals_csv(answer: Iterable[PeriodTotals]) -> str:
    """Return the columns period, dimension, metric and value.

    >>> found = PeriodTotals("today", {("=SUM(A1)",): {"hits": Decimal(-2)}})
    >>> print(totals_csv([found]).splitlines()[1])
    today,'=SUM(A1),hits,-2
    """
    rows = (
        (each.period, written(path), metric, as_number(value))
        for each in answer
        for path, values in each.by_path.items()
        for metric, value in values.items()
    )
    return _csv(("period", "dimension", "metric", "value"), rows)


def plot_csv(answer: SeriesPoints) -> str:
    """Return the columns time (start of the bucket, ISO 8601, UTC), dimension, metric and value."""
    starts = [datetime.fromtimestamp(start_s, UTC).isoformat() for start_s in answer.starts_s]
    rows = (
        (start, shown, metric, as_number(value))
        for shown, series in ((written(path), series) for path, series in answer.by_path.items())
        for metric, values in series.items()
        for start, value in zip(starts, values, strict=True)
    )
    return _csv(("time", "dimension", "metric", "value"), rows)


def rank_csv(answer: Ranking) -> str:
    """Return the columns dimension (or pk) to importance, then one for each further metric.

    A metric that is called like one of those columns is in `metric:` and its name.

    A cell without a number is empty.
    """
    children = answer.children
    name = "pk" if answer.of_pks and children else "dimension"
    further = list(children[0].by_metric)[1:] if children else []
    numbers = ("value", "share", "parent_value", "difference", "relative", "importance")
    rows = (
        (
            written(child.path),
            *(number_or_none(getattr(child.comparison, column)) for column in numbers),
            *(number_or_none(child.by_metric[metric]) for metric in further),
        )
        for child in children
    )
    columns = (name, *numbers)
    # No metric has a colon in its name.
    named = [f"metric:{metric}" if metric in columns else metric for metric in further]
    return _csv((*columns, *named), rows)


def graphite_csv(curves: Sequence[Curve], grid: Grid) -> str:
    """Return target, local time and value without a header, in Graphite's format."""
    rows = (
        (
            curve.name,
            f"{datetime.fromtimestamp(at_s, grid.zone):%Y-%m-%d %H:%M:%S}",
            number_or_none(value),
        )
        for curve in curves
        for at_s, value in zip(curve.starts_s, curve.values, strict=True)
    )
    return _csv((), rows)


def write_csv(out: IO[str], header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows as they arrive, for files too large for memory; an empty header is omitted."""
    writer = csv.writer(out, lineterminator="\r\n")
    heads = [header] if header else []
    writer.writerows([_defused(cell) for cell in row] for row in chain(heads, rows))


def number_or_none(value: Decimal | None) -> Number | None:
    """Return the number of a cell; None, which is an empty cell, where a quotient is by 0."""
    return None if value is None else as_number(value)


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    write_csv(out, header, rows)
    return out.getvalue()


def _defused(cell: object) -> object:
    """Put a quote in front of a text that starts like a formula; numbers stay numbers."""
    return _defused_text(cell) if isinstance(cell, str) else cell


@lru_cache(4_096)  # the same times, paths and metrics stand in many rows
def _defused_text(text: str) -> str:
    return _FORMULA.sub("'", text)
