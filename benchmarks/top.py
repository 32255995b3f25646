"""top: the ten largest of 10,000 children over a month, and how long others wait meanwhile.

Asked of plotpoints by a metric and by a ratio, and of rank by a ratio. The yardstick makes the same
reads by hand and leaves out the exact sums and the choice. For the last row a separate process
sends the store small queries all the while. Its longest wait is how long the store was blocked; the
yardstick is its longest wait on an idle store.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing
from multiprocessing import get_context
from statistics import median
from typing import Any

from benchmarks import serving
from benchmarks.bare_server import Reads, by_hand
from benchmarks.measuring import Effort, Goal, Row, alternate, number
from benchmarks.stored import days, fill, reads_behind
from hailwhale.core.query.parameters import parse_plot, parse_rank
from hailwhale.services.container import Services
from hailwhale.store.redis.keys import Keys

_GOAL = Goal(at_most=50, of_figure=True)
_BLOCKED_GOAL = Goal(at_most=10, of_figure=True)
_DAYS = 30
_ROLLUPS = "1d:3y"  # the only ones that the question reads
_SEED = 20_110_117
_SLOW_US = 500
_READS_AT_ONCE = 1_000
_PAUSE_S = 0.001
_STOP = "bench:stop"
_PK, _PARENT = ("Shop",), ("town",)
_RATIO = "revenue/hits"
_FIELDS = {"pk": list(_PK), "dimensions": list(_PARENT), "period": f"1d:{_DAYS}d", "limit": 10}
_PLOT = {**_FIELDS, "depth": 1, "threshold": 0}

Question = Callable[[Services], object]


def _plot(services: Services) -> object:
    return services.reporting.plotpoints(parse_plot(_PLOT))


def _plot_by_ratio(services: Services) -> object:
    fields = {**_PLOT, "metrics": _RATIO, "sort": f"-{_RATIO}"}
    return services.reporting.plotpoints(parse_plot(fields))


def _rank_by_ratio(services: Services) -> object:
    return services.ranking.rank(parse_rank({**_FIELDS, "metrics": _RATIO}))


_QUESTIONS: dict[str, Question] = {
    "top 10 of {children}": _plot,
    "top 10 of {children} by ratio": _plot_by_ratio,
    "rank of {children} by ratio": _rank_by_ratio,
}


def run(effort: Effort) -> list[Row]:
    """Rows for the answers' times and for the others' wait."""
    children = effort.pick(10_000, 200)
    with ExitStack() as stack:
        server = stack.enter_context(serving.valkey())
        services = stack.enter_context(closing(_filled(server.url, children)))
        client = stack.enter_context(closing(serving.client_on(server.url)))
        pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        waiting = stack.enter_context(pool)
        return [
            *(
                _answered(effort, services, client, name.format(children=f"{children:,}"), ask)
                for name, ask in _QUESTIONS.items()
            ),
            _blocked(effort, services, client, waiting, server.url),
        ]


def _filled(url: str, children: int) -> Services:
    services = serving.services_on(serving.store_on(url), rollups=_ROLLUPS)
    chance = random.Random(_SEED)
    now_s = int(time.time())

    def events() -> Iterator[dict[str, object]]:
        for place in range(children):
            for at_s in days(_DAYS, now_s):
                dimension = [*_PARENT, f"town {place}"]
                sums = {
                    "hits": chance.randrange(1, 1_000),
                    "revenue": chance.randrange(10**5) / 100,
                }
                yield {"pk": _PK, "dimension": dimension, "metrics": sums, "at": at_s}

    fill(services, events())
    return services


def _answered(effort: Effort, services: Services, client: Any, name: str, ask: Question) -> Row:
    reads = reads_behind(services, ask)
    times = alternate(
        effort.pick(30, 3),
        lambda: _ms(lambda: ask(services)),
        lambda: _ms(lambda: _reads_by_hand(client, reads)),
    )
    notes = [
        f"p50 {number(median(times[0]))} ms over {len(times[0])} questions "
        f"({len(reads):,} hashes read), p50 of the reads by hand {number(median(times[1]))} ms"
    ]
    p99s = [_p99(measured) for measured in times]
    return Row(f"{name}, p99", "ms", [p99s[0]], "same reads by hand", [p99s[1]], _GOAL, notes)


def _reads_by_hand(client: Any, reads: Reads) -> None:
    client.smembers(Keys(serving.NAMESPACE).children(_PK, _PARENT))
    for first in range(0, len(reads), _READS_AT_ONCE):
        by_hand(client, reads[first : first + _READS_AT_ONCE])


def _blocked(
    effort: Effort, services: Services, client: Any, pool: ProcessPoolExecutor, url: str
) -> Row:
    asked_s: list[float] = []

    def while_asked() -> None:
        asked_s.append(_ms(lambda: _rank_by_ratio(services)) / 1_000)

    def waited_ms(meanwhile: Callable[[], object]) -> float:
        client.delete(_STOP)
        waiting = pool.submit(_longest_wait_ms, url)
        meanwhile()
        client.set(_STOP, 1)
        return waiting.result()

    client.config_set("slowlog-log-slower-than", _SLOW_US)
    client.slowlog_reset()
    waits = alternate(
        effort.rounds,
        lambda: waited_ms(while_asked),
        lambda: waited_ms(lambda: time.sleep(sum(asked_s) / len(asked_s))),
    )
    slowest_us = max((entry["duration"] for entry in client.slowlog_get(100)), default=0)
    slowest = f"{number(slowest_us / 1_000)} ms" if slowest_us else f"under {_SLOW_US} us"
    note = f"the slowest single command took the store {slowest}, by its SLOWLOG"
    return Row(
        "top 10, others wait", "ms", waits[0], "idle store", waits[1], _BLOCKED_GOAL, (note,)
    )


def _longest_wait_ms(url: str) -> float:
    """Ask the store one small thing after the other until it says stop; the longest wait."""
    with closing(serving.client_on(url)) as client:
        longest_ms, stopped = 0.0, False
        client.ping()  # connects
        while not stopped:
            start_s = time.perf_counter()
            stopped = bool(client.exists(_STOP))
            longest_ms = max(longest_ms, (time.perf_counter() - start_s) * 1_000)
            time.sleep(_PAUSE_S)
    return longest_ms


def _ms(call: Callable[[], object]) -> float:
    start_s = time.perf_counter()
    call()
    return (time.perf_counter() - start_s) * 1_000


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[math.ceil(0.99 * len(values)) - 1]
