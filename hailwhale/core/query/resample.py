"""Series of sums: stored buckets folded into the buckets asked for, and series put together.

Pure: it is handed edges, starts and values. It must not know the calendar, the store, or how a
series is written in an answer. Sums are exact; see `formula` for what is made of them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal, localcontext
from itertools import pairwise

from hailwhale.core.query.formula import EXACT, ZERO, MetricColumns


def fold(
    edges: Sequence[int], starts: Sequence[int], values: Sequence[Decimal | None]
) -> list[Decimal]:
    """The sum of the values that start in each `[edges[i], edges[i + 1])`, 0 where there are none.

    `starts` and `edges` are sorted; values[i] is that of the stored bucket at starts[i], None when
    nothing is stored. What starts outside the edges is left out.

    >>> fold([0, 60, 120, 180], [0, 30, 150], [Decimal(1), None, Decimal("0.5")])
    [Decimal('1'), Decimal('0'), Decimal('0.5')]
    """
    bounds = [bisect_left(starts, edge) for edge in edges]
    with localcontext(EXACT):
        return [sum(filter(None, values[low:high]), ZERO) for low, high in pairwise(bounds)]


def add(left: MetricColumns, right: MetricColumns) -> dict[str, list[Decimal]]:
    """The columns of two series together, point by point; a missing column is all zeros.

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
