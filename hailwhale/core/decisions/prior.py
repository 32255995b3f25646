"""The prior: what is assumed of a decision before any event is counted.

Divides the total effect of context, which `Policy` gives, among the families of nodes and pairs,
and sets how strongly a baseline is shrunk to the average. Knows nothing of what was counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hailwhale.core.decisions.evidence import Floats
from hailwhale.core.decisions.policy import Policy

_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Prior:
    """The assumptions before any event is counted.

    By family: the variance of effects, and the number of effects that this guess is worth; and the
    spread of the baseline.
    """

    spreads: Floats
    trust: Floats
    base: float


def prior_of(policy: Policy, families: int, of_pairs: int = 0) -> Prior:
    """Divide the total effect of context among the families of nodes, and of pairs."""
    node = policy.node_spread**2 / max(families - 1, 1)
    pair = policy.pair_spread**2 / max(of_pairs, 1)
    spreads = np.array([policy.root_spread**2, *[node] * (families - 1), *[pair] * of_pairs])
    trust = [policy.root_trust, *[policy.node_trust] * (families - 1)]
    return Prior(spreads, np.array(trust + [policy.pair_trust] * of_pairs), policy.base_spread)


def baseline_precision(own: Floats, base: float) -> Floats:
    """Return the baseline's prior precision by column; at the root it is the average.

    As far as only a single option was seen at a column, its effect and the baseline cannot be
    distinguished, and all is attributed to the option. `own` is the information that each option
    has at each column, [K, d].
    """
    parts = own / np.maximum(own.sum(axis=0), _TINY)
    mixed = np.maximum(1 - (parts**2).sum(axis=0), 1e-4)
    found: Floats = 1 / (base**2 * mixed) + 1e-9
    found[0] = 1e9
    return found
