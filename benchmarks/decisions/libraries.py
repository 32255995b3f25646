"""Contestants from libraries: MABWiser's linear bandits and Vowpal Wabbit's contextual ones.

Each sees a visitor's dimensions as one-hot features, and every option's own effects of them. What a
library can be set to is tried beforehand, see `SETTINGS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from itertools import chain, combinations
from typing import Any

import numpy as np

from benchmarks.decisions.contestants import Make
from benchmarks.decisions.environments import Floats, Places, World

_EXPLORE = (
    "--squarecb",
    "--squarecb --gamma_scale 1000",
    "--squarecb --interactions ssa",
    "--regcb",
    "--regcbopt --mellowness 0.01",
    "--first 2000",
    "--first 2000 --interactions ssa",
    "--bag 5",
)
_WARM = 20  # visitors an option gets at random before a linear bandit can be fitted


class MabWiser:
    """LinUCB or LinTS, updated with the rewards of a hundred visitors at a time."""

    batch = 100

    def __init__(
        self, world: World, seed: int, kind: str, alpha: float, pairs: bool = False
    ) -> None:
        from mabwiser.mab import MAB, LearningPolicy

        policy = getattr(LearningPolicy, kind)(alpha=alpha)
        self._mab = MAB(list(range(world.options)), policy, seed=seed)
        self._features, self._kinds = _one_hot(world, pairs), world.kinds
        self._scale = _scale(world)
        self._chance = np.random.default_rng(seed)
        self._options = world.options
        self._told = 0

    def decide(self, first: int, last: int) -> Places:
        if self._told < max(_WARM * self._options, self.batch):
            return self._chance.integers(self._options, size=last - first)
        contexts = self._features[self._kinds[first:last]]
        found = self._mab.predict(contexts)
        return np.array(found if isinstance(found, list) else [found], dtype=np.intp)

    def learn(self, visitors: Places, chosen: Places, rewards: Floats) -> None:
        contexts = self._features[self._kinds[visitors]]
        tell = self._mab.partial_fit if self._told else self._mab.fit
        tell(list(chosen), list(rewards * self._scale), contexts)
        self._told += len(visitors)


class VowpalWabbit:
    """--cb_explore_adf, updated with the reward of each visitor."""

    batch = 10

    def __init__(self, world: World, seed: int, explore: str) -> None:
        from vowpalwabbit import Workspace

        self._vw: Any = Workspace(
            f"--cb_explore_adf {explore} -q sa --quiet --random_seed {seed + 1}"
        )
        self._kinds = world.kinds
        self._chance = np.random.default_rng(seed)
        self._shared = [
            "shared |s base " + " ".join("_".join(path) for path in context)
            for context in world.contexts
        ]
        self._actions = [f"|a o{place}" for place in range(world.options)]
        self._chances: dict[int, float] = {}
        self._scale = _scale(world)

    def decide(self, first: int, last: int) -> Places:
        found = np.empty(last - first, dtype=np.intp)
        for at, visitor in enumerate(range(first, last)):
            lines = [self._shared[self._kinds[visitor]], *self._actions]
            chances = np.array(self._vw.predict("\n".join(lines)))
            found[at] = self._chance.choice(len(chances), p=chances / chances.sum())
            self._chances[visitor] = float(chances[found[at]])
        return found

    def learn(self, visitors: Places, chosen: Places, rewards: Floats) -> None:
        for visitor, option, reward in zip(visitors, chosen, rewards, strict=True):
            lines = [self._shared[self._kinds[visitor]], *self._actions]
            chance = self._chances.pop(int(visitor))
            cost = -reward * self._scale
            lines[1 + option] = f"0:{cost:.6f}:{chance:.6f} {lines[1 + option]}"
            self._vw.learn("\n".join(lines))


def _scale(world: World) -> float:
    """What brings rewards to about 1, which the libraries' settings are made for."""
    return float(1 / world.rewards[world.rewards > 0].mean())


def _one_hot(world: World, pairs: bool) -> Floats:
    """A row for each kind of visitor: a constant, 1 for each node it is at, and for each pair."""
    rows = [[*context, *(combinations(context, 2) if pairs else ())] for context in world.contexts]
    columns = {column: place for place, column in enumerate(dict.fromkeys(chain(*rows)), 1)}
    found = np.zeros((len(rows), 1 + len(columns)))
    found[:, 0] = 1.0
    for kind, row in enumerate(rows):
        found[kind, [columns[column] for column in row]] = 1.0
    return found


def settings(slow: bool) -> Mapping[str, Make]:
    """What is tried of each library that is installed (`make yardsticks` does), by name.

    LinTS draws from a normal distribution of as many dimensions as there are features for every
    option and visitor: left out where that is `slow`, and so are pairs of dimensions.
    """
    found: dict[str, Make] = {}
    if find_spec("mabwiser"):
        for kind in ("LinUCB",) if slow else ("LinUCB", "LinTS"):
            for alpha in (0.03, 0.1, 0.3, 1.0):
                found[f"MABWiser {kind} {alpha}"] = partial(MabWiser, kind=kind, alpha=alpha)
        if not slow:
            for alpha in (0.1, 0.3):
                found[f"MABWiser LinUCB {alpha} with pairs"] = partial(
                    MabWiser, kind="LinUCB", alpha=alpha, pairs=True
                )
    if find_spec("vowpalwabbit"):
        for explore in _EXPLORE:
            found[f"VW {explore}"] = partial(VowpalWabbit, explore=explore)
    return found
