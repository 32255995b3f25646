"""memory: bytes of the store's memory a cell takes, hours and days kept for a month.

The yardstick keeps part of the same numbers as one would first do it: a key for each.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

from benchmarks import serving
from benchmarks.measuring import Effort, Goal, Row
from benchmarks.stored import DAY_S, fill

_GOAL = Goal(at_most=25, of_figure=True)
_ROLLUPS = "1h:35d,1d:35d"
_STORED = ("1h", "1d", "all")
_HOUR_S = 3_600
_SEED = 20_110_117
_AT_ONCE = 10_000

Cell = tuple[bytes, bytes, bytes]  # key of the hash, field, value


def run(effort: Effort) -> list[Row]:
    """One row of one round: memory does not vary."""
    series, days = effort.pick(200, 10), effort.pick(35, 3)
    with serving.valkey() as server, closing(serving.client_on(server.url)) as client:
        services = serving.services_on(serving.store_on(server.url), rollups=_ROLLUPS)
        fill(services, [{"pk": "Warm"}])  # scripts and connections are there before
        before = _used_bytes(client)
        fill(services, _events(series, days))
        used = _used_bytes(client) - before
        services.close()
        cells = list(_cells(client))
        flat = cells[:: effort.pick(5, 1)]
        before = _used_bytes(client)
        _set_flat(client, flat)
        flat_used = _used_bytes(client) - before
    note = f"{len(cells):,} cells of {series} series, {days} days of hours and days, 3 metrics"
    return [
        Row(
            "memory",
            "bytes a cell",
            [used / len(cells)],
            "a key for each",
            [flat_used / len(flat)],
            _GOAL,
            (note,),
        )
    ]


def _events(series: int, days: int) -> Iterator[dict[str, object]]:
    """An event an hour for each series, the root pk of all being one of them."""
    chance = random.Random(_SEED)
    now_s = int(time.time())
    for hour in range(days * DAY_S // _HOUR_S):
        for place in range(series - 1):
            metrics = {
                "hits": chance.randrange(1, 1_000),
                "sales": chance.randrange(100),
                "revenue": chance.randrange(1, 500_000) / 100,
            }
            yield {"pk": ["Product", place], "metrics": metrics, "at": now_s - hour * _HOUR_S}


def _used_bytes(client: Any) -> int:
    """Memory in use, without the buffers of connections and of the log."""
    memory = client.info("memory")
    buffers = memory["mem_clients_normal"] + memory["mem_aof_buffer"]
    return int(memory["used_memory"]) - int(buffers)


def _cells(client: Any) -> Iterator[Cell]:
    for rollup in _STORED:
        for key in client.scan_iter(f"{serving.NAMESPACE}:{{*}}:{rollup}:*", count=1_000):
            for field, value in client.hgetall(key).items():
                yield key, field, value


def _set_flat(client: Any, cells: list[Cell]) -> None:
    rest = iter(cells)
    while some := list(islice(rest, _AT_ONCE)):
        client.mset({b":".join(cell[:2]): cell[2] for cell in some})
