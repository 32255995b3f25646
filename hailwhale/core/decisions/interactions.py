"""Interactions: pairs of dimensions that explain more together than each one alone.

Selects the pairs that become columns of the regression. Every pair of dimensions is tested. A pair
is selected if its own evidence supports it: by how much likelier the residual of the single nodes
is if pairs have effects (a Bayes factor). Most decisions need no pairs, and pay nothing for them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hailwhale.core.decisions.evidence import Floats, Places
from hailwhale.core.decisions.fit_size import most_columns
from hailwhale.core.decisions.nodes import Nodes
from hailwhale.core.decisions.ridge import Equations, Solution

_TINY = 1e-12
_SPREADS = (0.01, 0.04, 0.16)  # variances of pairs' effects that are tried
_MOST_FAMILIES, _MOST_PAIRS = 3, 200


@dataclass(frozen=True, slots=True)
class PairColumns:
    """Pairs that became columns: their indices among all pairs, and those sharing a spread."""

    chosen: Places  # [p] places among the pairs
    family: Places  # [p] from 0


@dataclass(frozen=True, slots=True)
class PairCounts:
    """The counts of all pairs, by option (K) and pair (P), and the nodes that occur with them.

    A pair is certainly at its two nodes, at their ancestors and at the root (`surely`, [P, N]). It
    is at nodes of other dimensions (`maybe`) as often as an average visitor (`often`, [K, N]).
    """

    weights: Floats  # [K, P]
    rewards: Floats  # [K, P], in units
    surely: Floats
    maybe: Floats
    often: Floats

    def sums(self, effects: Floats) -> Floats:
        """Return the sum of the nodes' effects, [K, N], at each pair."""
        found: Floats = effects @ self.surely.T + (effects * self.often) @ self.maybe.T
        return found

    def along(self, chosen: Places) -> Floats:
        """Return how much of each chosen pair is at each node, [K, p, N]."""
        found: Floats = self.surely[chosen] + self.maybe[chosen] * self.often[:, None, :]
        return found


def telling_pairs(
    nodes: Nodes, counted: PairCounts, solution: Solution, scale: float, least: float
) -> PairColumns:
    """Return the pairs that are worth a column.

    They are those of dimensions whose pairs are likelier to matter than not, by `least` in units of
    log-likelihood. `scale` converts weight to information.
    """
    weights, rewards = counted.weights, counted.rewards
    expected = counted.sums(solution.effects + solution.baseline)
    left = scale * (rewards - weights * expected)
    known = scale * weights
    # An effect that all options share at a pair says nothing about which option is better there.
    left = left - known * (left.sum(axis=0) / np.maximum(known.sum(axis=0), _TINY))
    found = []
    for names in dict.fromkeys(nodes.pair_names):
        mine = [place for place, each in enumerate(nodes.pair_names) if each == names]
        evidence = max(_log_bayes(left[:, mine], known[:, mine], spread) for spread in _SPREADS)
        if evidence > least:
            found.append((evidence, mine))
    found.sort(key=lambda each: -each[0])
    chosen: list[int] = []
    family: list[int] = []
    room = min(_MOST_PAIRS, most_columns(len(weights)) - len(nodes.families))
    for number, (_, mine) in enumerate(found[:_MOST_FAMILIES]):
        if len(chosen) + len(mine) <= room:
            chosen += mine
            family += [number] * len(mine)
    return PairColumns(np.array(chosen, dtype=np.intp), np.array(family, dtype=np.intp))


def _log_bayes(left: Floats, known: Floats, spread: float) -> float:
    stretch = 1 + spread * known
    return float((-0.5 * np.log(stretch) + 0.5 * left**2 * spread / stretch).sum())


def with_pairs(
    equations: Equations, nodes: Nodes, counted: PairCounts, columns: PairColumns, scale: float
) -> Equations:
    """Return the equations with pairs as further columns.

    Joint weights of three and four nodes were not counted: given a pair, other nodes are assumed to
    occur as often as they do anyway.
    """
    chosen = columns.chosen
    own, at = counted.weights[:, chosen], counted.along(chosen)
    cross = own[:, :, None] * at  # [K, p, N]
    low, high = nodes.pairs[chosen].T
    both = own[:, :, None] * at[:, :, low] * at[:, :, high]
    both = (both + both.transpose(0, 2, 1)) / 2
    places = np.arange(len(chosen))
    both[:, places, places] = own
    top = np.concatenate([equations.matrix, scale * cross.transpose(0, 2, 1)], axis=2)
    bottom = np.concatenate([scale * cross, scale * both], axis=2)
    return Equations(
        np.concatenate([top, bottom], axis=1),
        np.concatenate([equations.right, scale * counted.rewards[:, chosen]], axis=1),
        np.concatenate([equations.family, columns.family + equations.family.max() + 1]),
    )
