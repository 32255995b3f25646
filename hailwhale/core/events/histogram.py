"""Histograms as metrics: log-spaced buckets that add up like any sum, and the quantiles they tell.

A value of the metric `latency` counts 1 under a metric named after its bucket, `latency~p72`. There
are 24 buckets to a factor of ten: `p72` holds values above 10^(71/24) and up to 10^(72/24), `n72`
the same below zero, `z` what is too small to tell from 0. So the counts of a pk, a dimension or a
span of time are the exact sums of those of its parts, and any of them tells its own quantiles.

A quantile is that of one of the values, nearest rank, off by at most `RELATIVE_ERROR` of itself.
Pure: it knows neither stores nor who counts.
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
RELATIVE_ERROR = (_GROWTH - 1) / (_GROWTH + 1)  # 4.8 %

_ZERO = "z"
_SMALLEST = 1e-9
_ON_AN_EDGE = 1e-9  # a power of ten is the upper edge of its bucket, whatever floats make of it
_BUCKET = re.compile(r"z|[pn](?:0|-?[1-9][0-9]{0,3})")


def bucket_of(value: Decimal | float) -> str:
    """The bucket of a value.

    >>> bucket_of(1000), bucket_of(1001), bucket_of(Decimal("-0.25")), bucket_of(0)
    ('p72', 'p73', 'n-14', 'z')
    """
    size = abs(float(value))
    if size < _SMALLEST:
        return _ZERO
    index = math.ceil(PER_DECADE * math.log10(size) - _ON_AN_EDGE)
    return f"{'n' if value < 0 else 'p'}{index}"


def bucket_metric(metric: str, value: Decimal | float) -> str:
    """The metric under which a value of `metric` counts in its histogram.

    >>> bucket_metric("latency", 20)
    'latency~p32'
    """
    return f"{metric}{SIGN}{bucket_of(value)}"


def is_bucket(name: str) -> bool:
    """Whether the name of a metric is that of a bucket.

    >>> is_bucket("latency~p32"), is_bucket("latency"), is_bucket("~p")
    (True, False, False)
    """
    return _BUCKET.fullmatch(name.rpartition(SIGN)[2]) is not None and SIGN in name


def buckets_of(metric: str, names: Iterable[str]) -> list[str]:
    """Those of some names of metrics that are the histogram of a metric.

    >>> buckets_of("a", {"a", "a~p3", "a~b~p3", "b~p3", "a~total"})
    ['a~p3']
    """
    return sorted(name for name in names if is_bucket(name) and name.rpartition(SIGN)[0] == metric)


def value_of(bucket: str) -> float:
    """The value that stands for all in a bucket: off by `RELATIVE_ERROR` of them at most.

    >>> round(value_of("p72")), value_of("z")
    (952, 0.0)
    """
    if bucket == _ZERO:
        return 0.0
    upper = 10 ** (int(bucket[1:]) / PER_DECADE)
    middle = upper * (1 - RELATIVE_ERROR)  # as far from the lower edge, each by its own size
    return -middle if bucket[0] == "n" else middle


def quantile(counts: Mapping[str, Decimal], share: float) -> float | None:
    """The value that a share of all values lie at or below; None when there are none.

    `counts` are by metric, as `bucket_metric` names them.

    >>> counts = {"latency~p24": Decimal(90), "latency~p48": Decimal(10)}
    >>> round(quantile(counts, 0.5), 2), round(quantile(counts, 0.95), 2)
    (9.52, 95.21)
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
