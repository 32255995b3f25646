"""The race of deciders runs, its worlds are the same for all, and its score says what it claims."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.decisions import race as race_module
from benchmarks.decisions.contestants import Uniform, play
from benchmarks.decisions.environments import ENVIRONMENTS, Environment
from benchmarks.decisions.race import OWN, Result, race, table


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda each: each.name)
def test_a_world_is_its_seed_and_another_seed_another_world(environment: Environment) -> None:
    world, same, other = (environment.world(seed, 500) for seed in (1, 1, 2))

    assert (world.rewards == same.rewards).all()
    assert (world.kinds == same.kinds).all()
    assert not (world.rewards == other.rewards).all()
    assert world.rewards.shape == (500, world.options)


@pytest.mark.parametrize(
    "environment", [each for each in ENVIRONMENTS if each.name != "E7"], ids=lambda each: each.name
)
def test_a_score_is_100_for_the_best_and_0_for_chance(environment: Environment) -> None:
    world = environment.world(1, 20_000)
    best = world.means[world.stages, world.kinds].argmax(axis=1)
    chance = np.random.default_rng(1).integers(world.options, size=20_000)

    assert world.score(best) == pytest.approx(100)
    assert abs(world.score(chance)) < 5


def test_rewards_come_as_late_as_the_world_says_and_each_once() -> None:
    world = next(each for each in ENVIRONMENTS if each.name == "E6").world(1, 6_000)
    told: list[int] = []

    class Listening(Uniform):
        decided = 0

        def decide(self, first: int, last: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
            self.decided = last
            return super().decide(first, last)

        def learn(self, visitors, chosen, rewards) -> None:  # type: ignore[no-untyped-def]
            assert visitors.max() < self.decided - world.delay
            told.extend(visitors)

    play(world, Listening(world, 1))

    assert told == list(range(4_000))


def test_the_race_fills_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race_module, "settings", lambda slow: {})

    results = race(ENVIRONMENTS[0], seeds=2, visitors=600)
    lines = table(results).splitlines()

    assert [result.contestant for result in results] == list(OWN)
    assert all(len(result.scores) == 2 for result in results)
    assert lines[0].split() == ["contestant", "E1", "mean"]
    assert lines[2].startswith("HailWhale")


def test_a_result_is_described_by_its_median_and_10th_percentile() -> None:
    result = Result("E1", "x", "x", [10.0, 20.0, 30.0, 40.0, 50.0], 1.0)

    assert (result.median, result.low) == (30, 14)
