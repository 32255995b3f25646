"""The regression: a baseline for all options, and each option's effect on it at each column.

Estimates from normal equations. A column is a node or a pair of nodes; knows nothing of what
columns mean. The baseline is estimated with the options' effects integrated out (generalised least
squares), the effects by best linear unbiased prediction (Henderson 1975; Robinson 1991, Statistical
Science 6). The spread of the effects of a family of columns is estimated by empirical Bayes (Morris
1983, JASA 78). It uses MacKay's fixed point (1992, Neural Computation 4), which converges in a few
iterations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hailwhale.core.decisions.evidence import Floats, Places
from hailwhale.core.decisions.linear_systems import inverted, solved
from hailwhale.core.decisions.prior import Prior, baseline_precision

_TURNS = 4
_CONDITION = 1e-13  # of a column's information, is what its prior is worth at least
_LARGEST_SPREAD = 1e12


@dataclass(frozen=True, slots=True)
class Equations:
    """The normal equations, by option (K) and column (d), in units of information.

    `matrix[k, i, j]` is the joint weight of columns i and j, divided by the noise; `right[k, i]`
    the rewards at column i above the average, in units and divided by the noise. Column 0 is the
    root. `family` numbers the groups of columns that share a spread.
    """

    matrix: Floats  # [K, d, d]
    right: Floats  # [K, d]
    family: Places  # [d]


@dataclass(frozen=True, slots=True)
class Solution:
    """Baseline and effects in units, and the variances of the families' effects."""

    baseline: Floats  # [d]
    effects: Floats  # [K, d]
    covariances: Floats  # [K, d, d]
    spreads: Floats  # [families]


def solve(equations: Equations, prior: Prior, start: Floats | None = None) -> Solution:
    """Return consistent baseline, effects and spreads; `start` are the initial spreads."""
    matrix, right, family = equations.matrix, equations.right, equations.family
    spreads = np.array(prior.spreads if start is None else start, dtype=np.float64)
    size = len(family)
    own = np.einsum("kii->ki", matrix)
    seen = own > 0
    ridge = baseline_precision(own, prior.base)
    ridge[1:] = np.maximum(ridge[1:], _CONDITION * own.sum(axis=0)[1:])
    places = np.arange(size)
    baseline, effects, covariances = np.zeros(size), np.zeros_like(right), np.zeros_like(matrix)
    for _ in range(_TURNS):
        precision = np.array(matrix)
        precision[:, places, places] += np.maximum(1 / spreads[family], _CONDITION * own)
        covariances[...] = inverted(precision)
        # With the effects integrated out, the remaining information determines the baseline.
        explained = matrix @ covariances
        left = matrix.sum(axis=0) - (explained @ matrix).sum(axis=0)
        toward = right.sum(axis=0) - np.einsum("kij,kj->i", explained, right)
        baseline[...] = solved(left + np.diag(ridge), toward)
        effects[...] = np.einsum("kij,kj->ki", covariances, right - matrix @ baseline)
        variances = np.einsum("kii->ki", covariances)
        determined = np.clip(1 - variances / spreads[family], 0, 1)
        for each in range(len(spreads)):
            mine = seen & (family == each)
            total = prior.trust[each] * prior.spreads[each] + (effects[mine] ** 2).sum()
            spread = total / (prior.trust[each] + determined[mine].sum())
            spreads[each] = min(spread, _LARGEST_SPREAD)
    return Solution(baseline, effects, covariances, spreads)
