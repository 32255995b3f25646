"""Reward delay: learns from the counts how long results take; moves exposures to their due time.

Relates exposures to later results. An exposure counts at once, its result when it comes. Compared
without correction, young exposures would pass for failures. So an exposure is moved to the time its
result is due; an exposure whose result is due later does not count yet.

The delay is learned from the times at which results came. Given the times of an option's exposures,
its results fall in each time bucket in proportion to the exposures whose results are due there.
This is a multinomial distribution, in which the rate itself cancels. Of several lags, fixed or
exponential, the likeliest is used if it is clearly likelier than none.
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
    """How long results take: all about `lag_s`, or distributed exponentially around that mean.

    `early` is the share of results that come evenly before a fixed lag.
    """

    lag_s: float
    spread: bool = False
    early: float = 0.0

    def moved(self, sums: Floats, ages_s: Floats, widths_s: Floats) -> Floats:
        """Return the sums of exposures in the buckets in which their results are due.

        `sums` has buckets as its first axis. Exposures whose results are due later are omitted.

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
        """Return the share of the results of bucket b that have come by time t, [t, b]."""
        oldest = np.maximum(until_s[:, None] - starts_s[None, :], 0.0)
        youngest = np.maximum(until_s[:, None] - ends_s[None, :], 0.0)
        widths_s = np.maximum(ends_s - starts_s, 1.0)
        found: Floats = (self._added_up(oldest) - self._added_up(youngest)) / widths_s
        return found

    def _added_up(self, ages_s: Floats) -> Floats:
        """Return the integral over ages of the share of results that have come by that age."""
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
    """Learn the delay of results from the sums of options by bucket, [B, K]; None if there is none.

    `squares` are sums of squared rewards: they show how many results the rewards consist of.
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
    """Return the log-likelihood of the times of `results`, given how many were `due`; [B, K]."""
    due = np.maximum(due, 0.0)
    total = due.sum(axis=0)
    shares = (due + (_STRAY * total + 1e-9) / len(due)) / (total * (1 + _STRAY) + 1e-9)
    return float((results * np.log(shares)).sum())
