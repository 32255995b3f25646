"""Drift: weights evidence by its age, and detects the last change.

Knows nothing of what is concluded from the evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hailwhale.core.decisions.evidence import DecisionSums, Floats, NodePath, Places, WeightedSums
from hailwhale.core.decisions.linear_systems import log_determinants, solved
from hailwhale.core.decisions.nodes import joint_weights
from hailwhale.core.decisions.policy import Policy

_DAY_S = 86_400.0
_TINY = 1e-12
_FINEST = 40  # the busiest nodes, in which a change is looked for
_LEAST = 20.0  # conversions on either side of a change; fewer show nothing
_ENOUGH = 100.0  # conversions in all, before it is looked for
_CLOSER = 1.25  # changes are tried at ever larger distances from now
_SPREAD = 0.2  # of the options' effects, and of their differences between nodes
_BASE, _LEVEL = 0.5, 0.1  # of the baseline, and of the drift that all options share
# Share of the squared mean: a smaller variance is that of results counted in bulk, or of exposures
# fewer than the results that came of them. Then results are assumed to be rare, as in `model`.
_NO_VARIANCE, _RARE = 1e-6, 100.0
_CONDITION = 1e-13  # of a column's information, is what its prior is worth at least


def remembered(policy: Policy, ages_s: Floats, widths_s: Floats) -> Floats:
    """Return the weight of each bucket by its age."""
    if policy.half_life_days is None:
        return np.ones_like(ages_s)
    found: Floats = 0.5 ** ((ages_s + widths_s / 2) / (policy.half_life_days * _DAY_S))
    return found


def since_change(tally: DecisionSums, weighed: WeightedSums, policy: Policy) -> int:
    """Return the index of the first bucket after the last change; 0 if none is evident.

    Compares two models by their Bayes factor (Kass and Raftery 1995, JASA 90): one set of effects
    throughout, or different effects before and after the bucket. A change is evident when the log
    of the factor exceeds `policy.change`. All options rising or falling together is not a change.
    """
    looked = _SumsToDate.at(tally, weighed)
    if policy.change <= 0 or looked is None:
        return 0
    found = max(((looked.evidence(bucket), bucket) for bucket in looked.candidates), default=None)
    return found[1] if found is not None and found[0] > policy.change else 0


@dataclass(frozen=True, slots=True)
class _SumsToDate:
    """Cumulative sums up to each bucket at the selected nodes, in units of information."""

    paths: Sequence[NodePath]
    pairs: Places
    weights: Floats  # [B, K, n + p], added up from the first bucket
    rewards: Floats  # [B, K, n + p]
    scale: float
    unit: float

    @classmethod
    def at(cls, tally: DecisionSums, weighed: WeightedSums) -> _SumsToDate | None:
        """Return the cumulative sums to examine; None if there is too little evidence."""
        total = weighed.weights.sum(axis=(0, 1))
        reward = weighed.rewards[:, :, 0].sum()
        if total[0] <= 0 or len(weighed.weights) < 4:
            return None
        mean = reward / total[0]
        variance = weighed.squares[..., 0].sum() / total[0] - mean**2
        if variance <= _NO_VARIANCE * mean**2:
            variance = _RARE * mean**2
        noise = max(variance, _TINY)
        unit = max(abs(mean), 0.05 * float(np.sqrt(noise)))
        scale = unit**2 / noise
        if scale * total[0] < _ENOUGH:
            return None
        size = len(tally.nodes)
        nodes = [place for place, path in enumerate(tally.nodes) if len(path) <= 2]
        nodes = sorted(sorted(nodes, key=lambda place: -total[place])[:_FINEST])
        where = {place: at for at, place in enumerate(nodes)}
        pairs = [
            (at, where[int(low)], where[int(high)])
            for at, (low, high) in enumerate(tally.pairs)
            if int(low) in where and int(high) in where
        ]
        columns = [*nodes, *(size + at for at, _, _ in pairs)]
        return cls(
            [tally.nodes[place] for place in nodes],
            np.array([pair[1:] for pair in pairs], dtype=np.intp).reshape(-1, 2),
            np.cumsum(weighed.weights[:, :, columns], axis=0),
            np.cumsum(weighed.rewards[:, :, columns], axis=0),
            scale,
            unit,
        )

    @property
    def candidates(self) -> list[int]:
        """Return candidate buckets for a change, each much further back than the one before."""
        known = self.scale * self.weights[:, :, 0].sum(axis=1)
        found, wanted = [], _LEAST
        for bucket in range(len(known) - 1, 0, -1):
            after = known[-1] - known[bucket - 1]
            if after >= wanted and known[bucket - 1] >= _LEAST:
                found.append(bucket)
                wanted = _CLOSER * after
        return found

    def evidence(self, bucket: int) -> float:
        """Return the log Bayes factor of a change at a bucket."""
        whole = self._equations(len(self.weights))
        before = self._equations(bucket)
        after = (whole[0] - before[0], whole[1] - before[1])
        base = _baseline(*whole)
        apart = sum(_likelihood(*each, _shifted(*each, base))[0] for each in (before, after))
        together, effects = _likelihood(*whole, base)
        # The level may drift even without a change: one more parameter to estimate from new data.
        off = after[1][:, 0].sum() - np.einsum("ki,ki->", after[0][:, 0, :], effects + base)
        known = max(after[0][:, 0, 0].sum(), 0.0) * _LEVEL**2
        drift = 0.5 * off**2 * _LEVEL**2 / (1 + known) - 0.5 * np.log1p(known)
        return float(apart - together - drift)

    def _equations(self, buckets: int) -> tuple[Floats, Floats]:
        weights, rewards = self.weights[buckets - 1], self.rewards[buckets - 1]
        size = len(self.paths)
        joint = self.scale * joint_weights(self.paths, self.pairs, weights)
        return joint, self.scale * rewards[:, :size] / self.unit


def _baseline(matrix: Floats, right: Floats) -> Floats:
    ridge = np.full(matrix.shape[1], 1 / _BASE**2)
    ridge[0] = 1e-6
    whole = matrix.sum(axis=0)
    ridge[1:] = np.maximum(ridge[1:], _CONDITION * whole.diagonal()[1:])
    return solved(whole + np.diag(ridge), right.sum(axis=0))


def _shifted(matrix: Floats, right: Floats, base: Floats) -> Floats:
    """Return the baseline, shifted to the level of these sums."""
    found = np.array(base)
    found[0] += (right[:, 0].sum() - (matrix[:, 0, :] @ base).sum()) / (
        max(matrix[:, 0, 0].sum(), 0.0) + 1e-9
    )
    return found


def _likelihood(matrix: Floats, right: Floats, base: Floats) -> tuple[float, Floats]:
    """Return the log-likelihood of sums with the effects integrated out, and the effects."""
    left = right - matrix @ base
    precision = matrix + np.eye(matrix.shape[1]) / _SPREAD**2
    effects = solved(precision, left[:, :, None])[:, :, 0]
    size = log_determinants(precision * _SPREAD**2)
    by_effects = 0.5 * (left * effects).sum() - 0.5 * size.sum()
    by_base = (right @ base).sum() - 0.5 * np.einsum("i,kij,j->", base, matrix, base)
    return float(by_effects + by_base), effects
