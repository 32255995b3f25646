"""What an import must add up to, in the plainest way there is: a loop over every event and prefix.

None of the project's code for summing up, time or rollups is used; only the address of a cell is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from hailwhale.store.protocol import Store
from hailwhale.store.types import CellQuery, ChunkAddress

Path = tuple[str, ...]
Cell = tuple[Path, Path, str, str]  # pk, dimension, day or "" for all time, metric
Sums = dict[Cell, Decimal]


@dataclass(frozen=True, slots=True)
class Counted:
    """One event that counts: where, how much of each metric, and its day as 2026-03-01."""

    pk: Path
    leaves: tuple[Path, ...]
    metrics: dict[str, Decimal]
    day: str


def expected(events: Iterable[Counted]) -> Sums:
    """The sums of all events at every pk, dimension and metric, by day and for all time."""
    sums: Sums = {}
    for event in events:
        dimensions = {leaf[:length] for leaf in event.leaves for length in range(1, len(leaf) + 1)}
        metrics = {"hits": Decimal(1)} | event.metrics
        for depth in range(1, len(event.pk) + 1):
            for dimension in {()} | dimensions:
                for day in ("", event.day):
                    for metric, amount in metrics.items():
                        cell = (event.pk[:depth], dimension, day, metric)
                        sums[cell] = sums.get(cell, Decimal(0)) + amount
    return sums


def stored(store: Store, cells: Iterable[Cell]) -> Sums:
    """What a store with days in UTC holds in these cells; what it does not hold is left out."""
    wanted = list(cells)
    answers = store.cells.read([_ask(*cell) for cell in wanted])
    return {
        cell: values[0]
        for cell, values in zip(wanted, answers, strict=True)
        if values[0] is not None
    }


def _ask(pk: Path, dimension: Path, day: str, metric: str) -> CellQuery:
    if not day:
        return CellQuery(ChunkAddress(pk, dimension, "all", 0), [(0, metric)])
    at = datetime.fromisoformat(day).replace(tzinfo=UTC)
    month_s = int(at.replace(day=1).timestamp())
    return CellQuery(ChunkAddress(pk, dimension, "1d", month_s), [(at.day - 1, metric)])
