"""Lateness: how long results take to come, seen from the counts, and exposures at their due time.

Owns the relation of exposures to later results. An exposure counts at once, its result when it
comes; held against each other as they are, young exposures would pass for failures. So an exposure
is moved to when its result is due, and one whose result is due later does not count yet.

How late results are is learned from when they came: given when an option was exposed, its results
fall in each bucket of time in proportion to the exposures whose results are due there. That is a
multinomial distribution, in which the rate itself cancels; of some lags, fixed or exponential, the
likeliest is taken if it is clearly likelier than none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hailwhale.core.decisions.evidence import Floats

_HOUR_S, _DAY_S = 3_600.0, 86_400.0
_LAGS_S = (
    *(hours * _HOUR_S for hours in (1, 3, 6, 12)),
    *(days * _DAY_S for days in (1, 1.5, 2, 3, 4, 5, 7, 10, 14)),
)
_EARLY = 0.05  # of results that have a fixed lag, come evenly before it all the same
_CLEAR = 5.0  # units of log-likelihood by which a lag must be likelier than none
_LEAST = 10.0  # results without which nothing is learned
_STRAY = 1e-3  # of results, come at any time whatever the lag


@dataclass(frozen=True, slots=True)
class RewardDelay:
    """How long results take: all about `lag_s`, or spread exponentially around that mean.

    `early` is the part of those with a fixed lag that come evenly before it.
    """

    lag_s: float
    spread: bool = False
    early: float = 0.0

    def moved(self, sums: Floats, ages_s: Floats, widths_s: Floats) -> Floats:
        """Sums of exposures in the buckets in which their results are due.

        `sums` has buckets as its first axis. Those whose results are due later are left out.

        >>> hours = np.full(3, 3600.0)
        >>> counts, ages_s = np.array([6.0, 4.0, 2.0]), np.array([7200.0, 3600.0, 0.0])
        >>> RewardDelay(5400.0).moved(counts, ages_s, hours)
        array([0., 3., 5.])
        """
        ends_s = -ages_s
        starts_s = ends_s - widths_s
        parts = self._come(ends_s, starts_s, ends_s) - self._come(starts_s, starts_s, ends_s)
        found: Floats = np.tensordot(parts, sums, 1)
        return found

    def _come(self, until_s: Floats, starts_s: Floats, ends_s: Floats) -> Floats:
        """[t, b]: the part of the results of bucket b that has come until time t."""
        oldest = np.maximum(until_s[:, None] - starts_s[None, :], 0.0)
        youngest = np.maximum(until_s[:, None] - ends_s[None, :], 0.0)
        widths_s = np.maximum(ends_s - starts_s, 1.0)
        found: Floats = (self._added_up(oldest) - self._added_up(youngest)) / widths_s
        return found

    def _added_up(self, ages_s: Floats) -> Floats:
        """The integral over ages of the part of results that has come by that age."""
        lag_s = self.lag_s
        if self.spread:
            spread: Floats = ages_s - lag_s * (1 - np.exp(-ages_s / lag_s))
            return spread
        late = np.maximum(ages_s - lag_s, 0.0)
        if not self.early:
            return late
        evenly = np.where(ages_s < lag_s, ages_s**2 / (2 * lag_s), ages_s - lag_s / 2)
        found: Floats = (1 - self.early) * late + self.early * evenly
        return found


def learned(
    exposed: Floats, rewards: Floats, squares: Floats, ages_s: Floats, widths_s: Floats
) -> RewardDelay | None:
    """How late results are, from the sums of options by bucket, [B, K]; None if they are not late.

    `squares` are sums of squared rewards: they tell of how many results the rewards are made.
    """
    total = rewards.sum()
    if not total or squares.sum() <= 0:
        return None
    results = np.maximum(np.sign(total) * rewards, 0.0) * abs(total) / squares.sum()
    if results.sum() < _LEAST:
        return None
    best, lag = _likelihood(exposed, results) + _CLEAR, None
    for tried in _lags():
        found = _likelihood(tried.moved(exposed, ages_s, widths_s), results)
        if found > best:
            best, lag = found, tried
    return lag


def _lags() -> Iterator[RewardDelay]:
    for lag_s in _LAGS_S:
        yield RewardDelay(lag_s, early=_EARLY)
        yield RewardDelay(lag_s, spread=True)


def _likelihood(due: Floats, results: Floats) -> float:
    """The log-likelihood of when results came, given how many were due when; [B, K] both."""
    due = np.maximum(due, 0.0)
    total = due.sum(axis=0)
    shares = (due + (_STRAY * total + 1e-9) / len(due)) / (total * (1 + _STRAY) + 1e-9)
    return float((results * np.log(shares)).sum())
