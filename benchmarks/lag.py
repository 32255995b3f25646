"""lag: how long after its acknowledgement a hit is counted, with the drain at half its capacity.

First one drain process flushes all it can: its capacity. Then `hailwhale drain` runs as a service
does, and hits of skewed traffic are accepted at half that rate. Some of them are marked, and their
total is polled all the time. The lag of a marked hit ends with the first answer that holds it. The
yardstick is the marked hits alone.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import cycle, islice
from statistics import median

from benchmarks import serving
from benchmarks.measuring import Effort, Goal, Row, alternate, number
from benchmarks.traffic import skewed
from hailwhale.core.events.event import Event
from hailwhale.core.events.hit_codec import encode_hit
from hailwhale.core.query.parameters import parse_totals
from hailwhale.services.container import Services
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.types import AcceptStatus, EncodedHit

_GOAL = Goal(at_most=1_000, of_figure=True)
_TICK_S = 0.02  # hits come in small bursts, a marked one at the end of each
_LOOK_S = 0.01
_STOP_S = 15.0
_PATIENCE_S = 60.0
_MARKED = ("Product", "marked")


@dataclass(slots=True)
class _Load:
    """What was sent in one round, and the lags in milliseconds of the marked hits in it."""

    sent: int
    over_s: float
    lags_ms: list[float]

    @property
    def p99_ms(self) -> float:
        return sorted(self.lags_ms)[math.ceil(0.99 * len(self.lags_ms)) - 1]


def run(effort: Effort) -> list[Row]:
    """One row: the 99th percentile, a value a round."""
    hits = list(skewed(effort.pick(100_000, 2_000), int(time.time())))
    with (
        serving.valkey() as server,
        closing(serving.services_on(serving.store_on(server.url))) as services,
    ):
        capacity = median(_capacity(services, hits) for _ in range(effort.pick(3, 1)))
        sender = _Sender(services, hits)
        loads: list[_Load] = []
        usage = _Usage()

        with closing(serving.client_on(server.url)) as client:
            usage.watch("the store", client.info("server")["process_id"])
        usage.watch("who sends and asks", os.getpid())

        def loaded() -> float:
            with usage.measured():
                loads.append(sender.load(capacity / 2, effort.pick(5.0, 0.4)))
            return loads[-1].p99_ms

        with _draining(server) as drain_pid:
            usage.watch("the drain", drain_pid)
            lags = alternate(
                effort.rounds, loaded, lambda: sender.load(0, effort.pick(2.0, 0.4)).p99_ms
            )
            fourth, eighth = (
                sender.load(capacity / part, effort.pick(5.0, 0.4)).p99_ms for part in (4, 8)
            )
    sent = sum(load.sent for load in loads) / sum(load.over_s for load in loads)
    notes = (
        f"the drain flushes {number(capacity)} events/s; {number(sent)} a second were accepted "
        f"while it ran, the lags of {sum(len(load.lags_ms) for load in loads):,} were measured",
        usage.text(),
        f"p99 {number(fourth)} ms at a quarter, {number(eighth)} ms at an eighth of the rate",
    )
    return [
        Row("lag at half the drain's rate, p99", "ms", lags[0], "no load", lags[1], _GOAL, notes)
    ]


def _capacity(services: Services, hits: Sequence[EncodedHit]) -> float:
    """Events a second by the clock of a drain that has plenty to do."""
    services.store.buffers.accept(hits, int(time.time()))
    start_s = time.perf_counter()
    counted = services.drain.flush()
    assert counted == len(hits)
    return counted / (time.perf_counter() - start_s)


@contextmanager
def _draining(server: EmbeddedValkey) -> Iterator[int]:
    """The pid of a `hailwhale drain` on the server, with the settings as they are by default."""
    ours = {key: text for key, text in os.environ.items() if not key.startswith("HAILWHALE_")}
    environ = ours | {
        "HAILWHALE_REDIS_URL": server.url,
        "HAILWHALE_NAMESPACE": serving.NAMESPACE,
    }
    command = [sys.executable, "-m", "hailwhale.cli", "drain"]
    process = subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(_STOP_S)


class _Usage:
    """How much of a core each of some processes takes."""

    def __init__(self) -> None:
        self._pids: dict[str, int] = {}
        self._used_s: Counter[str] = Counter()
        self._over_s = 0.0

    def watch(self, who: str, pid: int) -> None:
        """Measure this process from now on."""
        self._pids[who] = pid

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Add what is used meanwhile."""
        start_s, used_s = time.monotonic(), self._cpu_s()
        yield
        self._over_s += time.monotonic() - start_s
        self._used_s.update(self._cpu_s())
        self._used_s.subtract(used_s)

    def text(self) -> str:
        """All shares, of one core each."""
        shares = [f"{who} {used_s / self._over_s:.0%}" for who, used_s in self._used_s.items()]
        return f"of a core {', '.join(shares)}"

    def _cpu_s(self) -> dict[str, float]:
        return {who: serving.cpu_s(pid) for who, pid in self._pids.items()}


class _Sender:
    """Sends hits, some of them marked, and looks when these are counted."""

    def __init__(self, services: Services, hits: Sequence[EncodedHit]) -> None:
        self._services = services
        self._hits = cycle(hits)
        self._sent_s: list[float] = []  # of every marked hit ever

    def load(self, rate: float, over_s: float) -> _Load:
        """Send at `rate` hits a second, and a marked one each tick; wait until all are counted."""
        first = len(self._sent_s)
        watching: Future[list[float]]
        with ThreadPoolExecutor(1) as pool:
            ticks = round(over_s / _TICK_S)
            watching = pool.submit(self._counted_s, first, first + ticks)
            start_s = time.monotonic()
            sent = 0
            for tick in range(1, ticks + 1):
                time.sleep(max(0.0, start_s + tick * _TICK_S - time.monotonic()))
                burst = list(islice(self._hits, round(tick * _TICK_S * rate) - sent))
                self._send([*burst, self._marked()])
                sent += len(burst)
            sending_s = time.monotonic() - start_s
            counted_s = watching.result()
        lags_ms = [
            1_000 * (seen_s - sent_s)
            for sent_s, seen_s in zip(self._sent_s[first:], counted_s, strict=True)
        ]
        return _Load(sent, sending_s, lags_ms)

    def _send(self, hits: Sequence[EncodedHit]) -> None:
        self._sent_s.append(time.monotonic())
        receipts = self._services.store.buffers.accept(hits, int(time.time()))
        assert all(receipt is AcceptStatus.ACCEPTED for receipt in receipts)

    def _counted_s(self, first: int, last: int) -> list[float]:
        """When each of the marked hits from `first` to `last` was seen to be counted."""
        seen_s: list[float] = []
        deadline_s = time.monotonic() + _PATIENCE_S
        while len(seen_s) < last - first:
            counted = self._counted()
            now_s = time.monotonic()
            seen_s += [now_s] * (counted - first - len(seen_s))
            if now_s > deadline_s:
                raise RuntimeError(f"{last - counted} marked hits are not counted")
            time.sleep(_LOOK_S)
        return seen_s

    def _counted(self) -> int:
        question = parse_totals({"pk": list(_MARKED), "metrics": "hits", "period": "all"})
        [found] = self._services.reporting.totals(question)
        return int(found.by_path[()]["hits"])

    def _marked(self) -> EncodedHit:
        event = Event(_MARKED, (), {"hits": Decimal(1)}, int(time.time()))
        return EncodedHit(event.pk[0], encode_hit(event))
