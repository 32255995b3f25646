"""drain: how fast buffered hits become cells, when they have much in common and when nothing.

The buffer is filled beforehand; then one drain process, a new one for each round, empties it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from statistics import median
from threading import Event as Flag
from threading import Thread
from typing import Any

from benchmarks.load import increment_tool, increments_per_s
from benchmarks.measuring import Effort, Goal, Row, alternate, number
from benchmarks.serving import client_on, services_on, store_on, valkey
from benchmarks.traffic import distinct, skewed
from hailwhale.services.ingest.drain import devote_process
from hailwhale.store.protocol import CommitStore
from hailwhale.store.types import CommitOutcome, CommitResult, CommitStep, EncodedHit

_SKEWED_GOAL = Goal(at_least=100_000, of_figure=True)
_DISTINCT_GOAL = Goal(at_least=0.7)
_IDLE_S = 0.01
_POLL_S = 0.05  # a look costs the drain's own process something, too


@dataclass(frozen=True, slots=True)
class Flushed:
    """One flush: events counted, and seconds by the clock, of the drain's core, of the store's."""

    events: int
    wall_s: float
    drain_s: float
    store_s: float
    cells: int = 0


def run(effort: Effort) -> list[Row]:
    """A row for skewed and one for distinct traffic."""
    return [_skewed(effort), _distinct(effort)]


def _skewed(effort: Effort) -> Row:
    now_s = int(time.time())
    hits = list(skewed(effort.pick(300_000, 5_000), now_s))
    with valkey() as server:
        cells = _flush(server.url, hits, now_s, tally=True).cells
        flushes: list[Flushed] = []

        def drain() -> float:
            flushes.append(_flush(server.url, hits, now_s))
            return flushes[-1].events / flushes[-1].drain_s

        rates = alternate(effort.rounds, drain, lambda: _parsed_per_s(hits))
    notes = (_shares(flushes), f"{number(cells / len(hits))} cells an event, once summed up")
    return Row(
        "drain, skewed", "events/s a core", rates[0], "json.loads", rates[1], _SKEWED_GOAL, notes
    )


def _distinct(effort: Effort) -> Row:
    now_s = int(time.time())
    hits = list(distinct(effort.pick(10_000, 200), now_s))
    increments = effort.pick(1_000_000, 20_000)
    with valkey() as server:
        cells = _flush(server.url, hits, now_s, tally=True).cells
        flushes: list[Flushed] = []

        def drain() -> float:
            flushes.append(_flush(server.url, hits, now_s))
            return cells / flushes[-1].wall_s

        rates = alternate(effort.rounds, drain, lambda: increments_per_s(server.url, increments))
    notes = (
        _shares(flushes),
        f"{number(cells / len(hits))} cells an event; HINCRBYFLOAT by {increment_tool()} -P 64",
    )
    return Row(
        "drain, distinct", "cells/s", rates[0], "HINCRBYFLOAT", rates[1], _DISTINCT_GOAL, notes
    )


def _shares(flushes: Sequence[Flushed]) -> str:
    wall_s = median(flushed.wall_s for flushed in flushes)
    drain_s = median(flushed.drain_s for flushed in flushes)
    store_s = median(flushed.store_s for flushed in flushes)
    return (
        f"{number(flushes[0].events / wall_s)} events/s by the clock, of which the drain computed "
        f"{drain_s / wall_s:.0%} and the store {store_s / wall_s:.0%}"
    )


def _parsed_per_s(hits: Sequence[EncodedHit]) -> float:
    """Hits a second of a loop that only reads their head as JSON and their amounts as floats."""
    start_s = time.process_time()
    for hit in hits:
        _, head, amounts = hit.hit.split(b"\t")
        json.loads(head)
        [float(amount) for amount in amounts.split(b",")]
    return len(hits) / (time.process_time() - start_s)


def _flush(url: str, hits: Sequence[EncodedHit], now_s: int, *, tally: bool = False) -> Flushed:
    """Fill the buffer of an emptied store, and flush it from a process of its own."""
    client, store = client_on(url), store_on(url)
    client.flushall()
    store.buffers.accept(hits, now_s)
    used_s = _store_cpu_s(client)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        flushed = processes.submit(_drained, url, now_s, tally).result()
    used_s = _store_cpu_s(client) - used_s
    client.close()
    store.close()
    assert flushed.events == len(hits)
    return replace(flushed, store_s=used_s)


def _drained(url: str, now_s: int, tally: bool) -> Flushed:
    """The drain process: it runs as `hailwhale drain` does, until all is in the cells."""
    store = store_on(url)
    counted = _Tally(store.commits)
    if tally:
        store.commits = counted
    services = services_on(store, lambda: now_s)
    devote_process()
    stop = Flag()
    drain = Thread(target=services.drain.run, args=(stop, _IDLE_S))
    before = services.store.stats.counts()["drained"]
    wall_s, drain_s = time.perf_counter(), time.process_time()
    drain.start()
    while services.store.stats.loads():
        time.sleep(_POLL_S)
    wall_s, drain_s = time.perf_counter() - wall_s, time.process_time() - drain_s
    stop.set()
    drain.join()
    events = services.store.stats.counts()["drained"] - before
    services.close()
    return Flushed(events, wall_s, drain_s, 0.0, counted.cells)


def _store_cpu_s(client: Any) -> float:
    used = client.info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


class _Tally:
    """Commits that add up the cells of the steps they carry out."""

    def __init__(self, commits: CommitStore) -> None:
        self._commits = commits
        self.cells = 0

    def commit(self, step: CommitStep, now_s: int) -> CommitResult:
        committed = self._commits.commit(step, now_s)
        if committed.outcome is CommitOutcome.COMMITTED:
            self.cells += sum(row.size for row in step.increments.rows)
        return committed

    def apply_next(self, shard: int) -> int:
        return self._commits.apply_next(shard)
