"""Columns of sums: one value per bucket of each metric, their totals and running totals.

Everything is exact. Knows nothing of formulas.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from itertools import accumulate

from hailwhale.core.query.arithmetic import EXACT, ZERO

MetricColumns = Mapping[str, Sequence[Decimal]]


class NonAdditiveColumn(list[Decimal]):
    """A column whose total is not its sum, such as visitors counted in several buckets.

    >>> sums_of({"uniques": NonAdditiveColumn([Decimal(2), Decimal(2)], Decimal(3))}, ["uniques"])
    {'uniques': Decimal('3')}
    """

    def __init__(self, values: Iterable[Decimal], whole: Decimal) -> None:
        super().__init__(values)
        self.whole = whole


def sums_of(columns: MetricColumns, terms: Sequence[str]) -> dict[str, Decimal]:
    """Return the value of each term of a series: sums, and last values for `price:last`."""
    found = {}
    with localcontext(EXACT):
        for term in terms:
            metric, _, last = term.partition(":")
            values = columns.get(metric, ())
            if isinstance(values, NonAdditiveColumn):
                found[term] = values.whole
                continue
            found[term] = next(filter(None, reversed(values)), ZERO) if last else sum(values, ZERO)
    return found


def along_buckets(values: Sequence[Decimal], suffix: str) -> list[Decimal]:
    """Return a column itself, its running total (`sum`) or its last values (`last`)."""
    if suffix == "sum":
        with localcontext(EXACT):
            return list(accumulate(values))
    if suffix == "last":
        return list(accumulate(values, _carried))
    return list(values)


def _carried(last: Decimal, value: Decimal) -> Decimal:
    return value or last
