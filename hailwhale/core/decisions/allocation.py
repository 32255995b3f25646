"""Allocation: divides visitors among options, given the estimated value of each option.

Takes means and standard errors. Knows nothing of where they come from.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hailwhale.core.decisions.evidence import Floats
from hailwhale.core.decisions.policy import Policy

DRAWS = 1_024  # by which shares are worked out: to a tenth of a percent
_SEED = 20_111_114
_FEW = 50  # options whose draws are cached


def normals(options: int, draws: int = DRAWS) -> Floats:
    """Return independent standard normal draws, [draws, options]; they are always the same ones.

    Each draw comes with its negative, so that equal options get nearly equal shares.
    """
    return _kept_normals(options, draws) if options <= _FEW else _drawn(options, draws)


def _drawn(options: int, draws: int) -> Floats:
    half = np.random.default_rng(_SEED).standard_normal((draws // 2, options))
    found = np.concatenate([half, -half])
    found.setflags(write=False)
    return found


_kept_normals = lru_cache(64)(_drawn)


def shares_by_draws(means: Floats, doubts: Floats) -> Floats:
    """Return how often each option is the best when each is drawn with its standard error.

    Thompson sampling (Thompson 1933, Biometrika 25) with its probabilities computed. No share is 0:
    every option is given now and then, so that outcomes can be reweighted for another rule.

    >>> shares_by_draws(np.array([1.0, 0.0]), np.array([0.1, 0.1])).round(3).tolist()
    [1.0, 0.0]
    """
    count = len(means)
    best = np.argmax(means + doubts * normals(count), axis=1)
    found: Floats = (np.bincount(best, minlength=count) + 1 / count) / (DRAWS + 1)
    return found


def explored(means: Floats, doubts: Floats, conversions: Floats, policy: Policy) -> Floats:
    """Return shares that find the best option at little loss.

    Most visitors get the option with the highest upper confidence bound (Auer, Cesa-Bianchi and
    Fischer 2002, Machine Learning 47), so options are tried until they are known not to be the
    best. The others get an option by a draw, which never gives up on an option. For an option with
    few `conversions` the draw uses the full standard error.
    """
    full = policy.burn_in / (policy.burn_in + conversions)
    caution = policy.caution + (1 - policy.caution) * full
    drawn = shares_by_draws(means, caution * doubts)
    hopeful = certain(means + policy.optimism * doubts)
    found: Floats = policy.hopeful * hopeful + (1 - policy.hopeful) * drawn
    return found


def certain(means: Floats) -> Floats:
    """Give all visitors to the option with the highest mean; the first of equals."""
    found = np.zeros(len(means))
    found[int(np.argmax(means))] = 1.0
    return found


def within(shares: Floats, least: Floats, most: Floats) -> Floats:
    """Limit shares to bounds; they still add up to 1 and otherwise keep their proportions.

    Bounds that contradict each other are relaxed: `most` first.

    >>> within(np.array([0.9, 0.06, 0.04]), np.full(3, 0.05), np.full(3, 0.8)).round(4).tolist()
    [0.8, 0.12, 0.08]
    """
    least = least / max(1.0, least.sum())
    most = np.maximum(most, least)
    found = np.array(shares, dtype=float)
    free = np.ones(len(found), dtype=bool)
    for _ in range(2 * len(found) + 1):
        left = 1.0 - found[~free].sum()
        total = found[free].sum()
        if free.any():
            found[free] = found[free] * left / total if total > 0 else left / free.sum()
        low, high = free & (found < least - 1e-12), free & (found > most + 1e-12)
        # Fix one side at a time, the larger violation first: this may fix the other as well.
        short, over = (least - found)[low].sum(), (found - most)[high].sum()
        if not low.any() and not high.any():
            break
        held, bound = (low, least) if short >= over else (high, most)
        found[held], free[held] = bound[held], False
    held_all: Floats = found / found.sum()
    return held_all
