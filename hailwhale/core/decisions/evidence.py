"""Evidence: the sums that a decision is based on, as the store counted them.

Defines their shape. `objective` defines what they mean, `drift` which of them still count, and
`model` what follows from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

NodePath = tuple[str, ...]  # a dimension; () is the root, which every visitor is at
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

# An amount is below 10^30 and has at most 30 decimals. Sums beyond these bounds carry no meaning,
# and within them no product that the maths computes overflows.
_LARGEST, _SMALLEST = 1e36, 1e-36


def bounded(values: Floats, power: int = 1) -> Floats:
    """Limit values to what sums of amounts, or of their products of a `power`, can be.

    Replaces what is not a number, or too small to matter, by 0. Leaves ordinary sums unchanged.

    >>> bounded(np.array([19.99, np.inf, -1e300, np.nan, 5e-324])).tolist()
    [19.99, 1e+36, -1e+36, 0.0, 0.0]
    """
    largest = _LARGEST**power
    found = np.nan_to_num(np.clip(values, -largest, largest), nan=0.0)
    return np.where(np.abs(found) < _SMALLEST**power, 0.0, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSums:
    """Sums of one decision by time bucket (B), option (K) and node (N) or pair of nodes (P).

    `nodes[0]` is the root. `pairs` holds indices i < j of nodes whose joint sums were counted. The
    last axis of `sums` has the nodes and then the pairs; "hits" is always there. `products` are
    sums over events of a * b / max(hits, 1), overall. Ages are those of the ends of buckets, newest
    last.
    """

    options: tuple[str, ...]
    ages_s: Floats  # [B], 0 for the bucket that runs
    widths_s: Floats  # [B]
    nodes: tuple[NodePath, ...]
    pairs: Places  # [P, 2]
    sums: Mapping[str, Floats]  # metric -> [B, K, N + P]
    products: Mapping[tuple[str, str], Floats]  # (a, b), a <= b -> [B, K]

    def bounded(self) -> DecisionSums:
        """Return these sums within the bounds of `bounded`."""
        sums = {name: bounded(values) for name, values in self.sums.items()}
        products = {names: bounded(values, 2) for names, values in self.products.items()}
        return replace(self, sums=sums, products=products)


@dataclass(frozen=True, slots=True)
class WeightedSums:
    """The sums in the form a regression takes: rewards per unit of weight, by bucket.

    The weight is the denominator of the formula (usually hits), the reward is its numerator. The
    sign of the reward is reversed if the goal is a minimum.
    """

    weights: Floats  # [B, K, N + P]
    rewards: Floats  # [B, K, N + P]
    squares: Floats  # [B, K, 3]: sums of reward², of reward * weight and of weight²
    hits: Floats  # [B, K]
