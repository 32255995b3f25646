"""Resamples series of sums: folds stored buckets into the requested ones, and adds series.

Pure: takes edges, starts and values. Knows nothing of the calendar, the store, or how a series is
formatted in an answer. Sums are exact; see `formula` for what is computed from them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal, localcontext
from itertools import pairwise

from hailwhale.core.query.arithmetic import EXACT, ZERO
from hailwhale.core.query.columns import MetricColumns


def fold(
    edges: Sequence[int], starts: Sequence[int], values: Sequence[Decimal | None]
) -> list[Decimal]:
    """Sum the values that start in each `[edges[i], edges[i + 1])`; 0 if there are none.

    `starts` and `edges` are sorted; values[i] is that of the stored bucket at starts[i], None when
    nothing is stored. Values that start outside the edges are ignored.

    >>> fold([0, 60, 120, 180], [0, 30, 150], [Decimal(1), None, Decimal("0.5")])
    [Decimal('1'), Decimal('0'), Decimal('0.5')]
    """
    bounds = [bisect_left(starts, edge) for edge in edges]
    with localcontext(EXACT):
        return [sum(filter(None, values[low:high]), ZERO) for low, high in pairwise(bounds)]


def add(left: MetricColumns, right: MetricColumns) -> dict[str, list[Decimal]]:
    """Add the columns of two series point by point; a missing column is all zeros.

    >>> add({"hits": [Decimal(1), Decimal(2)]}, {"hits": [Decimal(3), Decimal(4)]})
    {'hits': [Decimal('4'), Decimal('6')]}
    """
    together = {}
    with localcontext(EXACT):
        for metric in dict.fromkeys([*left, *right]):
            zeros = [ZERO] * len(left.get(metric) or right.get(metric) or ())
            pairs = zip(left.get(metric, zeros), right.get(metric, zeros), strict=True)
            together[metric] = [a + b for a, b in pairs]
    return together
