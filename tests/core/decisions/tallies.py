"""Sums of decisions made by hand: visitors of each kind and option, with their rewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from hailwhale.core.decisions import DecisionSums, Objective, Policy, Posterior, fit
from hailwhale.core.decisions.evidence import NodePath
from hailwhale.core.query.formula import Formula

DAY_S = 86_400.0

# (option, nodes of the visitors) -> (visitors, conversions)
Counted = Mapping[tuple[str, tuple[NodePath, ...]], tuple[float, float]]


def tally(days: Sequence[Counted], options: Sequence[str] = ()) -> DecisionSums:
    """What was counted day by day, the last of them today; each conversion earns 1."""
    names = list(dict.fromkeys([*options, *(option for day in days for option, _ in day)]))
    paths: dict[NodePath, int] = {(): 0}
    pairs: dict[tuple[int, int], int] = {}
    for day in days:
        for _, context in day:
            for path in context:
                paths.setdefault(path, len(paths))
            for low, high in combinations(sorted(paths[path] for path in context), 2):
                if list(paths)[low][0] != list(paths)[high][0]:
                    pairs.setdefault((low, high), len(pairs))
    shape = (len(days), len(names), len(paths) + len(pairs))
    hits, earned = np.zeros(shape), np.zeros(shape)
    for number, day in enumerate(days):
        for (option, context), (visitors, conversions) in day.items():
            places = sorted(paths[path] for path in context)
            both = [pairs[pair] for pair in combinations(places, 2) if pair in pairs]
            at = [0, *places, *(len(paths) + place for place in both)]
            hits[number, names.index(option), at] += visitors
            earned[number, names.index(option), at] += conversions
    return DecisionSums(
        options=tuple(names),
        ages_s=np.arange(len(days), dtype=np.float64)[::-1] * DAY_S,
        widths_s=np.full(len(days), DAY_S),
        nodes=tuple(paths),
        pairs=np.array(list(pairs), dtype=np.intp).reshape(-1, 2),
        sums={"hits": hits, "earned": earned},
        products={
            ("earned", "earned"): earned[:, :, 0],
            ("earned", "hits"): earned[:, :, 0],
            ("hits", "hits"): hits[:, :, 0],
        },
    )


def posterior(
    *days: Counted, policy: Policy | None = None, goal: str = "max", options: Sequence[str] = ()
) -> Posterior:
    """What these days say about conversions per visitor."""
    objective = Objective.of(Formula.parse("earned"), goal)
    return fit(tally(days, options), objective, policy or Policy())


def shares(found: Posterior, visitor: Sequence[NodePath], options: str) -> dict[str, float]:
    """The share of each option, options being letters."""
    return dict(zip(options, found.shares(visitor, list(options)).tolist(), strict=True))
