"""Environments: simulated visitors whose every possible reward is fixed before anybody decides.

Owns the truth. All contestants meet the same visitors with the same luck (common random numbers),
so that they differ by their decisions alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hailwhale.core.decisions.evidence import NodePath

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class World:
    """One seed of an environment: T visitors, C kinds of them, K options.

    Visitor t is of kind `kinds[t]`, comes in stage `stages[t]` and gives `rewards[t, k]` if shown
    option k. `means[s, c, k]` is the expected reward of option k for kind c in stage s.
    """

    name: str
    contexts: Sequence[tuple[NodePath, ...]]  # by kind: the nodes a visitor is at
    kinds: Places
    stages: Places
    means: Floats
    rewards: Floats
    delay: int = 0  # decisions until a reward comes

    @property
    def options(self) -> int:
        """How many options there are."""
        return int(self.rewards.shape[1])

    def score(self, chosen: Places) -> float:
        """How much of the way from choosing at random to choosing the best was made, in %."""
        worth = self.means[self.stages, self.kinds]
        least, most = worth.mean(axis=1).sum(), worth.max(axis=1).sum()
        got = worth[np.arange(len(chosen)), chosen].sum()
        return float(100 * (got - least) / (most - least)) if most > least else float("nan")


Make = Callable[[np.random.Generator, int, float], World]


@dataclass(frozen=True, slots=True)
class Environment:
    """How worlds of one kind are made. With `twist` above 0 their parameters are others, for tuning
    on what will not be reported."""

    name: str
    says: str
    make: Make = field(repr=False)

    def world(self, seed: int, visitors: int, twist: float = 0.0) -> World:
        """The world of a seed."""
        return self.make(
            np.random.default_rng([seed, len(self.name), sum(map(ord, self.name))]), visitors, twist
        )


def _rates(
    name: str,
    rng: np.random.Generator,
    contexts: Sequence[tuple[NodePath, ...]],
    kinds: Places,
    means: Floats,
    stages: Places | None = None,
    delay: int = 0,
    values: Floats | None = None,
) -> World:
    """A world in which visitors convert with a probability, for 1 or for a value of their own."""
    stages = np.zeros(len(kinds), dtype=np.intp) if stages is None else stages
    luck = rng.random(len(kinds))
    rewards = (luck[:, None] < means[stages, kinds]).astype(float)
    worth = means
    if values is not None:
        rewards *= values[:, None]
        worth = means * values.mean()
    return World(name, contexts, kinds, stages, worth, rewards, delay)


def _alone(visitors: int) -> tuple[list[tuple[NodePath, ...]], Places]:
    return [()], np.zeros(visitors, dtype=np.intp)


def _crossed(
    rng: np.random.Generator, visitors: int, **levels: int
) -> tuple[list[tuple[NodePath, ...]], Places, list[tuple[int, ...]]]:
    """Every combination of levels, some more frequent than others; and the levels by kind."""
    combinations = [tuple(map(int, found)) for found in np.ndindex(*levels.values())]
    contexts: list[tuple[NodePath, ...]] = [
        tuple((name, f"{name[0]}{level}") for name, level in zip(levels, found, strict=True))
        for found in combinations
    ]
    parts = [1 / np.arange(1, count + 1) ** 0.7 for count in levels.values()]
    odds = np.array(
        [
            np.prod([part[at] for part, at in zip(parts, found, strict=True)])
            for found in combinations
        ]
    )
    kinds = rng.choice(len(contexts), visitors, p=odds / odds.sum()).astype(np.intp)
    return contexts, kinds, combinations


def one_in_three(rng: np.random.Generator, visitors: int, twist: float) -> World:
    contexts, kinds = _alone(visitors)
    means = np.array([0.02, 0.025, 0.03]) * (1 + twist)
    return _rates("E1", rng, contexts, kinds, rng.permutation(means)[None, None])


def _additive(
    rng: np.random.Generator, visitors: int, twist: float
) -> tuple[list[tuple[NodePath, ...]], Places, Floats]:
    contexts, kinds, levels = _crossed(rng, visitors, country=5, device=3)
    option = rng.permutation(np.array([0.0, 0.004, 0.008, 0.012])) * (1 + twist)
    country, device = rng.normal(0, 0.006, 5), rng.normal(0, 0.004, 3)
    by_country, by_device = rng.normal(0, 0.003, (5, 4)), rng.normal(0, 0.002, (3, 4))
    means = np.array(
        [0.03 + option + country[c] + device[d] + by_country[c] + by_device[d] for c, d in levels]
    )
    worst = int(option.argmin())  # wins in one country
    means[[at for at, (c, _) in enumerate(levels) if c == 1], worst] += 0.03
    return contexts, kinds, np.clip(means, 0.002, 0.5)


def additive(rng: np.random.Generator, visitors: int, twist: float) -> World:
    contexts, kinds, means = _additive(rng, visitors, twist)
    return _rates("E2", rng, contexts, kinds, means[None])


def revenue(rng: np.random.Generator, visitors: int, twist: float) -> World:
    contexts, kinds = _alone(visitors)
    means = rng.permutation(np.array([0.034, 0.04, 0.048])) * (1 + twist)
    values = rng.lognormal(3.5, 1.0, visitors)
    return _rates("E3", rng, contexts, kinds, means[None, None], values=values)


def nested(rng: np.random.Generator, visitors: int, twist: float) -> World:
    countries, regions, options = 20, 10, 10
    contexts = [
        (("country", f"c{c}"), ("country", f"c{c}", f"r{r}"))
        for c in range(countries)
        for r in range(regions)
    ]
    odds = 1 / np.arange(1, countries + 1)[:, None] / np.arange(1, regions + 1)[None]
    odds = (odds / odds.sum()).ravel()
    kinds = rng.choice(len(contexts), visitors, p=odds)
    means = (
        0.04
        + rng.normal(0, 0.006 * (1 + twist), options)[None, None]
        + rng.normal(0, 0.008, (countries, 1, options))
        + rng.normal(0, 0.004, (countries, regions, options))
    )
    means = np.clip(means.reshape(len(contexts), options), 0.003, 0.5)
    return _rates("E4", rng, contexts, kinds, means[None])


def switching(rng: np.random.Generator, visitors: int, twist: float) -> World:
    contexts, kinds, before = _additive(rng, visitors, twist)
    after = before[:, np.roll(np.arange(before.shape[1]), 1)]
    stages = (np.arange(visitors) >= visitors // 2).astype(np.intp)
    return _rates("E5", rng, contexts, kinds, np.stack([before, after]), stages)


def delayed(rng: np.random.Generator, visitors: int, twist: float) -> World:
    contexts, kinds, means = _additive(rng, visitors, twist)
    return _rates("E6", rng, contexts, kinds, means[None], delay=2_000)


def equal(rng: np.random.Generator, visitors: int, twist: float) -> World:
    contexts, kinds = _alone(visitors)
    return _rates("E7", rng, contexts, kinds, np.full((1, 1, 4), 0.03 * (1 + twist)))


def many(rng: np.random.Generator, visitors: int, twist: float) -> World:
    contexts, kinds = _alone(visitors)
    means = np.clip(rng.normal(0.03, 0.006 * (1 + twist), 50), 0.005, 0.2)
    return _rates("E8", rng, contexts, kinds, means[None, None])


def one_matters(rng: np.random.Generator, visitors: int, twist: float) -> World:
    names = dict.fromkeys(("age", "browser", "country", "device", "hour", "referrer"), 4)
    contexts, kinds, levels = _crossed(rng, visitors, **names)
    by_level = rng.normal(0, 0.01 * (1 + twist), (4, 4))
    means = np.clip(np.array([0.04 + by_level[found[2]] for found in levels]), 0.003, 0.5)
    return _rates("E9", rng, contexts, kinds, means[None])


def interacting(rng: np.random.Generator, visitors: int, twist: float) -> World:
    contexts, kinds, levels = _crossed(rng, visitors, country=4, device=3)
    means = np.array([[0.03] * 4 for _ in levels])
    for at, (country, device) in enumerate(levels):
        means[at, (country + device) % 4] += 0.02 * (1 + twist)
    return _rates("E10", rng, contexts, kinds, means[None])


ENVIRONMENTS = (
    Environment("E1", "three options at 2.0, 2.5 and 3.0 %, no context", one_in_three),
    Environment("E2", "5 countries, 3 devices, 4 options; another wins in one country", additive),
    Environment("E3", "revenue: some 4 % buy, for a log-normal value", revenue),
    Environment("E4", "10 options, 20 countries of 10 regions, few of them frequent", nested),
    Environment("E5", "as E2, and half-way other options are the best", switching),
    Environment("E6", "as E2, rewards come 2,000 decisions late", delayed),
    Environment("E7", "four equal options", equal),
    Environment("E8", "50 options, no context", many),
    Environment("E9", "six dimensions, of which one matters", one_matters),
    Environment("E10", "the best option depends on a pair of dimensions", interacting),
)
