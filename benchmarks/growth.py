"""growth: what an event, a question and a cell cost as the store grows from 1,000 series on.

A series is a (pk, dimension) that was counted. Every size has a Valkey of its own, filled with
events that have nothing in common, and is measured in rounds that alternate with the smallest's.
The series of an event measured are known already: all that differs is what else is there. Times are
those of the processor, in the library and in the store, so what else the machine does is left out.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from benchmarks import serving
from benchmarks.measuring import Effort, Goal, Row, alternate, number
from benchmarks.traffic import distinct
from hailwhale.core.query.parameters import parse_plot, parse_totals
from hailwhale.services.container import Services
from hailwhale.store.types import EncodedHit

_FLAT = Goal(at_most=1.2)
_SIZES = (1_000, 10_000, 100_000, 1_000_000)
_QUICK_SIZES = (70, 140)
# For each event of `distinct`: a new pk in 5 dimensions, and 2 new dimensions of the root pk. Each
# is counted in a bucket of 4 rollups, with 3 metrics.
_SERIES_AN_EVENT = 7
_CELLS_A_SERIES = 4 * 3
_BYTES_A_SERIES = 4_000  # more than it will be, with the log's buffers
_FILL_LIMIT_S = 200.0
_AT_ONCE = 20_000
_LOOK_S = 0.1
_SEED = 20_110_117

Ask = Callable[[Services, dict[str, object]], object]
Work = Callable[["_Filled"], int]


@dataclass(slots=True)
class _Filled:
    """A store with so many series, the hits that made them, and what a cell of them takes."""

    series: int
    services: Services
    client: Any
    now_s: int
    hits: Sequence[EncodedHit]
    chance: random.Random
    cell_bytes: float
    fill_s: float

    def count(self, times: int) -> int:
        """Buffer and drain events that were counted before; how many."""
        hits = self.chance.sample(self.hits, times)
        self.services.store.buffers.accept(hits, self.now_s)
        counted = self.services.drain.flush()
        assert counted == times
        return counted

    def ask(self, ask: Ask, times: int) -> int:
        """Ask about one series, another each time; how often."""
        for _ in range(times):
            place = self.chance.randrange(len(self.hits))
            fields: dict[str, object] = {
                "pk": ["Product", f"p{place}"],
                "dimensions": ["visitor", f"v{place}"],
                "metrics": ["hits", "revenue"],
                "period": "1d:1mo",
            }
            ask(self.services, fields)
        return times

    def cpu_us(self, work: Work) -> float:
        """Microseconds that this process and the store compute for each of what is done."""
        start_s = self._cpu_s()
        done = work(self)
        return (self._cpu_s() - start_s) / done * 1e6

    def _cpu_s(self) -> float:
        used = self.client.info("cpu")
        return float(used["used_cpu_user"]) + float(used["used_cpu_sys"]) + time.process_time()


def run(effort: Effort) -> list[Row]:
    """Four rows for each size but the smallest, which is their yardstick."""
    now_s = int(time.time())
    first, *larger = effort.pick(_SIZES, _QUICK_SIZES)
    rows: list[Row] = []
    with _filled(first, now_s) as small:
        pace_s = 0.0  # to fill in one more series
        for series in larger:
            obstacle = _obstacle(series, pace_s)
            if obstacle:
                note = f"{series:,} series are left out: {obstacle}"
                rows[-1] = replace(rows[-1], notes=[*rows[-1].notes, note])
                break
            with _filled(series, now_s) as large:
                pace_s = large.fill_s / series
                rows += _rows(effort, large, small)
    return rows


def _rows(effort: Effort, large: _Filled, small: _Filled) -> Iterator[Row]:
    events, questions = effort.pick(100, 10), effort.pick(100, 10)
    works: Sequence[tuple[str, str, Work]] = (
        ("count", "us an event", lambda filled: filled.count(events)),
        ("totals", "us", lambda filled: filled.ask(_totals, questions)),
        ("plotpoints", "us", lambda filled: filled.ask(_plotpoints, questions)),
    )
    for name, unit, work in works:
        figures = alternate(
            effort.pick(15, 1), partial(large.cpu_us, work), partial(small.cpu_us, work)
        )
        yield _row(name, unit, large, small, figures)
    cells = [large.cell_bytes], [small.cell_bytes]
    note = f"filled with {number(large.series / large.fill_s)} new series a second"
    yield _row("memory", "bytes a cell", large, small, cells, note)


def _row(
    name: str,
    unit: str,
    large: _Filled,
    small: _Filled,
    figures: tuple[Sequence[float], Sequence[float]],
    *notes: str,
) -> Row:
    return Row(
        f"{name}, {large.series:,} series",
        unit,
        figures[0],
        f"{small.series:,} series",
        figures[1],
        _FLAT,
        notes,
        (name, large.series),
    )


def _totals(services: Services, fields: dict[str, object]) -> object:
    return services.reporting.totals(parse_totals(fields))


def _plotpoints(services: Services, fields: dict[str, object]) -> object:
    return services.reporting.plotpoints(parse_plot(fields))


def _obstacle(series: int, pace_s: float) -> str:
    """Why a size is out of reach here, going by how long a smaller one took; empty if it is not."""
    fill_s = pace_s * series
    if fill_s > _FILL_LIMIT_S:
        return f"to fill them in takes {number(fill_s)} s"
    free_bytes = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if free_bytes < series * _BYTES_A_SERIES:
        return f"{number(free_bytes / 1e9)} GB of memory are free"
    return ""


@contextmanager
def _filled(series: int, now_s: int) -> Iterator[_Filled]:
    """A store with so many series, at the instant `now_s` for ever."""
    hits = list(distinct(series // _SERIES_AN_EVENT, now_s))
    with serving.valkey() as server, closing(serving.client_on(server.url)) as client:
        services = serving.services_on(serving.store_on(server.url), lambda: now_s)
        # Scripts are loaded and the root pk is known before its memory is looked at.
        services.counting.count_now({"pk": "Product"})
        before_bytes, start_s = _used_bytes(client), time.perf_counter()
        for first in range(0, len(hits), _AT_ONCE):
            services.store.buffers.accept(hits[first : first + _AT_ONCE], now_s)
            services.drain.flush()
        fill_s = time.perf_counter() - start_s
        _await_rest(client)
        used_bytes = _used_bytes(client) - before_bytes
        cells = len(hits) * _SERIES_AN_EVENT * _CELLS_A_SERIES
        yield _Filled(
            series, services, client, now_s, hits, random.Random(_SEED), used_bytes / cells, fill_s
        )
        services.close()


def _await_rest(client: Any) -> None:
    """Wait until the server has rewritten its append-only file, which takes memory and time."""
    while client.info("persistence")["aof_rewrite_in_progress"]:
        time.sleep(_LOOK_S)


def _used_bytes(client: Any) -> int:
    """Memory in use, without the buffers of connections and of the log."""
    memory = client.info("memory")
    buffers = memory["mem_clients_normal"] + memory["mem_aof_buffer"]
    return int(memory["used_memory"]) - int(buffers)
