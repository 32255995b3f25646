"""Formats numbers, aligned columns and sparklines for a terminal. Pure: values in, text out."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from hailwhale.core.numbers import Number, decimal_text

_BARS = "▁▂▃▄▅▆▇█"
_WIDEST = 60
_GAP = "  "


def number_text(number: Number) -> str:
    """Format a number in plain digits, with thousands separators.

    >>> number_text(1234567), number_text(-1234.5), number_text(Decimal("1E+4"))
    ('1,234,567', '-1,234.5', '10,000')
    """
    exact = Decimal(repr(number)) if isinstance(number, float) else number
    whole, point, fraction = decimal_text(exact).partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}{point}{fraction}"


def table(header: Sequence[str], rows: Sequence[Sequence[str | Number]]) -> str:
    """Format rows under a header in aligned columns: numbers to the right, text to the left.

    >>> print(table(["dimension", "hits"], [["country", 1200], ["_", 7]]))
    dimension   hits
    country    1,200
    _              7
    """
    columns = list(zip(*rows, strict=True)) or [() for _ in header]
    # A text among numbers stands for a missing one.
    numeric = [any(not isinstance(cell, str) for cell in column) for column in columns]
    texts = [
        [name, *(cell if isinstance(cell, str) else number_text(cell) for cell in column)]
        for name, column in zip(header, columns, strict=True)
    ]
    widths = [max(map(len, column)) for column in texts]
    lines = (
        _GAP.join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        )
        for line in zip(*texts, strict=True)
    )
    return "\n".join(line.rstrip() for line in lines)


def sparkline(values: Sequence[Number | None], width: int = _WIDEST) -> str:
    """Draw the values as bars from 0, or from the lowest value if any is negative; None as a gap.

    More values than `width` are drawn as the extremes of runs of neighbours: no peak is lost.

    >>> sparkline([0, 1, 2, 3, 4, 5, 6, 7])
    '▁▂▃▄▅▆▇█'
    >>> sparkline([0, 0, 0]), sparkline([5, 5]), sparkline([-2, 0, 2]), sparkline([])
    ('▁▁▁', '██', '▁▅█', '')
    >>> sparkline([1, None, 2])
    '▅ █'
    """
    heights = _squeezed([None if value is None else float(value) for value in values], width)
    known = [0.0, *(height for height in heights if height is not None)]
    base, top = min(known), max(known)
    highest = len(_BARS) - 1
    span = top - base or 1.0
    # Divided first: the reciprocal of a tiny span is infinite.
    return "".join(
        _GAP[0] if height is None else _BARS[int((height - base) / span * highest + 0.5)]
        for height in heights
    )


def _squeezed(heights: Sequence[float | None], width: int) -> Sequence[float | None]:
    if len(heights) <= width:
        return heights
    edges = [place * len(heights) // width for place in range(width + 1)]
    return [_extreme(heights[low:high]) for low, high in pairwise(edges)]


def _extreme(heights: Sequence[float | None]) -> float | None:
    return max((each for each in heights if each is not None), key=abs, default=None)
