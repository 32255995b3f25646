"""Request metrics: how many requests were answered, how fast, how many refused and why.

Each process sums them in memory and sends them to the store every second. So they cover all
processes, outlive each of them and cost a request next to nothing. If a process is killed, its last
second is missing; counts of events are stored elsewhere and exact.
"""

from __future__ import annotations

import logging
import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Event as Flag
from threading import Lock, Thread

from hailwhale.errors import HailWhaleError
from hailwhale.store.protocol import RequestStatsStore

log = logging.getLogger("hailwhale.tallies")

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
DECISIONS = "decisions"

_EVERY_S = 1.0
_SEP = "\t"
_SUM = "us"


@dataclass(frozen=True, slots=True)
class Durations:
    """Durations of the requests of one route that were answered with one status.

    `buckets` count those up to each of BOUNDS_S and those beyond the last, each request once.
    """

    route: str
    status: int
    buckets: tuple[int, ...]
    sum_s: float


class RequestStats:
    """Sum request metrics and send them to the store; thread-safe and fork-safe."""

    def __init__(self, stats: RequestStatsStore, every_s: float = _EVERY_S) -> None:
        self._stats = stats
        self._every_s = every_s
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = Lock()
        self._durations: dict[tuple[str, int], list[float]] = {}  # buckets, and the sum
        self._requests: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._thread: Thread | None = None
        self._stop = Flag()

    def answered(self, route: str, status: int, elapsed_s: float) -> None:
        """Count an answered request."""
        self._look_after()
        with self._lock:
            found = self._durations.get((route, status))
            if found is None:
                found = self._durations[route, status] = [0.0] * (len(BOUNDS_S) + 2)
            found[bisect_left(BOUNDS_S, elapsed_s)] += 1
            found[-1] += elapsed_s

    def decided(self) -> None:
        """Count an answered decision."""
        self._look_after()
        with self._lock:
            self._requests[DECISIONS] += 1

    def refused(self, reason: str, events: int = 1) -> None:
        """Count a refused request, or several refused events of one."""
        self._look_after()
        with self._lock:
            self._refused[reason] += events

    def flush(self) -> None:
        """Send the metrics to the store; if that raises, they are kept for the next call."""
        with self._lock:
            durations, self._durations = self._durations, {}
            requests, self._requests = self._requests, Counter()
            refused, self._refused = self._refused, Counter()
        requests.update(_named(durations))
        try:
            if requests:
                self._stats.add_answered(requests)
                requests = Counter()
            if refused:
                self._stats.add_refused(refused)
        except BaseException:
            with self._lock:
                self._requests.update(requests)
                self._refused.update(refused)
            raise

    def close(self) -> None:
        """Send the rest, if the store accepts it, and stop."""
        self._stop.set()
        if self._thread is not None and self._pid == os.getpid():
            self._thread.join()
        self._try_to_flush()

    def _look_after(self) -> None:
        """Start the sending thread, if it does not run in this process yet."""
        if self._thread is not None and self._pid == os.getpid():
            return
        if self._pid != os.getpid():  # forked: the parent sends what was summed so far
            self._begin()
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = Thread(target=self._run, name="tallies", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            self._try_to_flush()

    def _try_to_flush(self) -> None:
        try:
            self.flush()
        except HailWhaleError as fault:
            log.debug("flush of request metrics postponed: %s", fault)
        except Exception:
            log.exception("flush of request metrics failed")


def _named(durations: Mapping[tuple[str, int], Sequence[float]]) -> dict[str, int]:
    """Return durations by the names used in the store; sums are in microseconds."""
    return {
        f"{route}{_SEP}{status}{_SEP}{name}": int(amount)
        for (route, status), (*buckets, sum_s) in durations.items()
        for name, amount in [*enumerate(buckets), (_SUM, sum_s * 1e6)]
        if amount
    }


def read_durations(tallied: Mapping[str, int]) -> Iterator[Durations]:
    r"""Yield what the store has of `RequestStats.answered`, by route and status.

    >>> [found] = read_durations({"/count\t200\t1": 3, "/count\t200\tus": 4500})
    >>> found.route, found.status, found.buckets[:3], found.sum_s
    ('/count', 200, (0, 3, 0), 0.0045)
    """
    found: dict[tuple[str, int], dict[str, int]] = {}
    for name, count in tallied.items():
        parts = name.split(_SEP)
        if len(parts) == 3:
            found.setdefault((parts[0], int(parts[1])), {})[parts[2]] = count
    for (route, status), counts in sorted(found.items()):
        buckets = tuple(counts.get(str(place), 0) for place in range(len(BOUNDS_S) + 1))
        yield Durations(route, status, buckets, counts.get(_SUM, 0) / 1e6)
