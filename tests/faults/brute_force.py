"""What a store must hold after a set of events, worked out in the plainest way there is.

Loops over every event, prefix, rollup and metric, with none of the project's own code for summing
up, time or rollups, so that a fault there cannot hide itself. Only the names of keys and fields are
the project's. It is for the default rollups (1m:2h, 1h:35d, 1d:3y, all) in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, localcontext

from hailwhale.store.redis.keys import Keys, cell_field, shard_of
from tests.faults.traffic import Path, Sample

_HOUR_S, _DAY_S = 3_600, 86_400
_PRECISION = 400


@dataclass(slots=True)
class Contents:
    """Hashes of cells and sets of labels, by key."""

    cells: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    labels: dict[str, set[str]] = field(default_factory=dict)


def predicted(samples: Iterable[Sample], keys: Keys, now_s: int) -> Contents:
    """What these events, counted once each around `now_s`, leave in the store.

    Times must keep an hour's distance from the end of a retention: then it does not matter when
    in that hour an event is counted.
    """
    contents = Contents()
    with localcontext(prec=_PRECISION):
        for sample in samples:
            _count(sample, contents, keys, now_s)
    return contents


def _count(sample: Sample, contents: Contents, keys: Keys, now_s: int) -> None:
    metrics = {"hits": Decimal(1)} | dict(sample.metrics)
    places = list(_places(sample.at_s, now_s))
    dimensions = {(): None} | {path: None for leaf in sample.leaves for path in _prefixes(leaf)}
    for pk in _prefixes(sample.pk):
        subpks = keys.subpks(shard_of(pk[0]), pk[:-1])
        contents.labels.setdefault(subpks, set()).add(pk[-1])
        for dimension in dimensions:
            if dimension:
                children = keys.children(pk, dimension[:-1])
                contents.labels.setdefault(children, set()).add(dimension[-1])
            for rollup, chunk_start_s, index in places:
                key = keys.cells(pk, dimension, rollup, chunk_start_s)
                cells = contents.cells.setdefault(key, {})
                for metric, amount in metrics.items():
                    cell = cell_field(index, metric)
                    cells[cell] = cells.get(cell, Decimal(0)) + amount


def _prefixes(path: Path) -> list[Path]:
    return [path[:length] for length in range(1, len(path) + 1)]


def _places(at_s: int, now_s: int) -> Iterator[tuple[str, int, int]]:
    """(rollup, start of the chunk, index of the bucket in it) wherever this time is kept."""
    age_s = now_s - at_s
    if age_s < _HOUR_S:
        yield "1m", at_s - at_s % _HOUR_S, at_s % _HOUR_S // 60
    if age_s < 34 * _DAY_S:
        yield "1h", at_s - at_s % _DAY_S, at_s % _DAY_S // _HOUR_S
    if age_s < 3 * 365 * _DAY_S:
        day = datetime.fromtimestamp(at_s, UTC)
        month = datetime(day.year, day.month, 1, tzinfo=UTC)
        yield "1d", int(month.timestamp()), day.day - 1
    yield "all", 0, 0
