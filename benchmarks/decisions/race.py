"""The race: every contestant through every environment, and the table of it.

    python -m benchmarks.decisions [ENVIRONMENT …] [--quick]

Libraries are given the setting that does best on two other worlds of the same environment, with
other parameters; ours has one setting for all. Scores are the share of the way from choosing at
random to always choosing what is best for the visitor, in percent: median over seeds, and the 10th
percentile.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.decisions.contestants import Make, Ours, Thompson, Uniform, play, scores
from benchmarks.decisions.environments import ENVIRONMENTS, Environment, World
from benchmarks.decisions.libraries import settings
from benchmarks.measuring import Effort, aligned

_TUNING_SEEDS, _TUNING_VISITORS = (501, 502), 10_000
_TWIST = 0.15  # by how much the worlds for tuning are others
_SLOW_FEATURES = 40

OWN: Mapping[str, Make] = {
    "HailWhale": Ours,
    "Thompson on totals": partial(Thompson, by_context=False),
    "Thompson per context": partial(Thompson, by_context=True),
    "uniform": Uniform,
}


@dataclass(frozen=True, slots=True)
class Result:
    """The scores of one contestant in one environment, a seed each; `setting` is what it ran as."""

    environment: str
    contestant: str
    setting: str
    scores: Sequence[float]
    seconds: float

    @property
    def median(self) -> float:
        return float(np.median(self.scores))

    @property
    def low(self) -> float:
        """The 10th percentile."""
        return float(np.percentile(self.scores, 10))


def race(environment: Environment, seeds: int, visitors: int) -> list[Result]:
    """All contestants in one environment."""
    worlds = [environment.world(seed, visitors) for seed in range(seeds)]
    results = [_run(environment, name, name, make, worlds) for name, make in OWN.items()]
    for library, tried in _libraries(worlds[0]).items():
        name = _best(environment, tried, min(visitors, _TUNING_VISITORS))
        results.append(_run(environment, library, name, tried[name], worlds))
    return results


def _libraries(world: World) -> dict[str, dict[str, Make]]:
    features = len({path for context in world.contexts for path in context})
    found: dict[str, dict[str, Make]] = {}
    for name, make in settings(slow=features > _SLOW_FEATURES).items():
        found.setdefault(name.partition(" ")[0], {})[name] = make
    return found


def _best(environment: Environment, tried: Mapping[str, Make], visitors: int) -> str:
    worlds = [environment.world(seed, visitors, _TWIST) for seed in _TUNING_SEEDS]
    return max(tried, key=lambda name: float(np.mean(scores(tried[name], worlds))))


def _run(
    environment: Environment, name: str, setting: str, make: Make, worlds: Sequence[World]
) -> Result:
    start_s = time.perf_counter()
    found = scores(make, worlds)
    return Result(environment.name, name, setting, found, time.perf_counter() - start_s)


def table(results: Sequence[Result]) -> str:
    """A line for each contestant, a column for each environment: median (10th percentile)."""
    environments = list(dict.fromkeys(result.environment for result in results))
    found = {(result.contestant, result.environment): result for result in results}
    names = list(dict.fromkeys(result.contestant for result in results))
    lines = [["contestant", *environments, "mean"]]
    for name in names:
        mine = [found[name, each] for each in environments]
        mean = np.mean([result.median for result in mine])
        lines.append([name, *(f"{r.median:.1f} ({r.low:.1f})" for r in mine), f"{mean:.1f}"])
    chosen = []
    for each in environments:
        best = [
            result.setting
            for result in results
            if result.environment == each and result.setting != result.contestant
        ]
        if best:
            chosen.append(f"{each}: {', '.join(best)}")
    tuned = ["", "settings chosen by tuning:", *chosen] if chosen else []
    return "\n".join([*aligned(lines), *tuned])


@dataclass(frozen=True, slots=True)
class FalseWinners:
    """Of `runs` with equal options, how many named a winner: at the worst look, and ever."""

    runs: int
    looks: int
    at_a_look: int
    ever: int

    def text(self) -> str:
        return (
            f"E7, {self.runs} runs of equal options, {self.looks} looks each: a winner was named "
            f"in {self.at_a_look} of them at the worst look, and in {self.ever} at any"
        )


def false_winners(runs: int, visitors: int, every: int = 1_000) -> FalseWinners:
    """How often HailWhale names a winner where there is none, looking every so many visitors."""
    environment = next(each for each in ENVIRONMENTS if each.name == "E7")
    named = np.zeros((runs, visitors // every), dtype=bool)
    for seed in range(runs):
        world = environment.world(seed, visitors)
        ours = Ours(world, seed)
        play(world, ours, partial(_look, ours, named[seed], every))
    return FalseWinners(
        runs, named.shape[1], int(named.sum(axis=0).max()), int(named.any(axis=1).sum())
    )


def _look(
    ours: Ours, named: np.ndarray[tuple[int], np.dtype[np.bool_]], every: int, seen: int
) -> None:
    if seen % every == 0 and ours.posterior is not None:
        named[seen // every - 1] = ours.posterior.report((), ours.options).winner is not None


def run(effort: Effort, names: Sequence[str] = (), say: Callable[[str], None] = print) -> str:
    """The race of all environments, or those named, and its table."""
    seeds, visitors = effort.pick((20, 50_000), (2, 2_000))
    results: list[Result] = []
    for environment in ENVIRONMENTS:
        if environment.name != "E7" and (not names or environment.name in names):
            say(f"racing in {environment.name}, {environment.says} …")
            results += race(environment, seeds, visitors)
    return f"{table(results)}\n\n{false_winners(seeds, visitors).text()}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the race and print its table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decisions", description=__doc__)
    parser.add_argument("environments", nargs="*", metavar="ENVIRONMENT")
    parser.add_argument("--quick", action="store_true", help="2 seeds of 2,000: that it runs")
    args = parser.parse_args(argv)
    print(run(Effort(args.quick), args.environments, lambda text: print(text, file=sys.stderr)))
    return 0
