"""Histograms as metrics: log-spaced buckets that add up like any sum, and quantiles from them.

A value of the metric `latency` counts 1 under a metric named after its bucket, `latency~p72`. There
are 24 buckets per factor of ten: `p72` holds values above 10^(71/24) and up to 10^(72/24), `n72`
the same below zero, and `z` is 0. The counts of a pk, a dimension
or a time range are the exact sums of its parts, so each of them has quantiles.

A quantile is the nearest-rank value, to five digits, with a relative error of at most
`MAX_RELATIVE_ERROR`. Pure: knows nothing of stores.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, localcontext

from hailwhale.core.events.aggregate import EXACT

SIGN = "~"  # between the name of a metric and its bucket
PER_DECADE = 24
_GROWTH = 10 ** (1 / PER_DECADE)
_MIDDLE_ERROR = (_GROWTH - 1) / (_GROWTH + 1)
DIGITS = 5  # of a quantile: three would add up to 0.5 % to its error
MAX_RELATIVE_ERROR = (
    0.048  # what is stated; at most 4.7934 % from the bucket, 0.005 % from rounding
)

_ZERO = "z"
_ON_AN_EDGE = 1e-9  # a power of ten is the upper edge of its bucket, whatever floats make of it
_BUCKET = re.compile(r"z|[pn](?:0|-?[1-9][0-9]{0,3})")


def bucket_of(value: Decimal | float) -> str:
    """Return the bucket of a value.

    >>> bucket_of(1000), bucket_of(1001), bucket_of(Decimal("-0.25")), bucket_of(0)
    ('p72', 'p73', 'n-14', 'z')
    """
    size = abs(float(value))
    if not size:
        return _ZERO
    index = math.ceil(PER_DECADE * math.log10(size) - _ON_AN_EDGE)
    return f"{'n' if value < 0 else 'p'}{index}"


def bucket_metric(metric: str, value: Decimal | float) -> str:
    """Return the metric that counts a value of `metric` in its histogram.

    >>> bucket_metric("latency", 20)
    'latency~p32'
    """
    return f"{metric}{SIGN}{bucket_of(value)}"


def is_bucket(name: str) -> bool:
    """Return whether a metric name is that of a histogram bucket.

    >>> is_bucket("latency~p32"), is_bucket("latency"), is_bucket("~p")
    (True, False, False)
    """
    return _BUCKET.fullmatch(name.rpartition(SIGN)[2]) is not None and SIGN in name


def buckets_of(metric: str, names: Iterable[str]) -> list[str]:
    """Return the names that belong to the histogram of a metric.

    >>> buckets_of("a", {"a", "a~p3", "a~b~p3", "b~p3", "a~total"})
    ['a~p3']
    """
    return sorted(name for name in names if is_bucket(name) and name.rpartition(SIGN)[0] == metric)


def value_of(bucket: str) -> Decimal:
    """Return the value that represents a bucket, to `DIGITS` digits.

    Its error is at most `MAX_RELATIVE_ERROR`, of every value in the bucket.

    >>> value_of("p72"), value_of("z")
    (Decimal('952.07'), Decimal('0'))
    """
    if bucket == _ZERO:
        return Decimal(0)
    upper = 10 ** (int(bucket[1:]) / PER_DECADE)
    middle = upper * (1 - _MIDDLE_ERROR)  # as far from the lower edge, each by its own size
    rounded = Decimal(f"{middle:.{DIGITS}g}")
    return rounded.copy_negate() if bucket[0] == "n" else rounded


def quantile(counts: Mapping[str, Decimal], share: float) -> Decimal | None:
    """Return the value at or below which a share of all values lies; None if there are none.

    `counts` are by metric, as named by `bucket_metric`.

    >>> counts = {"latency~p24": Decimal(90), "latency~p48": Decimal(10)}
    >>> quantile(counts, 0.5), quantile(counts, 0.95)
    (Decimal('9.5207'), Decimal('95.207'))
    """
    values = sorted(
        (value_of(name.rpartition(SIGN)[2]), count) for name, count in counts.items() if count > 0
    )
    if not values:
        return None
    with localcontext(EXACT):  # counts have up to 60 digits, and one of them may decide
        wanted = Decimal(repr(share)) * sum(count for _, count in values)
        reached = Decimal(0)
        for value, count in values:
            reached += count
            if reached >= wanted:
                return value
    return values[-1][0]
