"""The model: estimates the value of each option to each kind of visitor, from sums alone.

The reward per unit of weight of option k for a visitor at columns x (nodes, and pairs of them) is

    average + unit * sum of (baseline[i] + effect[k, i]) over i of x

with normal noise. Builds the regression and interprets its solution; `ridge` does the estimation,
and `interactions` selects the pairs that are columns. Knows nothing of how options are chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hailwhale.core.decisions.evidence import Floats, NodePath, Places
from hailwhale.core.decisions.interactions import PairColumns, PairCounts, telling_pairs, with_pairs
from hailwhale.core.decisions.nodes import Nodes, frequency, joint_weights, with_lacking
from hailwhale.core.decisions.policy import Policy
from hailwhale.core.decisions.prior import prior_of
from hailwhale.core.decisions.ridge import Equations, Solution, solve

_TINY = 1e-12
# The prior of the results' variance: one conversion in a hundred, with the weight of this many
# conversions. Results counted in bulk show no variance at all.
_RARE, _RARE_EVENTS = 100.0, 20.0
_LOTS = 10.0
_STEADIEST = 1e-12  # variance of results relative to their squared mean


@dataclass(frozen=True, slots=True)
class ModelInputs:
    """The sums that a model is estimated from: by option (K), node (N) and pair (P)."""

    weights: Floats  # [K, N + P]
    rewards: Floats  # [K, N + P]
    squares: Floats  # [K, 3], as in `WeightedSums`
    hits: Floats  # [K]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The estimates, in units of `unit`.

    `noise` is the variance of a reward per unit of weight. Columns are the nodes, followed by the
    pairs of `pair_columns`, by their indices among all pairs. `family` numbers the groups of
    columns whose effects have the same variance, which is in `solution.spreads`. `pair_spread` is
    the variance for pairs without a column.
    """

    nodes: Nodes
    options: tuple[str, ...]
    average: float
    unit: float
    noise: float
    solution: Solution
    family: Places
    pair_columns: dict[int, int]
    pair_spread: float
    sums: ModelInputs

    @property
    def conversions(self) -> Floats:
        """Return the certainty of each value as an equivalent number of conversions, [K]."""
        found: Floats = self.sums.weights[:, 0] * self.average**2 / self.noise
        return found

    @property
    def is_finite(self) -> bool:
        """Return whether every estimate is a finite number."""
        solution = self.solution
        numbers = np.array([self.average, self.unit, self.noise])
        estimates = (solution.baseline, solution.effects, solution.covariances, solution.spreads)
        return all(bool(np.isfinite(each).all()) for each in (numbers, *estimates))


def noise_of(sums: ModelInputs) -> float:
    """Return the variance of a reward per unit of weight, within options."""
    weight, reward = sums.weights[:, 0], sums.rewards[:, 0]
    if weight.sum() <= 0:
        return 1.0
    mean = reward / np.maximum(weight, _TINY)
    assumed = _RARE * max((reward.sum() / weight.sum()) ** 2, _TINY)
    square, cross, under = sums.squares.T
    # Squares add up to at least those of equal results. If they do not, they were not counted.
    if (square < 0.999 * reward**2 / np.maximum(sums.hits, 1.0)).any():
        return float(assumed)
    within = (square - 2 * mean * cross + mean**2 * under).sum() / weight.sum()
    conversions = reward.sum() ** 2 / max(square.sum(), _TINY)
    trusted = max(min(conversions, sums.hits.sum()), sums.hits.sum() / 1_000)
    # The variance of a few large batches depends on their origin: more results, more trust.
    seen = min(max(within, 0.0), assumed * max(1.0, trusted / _LOTS))
    blended = (_RARE_EVENTS * assumed + trusted * seen) / (_RARE_EVENTS + trusted)
    return float(max(blended, _STEADIEST * assumed, _TINY))


def estimate(
    options: Sequence[str],
    paths: Sequence[NodePath],
    pairs: Places,
    sums: ModelInputs,
    policy: Policy,
) -> Model:
    """Estimate the model of these sums."""
    size = len(paths)
    joint = joint_weights(paths, pairs, sums.weights)
    nodes, joint, rewards = with_lacking(paths, pairs, joint, sums.rewards[:, :size])
    weight = joint[:, 0, 0].sum()
    average = float(rewards[:, 0].sum() / weight) if weight > 0 else 0.0
    noise = noise_of(sums)
    unit = max(abs(average), 0.05 * float(np.sqrt(noise)), _TINY)
    scale = unit**2 / noise
    above = rewards - average * joint[:, 0, :]
    equations = Equations(scale * joint, scale * above / unit, nodes.families)
    prior = prior_of(policy, int(nodes.families.max()) + 1)
    solution = solve(equations, prior)
    columns = PairColumns(np.array([], dtype=np.intp), np.array([], dtype=np.intp))
    if len(pairs):
        counted = _counted(nodes, joint, sums, average, unit)
        columns = telling_pairs(nodes, counted, solution, scale, policy.pair_evidence)
        if len(columns.chosen):
            equations = with_pairs(equations, nodes, counted, columns, scale)
            prior = prior_of(policy, len(prior.spreads), int(columns.family.max()) + 1)
            more = prior.spreads[len(solution.spreads) :]
            solution = solve(equations, prior, np.concatenate([solution.spreads, more]))
    return Model(
        nodes=nodes,
        options=tuple(options),
        average=average,
        unit=unit,
        noise=noise,
        solution=solution,
        family=equations.family,
        pair_columns={int(pair): joint.shape[1] + at for at, pair in enumerate(columns.chosen)},
        pair_spread=policy.pair_spread**2,
        sums=sums,
    )


def _counted(
    nodes: Nodes, joint: Floats, sums: ModelInputs, average: float, unit: float
) -> PairCounts:
    surely, maybe = nodes.along()
    often = frequency(joint)
    weights = sums.weights[:, len(nodes.paths) :]
    rewards = sums.rewards[:, len(nodes.paths) :] - average * weights
    return PairCounts(weights, rewards / unit, surely, maybe, often)
