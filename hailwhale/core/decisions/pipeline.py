"""Fits a posterior to the sums of a decision.

Defines the order of steps: the objective, the evidence that counts, the model, and the posterior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hailwhale.core.decisions.drift import remembered, since_change
from hailwhale.core.decisions.evidence import DecisionSums, Floats, WeightedSums, bounded
from hailwhale.core.decisions.model import ModelInputs, estimate
from hailwhale.core.decisions.objective import Objective
from hailwhale.core.decisions.policy import Policy
from hailwhale.core.decisions.posterior import Posterior
from hailwhale.core.decisions.reward_delay import RewardDelay, learned


def fit(tally: DecisionSums, objective: Objective, policy: Policy) -> Posterior:
    """Fit a posterior to the sums of a decision.

    Raises `ArithmeticError` if the estimates are not finite. Bounded sums do not lead to that.
    """
    tally = tally.bounded()
    weighed = _due(objective.weigh(tally), tally, policy)
    if policy.half_life_days is None:
        kept = np.ones_like(tally.ages_s)
        kept[: since_change(tally, weighed, policy)] = 0.0
    else:
        kept = remembered(policy, tally.ages_s, tally.widths_s)
    model = estimate(tally.options, tally.nodes, tally.pairs, _summed(weighed, kept), policy)
    if not model.is_finite:
        raise ArithmeticError("the estimates of the decision are not finite")
    return Posterior(model, policy, objective.sign)


def unfitted(options: Sequence[str], objective: Objective, policy: Policy) -> Posterior:
    """Return the posterior of options of which nothing is known."""
    nothing = np.zeros((len(options), 1))
    sums = ModelInputs(nothing, nothing, np.zeros((len(options), 3)), nothing[:, 0])
    no_pairs = np.zeros((0, 2), dtype=np.intp)
    return Posterior(estimate(options, [()], no_pairs, sums, policy), policy, objective.sign)


def _due(weighed: WeightedSums, tally: DecisionSums, policy: Policy) -> WeightedSums:
    """Move exposures to the time their results are due, by the policy's delay or a learned one."""
    ages_s, widths_s = tally.ages_s, tally.widths_s
    if policy.delay_s is None:
        exposed, rewards = weighed.weights[:, :, 0], weighed.rewards[:, :, 0]
        lag = learned(exposed, rewards, weighed.squares[..., 0], ages_s, widths_s)
    else:
        lag = RewardDelay(policy.delay_s) if policy.delay_s else None
    if lag is None:
        return weighed
    square, cross, under = np.moveaxis(weighed.squares, -1, 0)
    return replace(
        weighed,
        weights=lag.moved(weighed.weights, ages_s, widths_s),
        squares=np.stack([square, cross, lag.moved(under, ages_s, widths_s)], axis=-1),
        hits=lag.moved(weighed.hits, ages_s, widths_s),
    )


def _summed(weighed: WeightedSums, kept: Floats) -> ModelInputs:
    """Sum over buckets, each with its weight."""

    def summed(sums: Floats, power: int = 1) -> Floats:
        return bounded(np.tensordot(kept, sums, 1), power)

    return ModelInputs(
        summed(weighed.weights),
        summed(weighed.rewards),
        summed(weighed.squares, 2),
        summed(weighed.hits),
    )
