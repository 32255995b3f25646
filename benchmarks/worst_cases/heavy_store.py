"""Fills a store as heavily as strangers may with the default limits, or the heaviest that matters.

Amounts have as many digits as an amount may have, labels are as many as are kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from random import Random

from benchmarks.measuring import Effort
from hailwhale.services.container import Services

OPTIONS, DIMENSIONS, VALUES = 20, 12, 40  # of the decision that somebody invents more of
PATHS = 32
METRICS = 16
HOURS = 33 * 24
_AMOUNT = "123456789012345678901234567.1234567890123456789012345"
_HOUR_S, _DAY_S = 3_600, 86_400
_AT_ONCE = 2_000

Event = dict[str, object]


def fill(services: Services, effort: Effort) -> None:
    """Count all of it."""
    now_s = int(time.time())
    for events in (
        _children(effort.pick(10_000, 300)),
        _small_children(effort.pick(10_000, 300)),
        _grandchildren(effort.pick(20_000, 400)),
        _hours(effort.pick(HOURS, 48), now_s),
        _roots(effort.pick(100_000, 300)),
        _visitors(effort.pick(800, 20), effort.pick(30, 3), now_s),
        _timings(),
        _large_events(effort.pick(1_000, 20)),
    ):
        services.counting.count_many_now(events)
    services.exposing_now.count_many(_exposures(effort.pick(2_000, 100), now_s))
    services.exposing_now.count_many(_options(effort.pick(10_000, 100)))


def _children(count: int) -> Iterator[Event]:
    """Yield 10,000 children of 16 metrics, with amounts that no view can hold."""
    for place in range(count):
        metrics = {f"m{number}": _AMOUNT for number in range(METRICS)}
        yield {"pk": "Big", "dimensions": ["town", f"town {place:05}"], "metrics": metrics}


def _small_children(count: int) -> Iterator[Event]:
    """Yield 10,000 children whose sums come from views."""
    for place in range(count):
        metrics = {f"m{number}": place + number for number in range(METRICS)}
        yield {"pk": "Plain", "dimensions": ["town", f"town {place:05}"], "metrics": metrics}


def _grandchildren(count: int) -> Iterator[Event]:
    for place in range(count):
        labels = [f"group {place // 100:03}", f"member {place % 100:02} {'x' * 200}"]
        yield {"pk": "Wide", "dimensions": labels}


def _hours(hours: int, now_s: int) -> Iterator[Event]:
    """Yield 32 series in which every hour has 16 metrics."""
    paths = [["path", f"p{place}"] for place in range(PATHS)]
    metrics = {f"m{number}": _AMOUNT for number in range(METRICS)}
    for hour in range(hours):
        yield {
            "pk": "Dense",
            "dimensions": paths,
            "metrics": metrics,
            "at": now_s - hour * _HOUR_S,
        }


def _roots(count: int) -> Iterator[Event]:
    for place in range(count):
        yield {"pk": f"root {place:06} {'x' * 200}"}


def _visitors(count: int, days: int, now_s: int) -> Iterator[Event]:
    paths = [["path", f"p{place}"] for place in range(PATHS)]
    for day in range(days):
        for place in range(count):
            yield {
                "pk": "Seen",
                "dimensions": paths,
                "uid": f"visitor {day} {place}",
                "at": now_s - day * _DAY_S,
            }


def _timings() -> Iterator[Event]:
    """Yield 8 metrics with 100 buckets of a histogram each."""
    names = (f"t{metric}~p{bucket}" for metric in range(8) for bucket in range(1, 101))
    paths = [["path", f"p{place}"] for place in range(PATHS)]
    while some := list(islice(names, PATHS)):
        yield {"pk": "Timed", "dimensions": paths, "metrics": dict.fromkeys(some, 1)}


def _large_events(count: int) -> Iterator[Event]:
    """Yield events of nearly 64 KB."""
    paths = [
        [f"d{place}", *(f"{depth} {'x' * 240}" for depth in range(7))] for place in range(PATHS)
    ]
    for _ in range(count):
        yield {"pk": "Spied", "dimensions": paths}


def _exposures(count: int, now_s: int) -> Iterator[Event]:
    chance = Random(1)
    for _ in range(count):
        yield {
            "pk": "Page",
            "option": f"o{chance.randrange(OPTIONS)}",
            "dimensions": {
                f"d{place}": f"v{chance.randrange(VALUES)}" for place in range(DIMENSIONS)
            },
            "metrics": {"earned": 1} if chance.random() < 0.3 else {},
            "at": now_s - chance.randrange(40 * _DAY_S),
        }


def _options(count: int) -> Iterator[Event]:
    chance = Random(2)
    for place in range(count):
        yield {
            "pk": "Crowd",
            "option": f"invented {place:05}",
            "dimensions": {f"d{at}": f"v{chance.randrange(VALUES)}" for at in range(2)},
            "metrics": {"earned": 1},
        }
