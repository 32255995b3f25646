"""Contestants: what decides, and learns from what came of it. Ours, and what needs no library."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Protocol

import numpy as np

from benchmarks.decisions.environments import Floats, Places, World
from hailwhale.core.decisions import DecisionSums, Objective, Policy, Posterior, fit
from hailwhale.core.decisions.evidence import NodePath
from hailwhale.core.query.formula import Formula

DAY = 1_000  # decisions a day
_DAY_S = 86_400.0
_HOURS = 24
_MANY_NODES = 100


class Contestant(Protocol):
    """Decides for visitors in their order."""

    def decide(self, first: int, last: int) -> Places:
        """Return the options for the visitors from `first` to before `last`."""

    def learn(self, visitors: Places, chosen: Places, rewards: Floats) -> None:
        """Take the rewards of some decisions, each once."""

    @property
    def batch(self) -> int:
        """How many visitors may be decided for before it need learn."""


class Uniform:
    """Chooses at random."""

    batch = 1_000

    def __init__(self, world: World, seed: int) -> None:
        self._chance, self._options = np.random.default_rng(seed), world.options

    def decide(self, first: int, last: int) -> Places:
        return self._chance.integers(self._options, size=last - first)

    def learn(self, visitors: Places, chosen: Places, rewards: Floats) -> None:
        pass


class Thompson:
    """Thompson sampling by a normal of each cell's mean: on totals, or in each full context."""

    batch = 10

    def __init__(self, world: World, seed: int, by_context: bool) -> None:
        self._chance = np.random.default_rng(seed)
        self._cells = world.kinds if by_context else np.zeros_like(world.kinds)
        shape = (len(world.contexts), world.options)
        self._n, self._sum, self._square = np.zeros(shape), np.zeros(shape), np.zeros(shape)

    def decide(self, first: int, last: int) -> Places:
        cells = self._cells[first:last]
        n, total = self._n[cells], self._sum[cells]
        seen = max(self._n.sum(), 1.0)
        pooled = self._sum.sum() / seen
        noise = max(self._square.sum() / seen - pooled**2, 1e-4)
        mean = (total + pooled) / (n + 1)
        drawn = mean + np.sqrt(noise / (n + 1)) * self._chance.standard_normal(mean.shape)
        found: Places = drawn.argmax(axis=1)
        return found

    def learn(self, visitors: Places, chosen: Places, rewards: Floats) -> None:
        cells = self._cells[visitors]
        np.add.at(self._n, (cells, chosen), 1)
        np.add.at(self._sum, (cells, chosen), rewards)
        np.add.at(self._square, (cells, chosen), rewards**2)


class Ours:
    """HailWhale's decisions, learning through sums in buckets of time as the service does."""

    batch = 10

    def __init__(self, world: World, seed: int, policy: Policy = Policy()) -> None:  # noqa: B008
        self._world, self._chance = world, random.Random(seed)
        self._policy = policy
        self.options = tuple(f"o{place}" for place in range(world.options))
        nodes: dict[NodePath, int] = {(): 0}
        for context in world.contexts:
            for path in context:
                nodes.setdefault(path, len(nodes))
        pairs: dict[tuple[int, int], int] = {}
        self._at: list[list[int]] = []
        for context in world.contexts:
            mine = [nodes[path] for path in context]
            for low, high in combinations(sorted(mine), 2):
                if tuple(nodes)[low][0] != tuple(nodes)[high][0]:
                    pairs.setdefault((low, high), len(pairs))
        for context in world.contexts:
            mine = sorted(nodes[path] for path in context)
            both = [pairs[pair] for pair in combinations(mine, 2) if pair in pairs]
            self._at.append([0, *mine, *(len(nodes) + place for place in both)])
        self._nodes, self._pairs = tuple(nodes), np.array(list(pairs), dtype=np.intp).reshape(-1, 2)
        hours = (len(world.kinds) + world.delay) * _HOURS // DAY + 2
        shape = (hours, world.options, len(nodes) + len(pairs))
        self._hits, self._earned = np.zeros(shape), np.zeros(shape)
        self._squares = np.zeros(shape[:2])
        self._decided, self._fitted = 0, 0
        # What takes long to fit is fitted less often, as the service does.
        self._patience = 50 if len(nodes) < _MANY_NODES else 20
        self._objective = Objective.of(Formula.parse("earned"))
        self.posterior: Posterior | None = None

    def decide(self, first: int, last: int) -> Places:
        if self.posterior is None or first - self._fitted >= max(50, first // self._patience):
            self.posterior, self._fitted = self._fit(first), first
        found = np.empty(last - first, dtype=np.intp)
        for at, visitor in enumerate(range(first, last)):
            kind = self._world.kinds[visitor]
            context = self._world.contexts[kind]
            [choice] = self.posterior.choose(context, self.options, self._chance)
            found[at] = int(choice.option[1:])
            # Shown is counted at once; what came of it when it comes.
            self._hits[visitor * _HOURS // DAY, found[at], self._at[kind]] += 1
        self._decided = last
        return found

    def learn(self, visitors: Places, chosen: Places, rewards: Floats) -> None:
        hour = (self._decided - 1) * _HOURS // DAY
        for visitor, option, reward in zip(visitors, chosen, rewards, strict=True):
            if reward:
                self._earned[hour, option, self._at[self._world.kinds[visitor]]] += reward
                self._squares[hour, option] += reward**2

    def _fit(self, now: int) -> Posterior:
        """As the service reads it: the days, and the hours of the last two."""
        hour = now * _HOURS // DAY
        recent = max(0, (hour // _HOURS - 1) * _HOURS)
        starts = [*range(0, recent, _HOURS), *range(recent, hour + 1)]
        ends = [*starts[1:], hour + 1]
        now_s = now / DAY * _DAY_S
        edge_s = _DAY_S / _HOURS
        ages_s = np.array([max(0.0, now_s - end * edge_s) for end in ends])
        widths_s = np.diff([*starts, hour + 1]) * edge_s

        def summed(sums: Floats) -> Floats:
            found: Floats = np.add.reduceat(sums[: hour + 1], starts, axis=0)
            return found

        hits, earned = summed(self._hits), summed(self._earned)
        tally = DecisionSums(
            options=self.options,
            ages_s=ages_s,
            widths_s=widths_s,
            nodes=self._nodes,
            pairs=self._pairs,
            sums={"hits": hits, "earned": earned},
            products={
                ("earned", "earned"): summed(self._squares),
                ("earned", "hits"): earned[:, :, 0],
                ("hits", "hits"): hits[:, :, 0],
            },
        )
        return fit(tally, self._objective, self._policy)


Make = Callable[[World, int], Contestant]


def play(
    world: World, contestant: Contestant, look: Callable[[int], None] = lambda seen: None
) -> Places:
    """Let a contestant decide for all visitors of a world; what it chose.

    `look` is called after each batch with how many visitors there were.
    """
    chosen = np.zeros(len(world.kinds), dtype=np.intp)
    told = 0
    for first in range(0, len(chosen), contestant.batch):
        last = min(first + contestant.batch, len(chosen))
        chosen[first:last] = contestant.decide(first, last)
        until = max(0, last - world.delay)
        if until > told:
            some = np.arange(told, until)
            contestant.learn(some, chosen[some], world.rewards[some, chosen[some]])
            told = until
        look(last)
    return chosen


def scores(make: Make, worlds: Sequence[World]) -> list[float]:
    """The score in each world."""
    return [world.score(play(world, make(world, seed))) for seed, world in enumerate(worlds)]
