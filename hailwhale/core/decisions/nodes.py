"""Nodes: the kinds of visitors that a decision can distinguish, and how they overlap.

Determines which nodes share a spread, which visitors count as lacking a dimension, and which nodes
occur with a pair. Knows sums of weights; nothing of rewards, nor of how an effect is estimated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hailwhale.core.decisions.evidence import Floats, NodePath, Places

_TINY = 1e-12
# How many times as often as the root a node can occur: 1, but for sums that contradict themselves.
_MOST_OFTEN = 1e3
# Share of a decision's weight: with less, visitors who lack a dimension get no node of their own.
_LACKING_LEAST = 0.01


@dataclass(frozen=True, slots=True)
class Visitor:
    """A visitor by the indices of its nodes, the root first.

    `amounts` are how much the visitor is at each node: 1 at its own nodes. For a dimension that all
    others have and this visitor does not give, it is at each of the dimension's nodes as often as
    the others. `strange` are the families of its nodes that were never counted, and `strangers` is
    the number of its pairs that are unknown.
    """

    nodes: Places
    amounts: Floats
    strange: Places
    strangers: int


class PairNodes(NamedTuple):
    """Two [P, N] matrices: 1 where a pair certainly has the node, and where it may have it."""

    surely: Floats
    maybe: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """The nodes of a decision, root first, followed by one per dimension that visitors may lack.

    `families` numbers the dimension and depth of each node: effects within a family are similar in
    size. `lacking` maps a dimension to the index of the node for visitors without it, if there is
    one.
    """

    paths: tuple[NodePath, ...]
    families: Places  # [N]
    lacking: dict[str, int]
    pairs: Places  # [P, 2]
    at: dict[NodePath, int]
    pair_at: dict[tuple[int, int], int]
    family_at: dict[tuple[str, int], int]
    often: Floats  # [N]
    pair_names: tuple[tuple[tuple[str, int], ...], ...]  # [P] the families of a pair's nodes

    @classmethod
    def of(
        cls, paths: Sequence[NodePath], pairs: Places, lacking: Sequence[str], often: Floats
    ) -> Nodes:
        """Create the nodes at these paths.

        `lacking` are the dimensions that some visitors do not have; `often` is the share of the
        total weight that each node has.
        """
        family_at: dict[tuple[str, int], int] = {("", 0): 0}
        keys = [(path[0], len(path)) if path else ("", 0) for path in paths]
        keys += [(name, 2) for name in lacking]
        families = [family_at.setdefault(key, len(family_at)) for key in keys]
        return cls(
            paths=tuple(paths),
            families=np.array(families, dtype=np.intp),
            lacking={name: len(paths) + place for place, name in enumerate(lacking)},
            pairs=pairs,
            at={path: place for place, path in enumerate(paths)},
            pair_at={(int(low), int(high)): place for place, (low, high) in enumerate(pairs)},
            family_at=family_at,
            often=often,
            pair_names=tuple(tuple(sorted((keys[low], keys[high]))) for low, high in pairs),
        )

    def visitor(self, paths: Sequence[NodePath]) -> Visitor:
        """Return the nodes and amounts of a visitor with these paths."""
        known = [self.at[path] for path in paths if path in self.at]
        unknown = [path for path in paths if path not in self.at]
        dimensions = {path[0] for path in paths}
        lacks = [place for name, place in self.lacking.items() if name not in dimensions]
        together = [
            tuple(sorted((i, j)))
            for at, i in enumerate(known)
            for j in known[at + 1 :]
            if self.paths[i][0] != self.paths[j][0]
        ]
        strange = [self.family_at.get((path[0], len(path)), 0) for path in unknown]
        anyhow = [
            place
            for place, path in enumerate(self.paths)
            if path and path[0] not in dimensions and path[0] not in self.lacking
        ]
        return Visitor(
            np.array([0, *known, *lacks, *anyhow], dtype=np.intp),
            np.concatenate([np.ones(1 + len(known) + len(lacks)), self.often[anyhow]]),
            np.array(strange, dtype=np.intp),
            sum(pair not in self.pair_at for pair in together),
        )

    def along(self) -> PairNodes:
        """Return which nodes the pairs are at.

        A pair is at its two nodes, at their ancestors and at the root. It is not at other nodes of
        the same dimensions, and at nodes of other dimensions as often as an average visitor.
        """
        size = len(self.families)
        surely, maybe = np.zeros((len(self.pairs), size)), np.ones((len(self.pairs), size))
        dimension = [path[0] if path else "" for path in self.paths] + list(self.lacking)
        names = np.array(dimension, dtype=object)
        surely[:, 0], maybe[:, 0] = 1.0, 0.0
        for place, pair in enumerate(self.pairs):
            for node in pair:
                path = self.paths[node]
                maybe[place, names == path[0]] = 0.0
                for length in range(1, len(path) + 1):
                    above = self.at.get(path[:length])
                    if above is not None:
                        surely[place, above] = 1.0
        return PairNodes(surely, maybe)


class CompletedNodes(NamedTuple):
    """The nodes including those for visitors who lack a dimension, and their sums."""

    nodes: Nodes
    joint: Floats  # [K, N, N]
    rewards: Floats  # [K, N]


def joint_weights(paths: Sequence[NodePath], pairs: Places, weights: Floats) -> Floats:
    """Return the joint weight of each option at each two nodes, [K, N, N].

    `weights` has the nodes and then the pairs, [K, N + P]. Pairs that were not counted are filled
    in. A node and its ancestor have the weight of the descendant. Two nodes of one dimension have
    weight 0. Two of different dimensions are assumed to be independent.
    """
    size = len(paths)
    own = weights[:, :size]
    least = np.maximum(own.max(axis=1, keepdims=True) / _MOST_OFTEN, _TINY)
    root = np.maximum(own[:, :1], least)
    joint: Floats = own[:, :, None] * own[:, None, :] / root[:, :, None]
    at = {path: place for place, path in enumerate(paths)}
    names = np.array([path[0] if path else "" for path in paths], dtype=object)
    joint *= (names[:, None] != names[None, :])[None]
    for path, place in at.items():
        for length in range(1, len(path)):
            above = at.get(path[:length])
            if above is not None:
                joint[:, above, place] = joint[:, place, above] = own[:, place]
    joint[:, 0, :] = joint[:, :, 0] = own
    places = np.arange(size)
    joint[:, places, places] = own
    if len(pairs):
        low, high = pairs.T
        joint[:, low, high] = joint[:, high, low] = weights[:, size:]
    return joint


def with_lacking(
    paths: Sequence[NodePath], pairs: Places, joint: Floats, rewards: Floats
) -> CompletedNodes:
    """Add nodes for visitors who lack a dimension, with their joint weights and rewards."""
    first = {
        name: [place for place, path in enumerate(paths) if len(path) == 2 and path[0] == name]
        for name in dict.fromkeys(path[0] for path in paths if len(path) == 2)
    }
    lacking: list[str] = []
    for name, places in first.items():
        rest = np.maximum(joint[:, 0, :] - joint[:, places, :].sum(axis=1), 0.0)
        rest[:, [place for place, path in enumerate(_names(paths, lacking)) if path == name]] = 0.0
        own = np.maximum(joint[:, 0, 0] - joint[:, places, 0].sum(axis=1), 0.0)
        if own.sum() <= _LACKING_LEAST * joint[:, 0, 0].sum():
            continue
        rest[:, 0] = own
        lacking.append(name)
        joint = np.concatenate([joint, rest[:, None, :]], axis=1)
        joint = np.concatenate([joint, np.append(rest, own[:, None], axis=1)[:, :, None]], axis=2)
        left = rewards[:, 0] - rewards[:, places].sum(axis=1)
        rewards = np.append(rewards, left[:, None], axis=1)
    often = joint[:, 0, :].sum(axis=0) / max(joint[:, 0, 0].sum(), _TINY)
    often = np.minimum(often, _MOST_OFTEN)
    return CompletedNodes(Nodes.of(paths, pairs, lacking, often), joint, rewards)


def frequency(joint: Floats) -> Floats:
    """Return how often each node occurs at each option, relative to the root, [K, N]."""
    often = joint[:, 0, :] / np.maximum(joint[:, :1, 0], _TINY)
    found: Floats = np.minimum(often, _MOST_OFTEN)
    return found


def _names(paths: Sequence[NodePath], lacking: Sequence[str]) -> list[str]:
    return [path[0] if path else "" for path in paths] + list(lacking)
