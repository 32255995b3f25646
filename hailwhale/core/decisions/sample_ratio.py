"""The sample-ratio check: tests whether options were exposed in the shares they were given in.

Implements the chi-square test of homogeneity and the gamma function that it needs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

_ROUNDS = 10_000
_ENOUGH = 1e-14


def sample_ratio(exposed: Sequence[int], allocated: Sequence[int]) -> float:
    """Return the p-value of equal probabilities of exposure for all options.

    The probability is that of an exposure, given that the option was assigned. Pearson's chi-square
    test on exposed and not exposed by option. A small p-value means that exposures of some option
    get lost: a sample ratio mismatch (Fabijan et al. 2019, KDD). The numbers of that option then
    describe a different set of visitors. No number in `exposed` exceeds the one in `allocated`.

    >>> round(sample_ratio([490, 400], [500, 500]), 6) < 0.001
    True
    >>> sample_ratio([90, 90], [100, 100])
    1.0
    """
    pairs = [(seen, given) for seen, given in zip(exposed, allocated, strict=True) if given > 0]
    total, seen_total = sum(given for _, given in pairs), sum(seen for seen, _ in pairs)
    if len(pairs) < 2 or not 0 < seen_total < total:
        return 1.0
    rate = seen_total / total
    missed = 1 - rate or (total - seen_total) / total  # a rate close to 1 is rounded to it
    statistic = sum((seen - given * rate) ** 2 / (given * rate * missed) for seen, given in pairs)
    return upper_gamma((len(pairs) - 1) / 2, statistic / 2)


def upper_gamma(a: float, x: float) -> float:
    """Return the regularised upper incomplete gamma function Q(a, x).

    Uses its series below a + 1 and Lentz's continued fraction above (Abramowitz and Stegun 1964,
    6.5.29 and 6.5.31).

    >>> round(upper_gamma(0.5, 3.841458820694124 / 2), 12)
    0.05
    """
    if x <= 0:
        return 1.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        for step in range(1, _ROUNDS):
            term *= x / (a + step)
            total += term
            if abs(term) < abs(total) * _ENOUGH:
                break
        return min(1.0, max(0.0, 1 - front * total))
    tiny = 1e-300
    b = x + 1 - a
    c, d = 1 / tiny, 1 / b
    fraction = d
    for step in range(1, _ROUNDS):
        factor = -step * (step - a)
        b += 2
        d = 1 / _nonzero(factor * d + b, tiny)
        c = _nonzero(b + factor / c, tiny)
        change = c * d
        fraction *= change
        if abs(change - 1) < _ENOUGH:
            break
    return min(1.0, front * fraction)


def _nonzero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny
