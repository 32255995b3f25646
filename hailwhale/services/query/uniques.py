"""Counts distinct visitors: unions of days, the only ranges that visitors can be counted over.

Resolves the edges of a period to the days between them. Knows nothing of who the visitors were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import islice, pairwise

from hailwhale.core.events.aggregate import SeriesKey
from hailwhale.core.events.metrics import UNIQUES
from hailwhale.core.query.columns import NonAdditiveColumn
from hailwhale.core.time.bucketing import DAY, VISITORS_EVER, VISITORS_KEPT_S, VISITORS_OF_DAY
from hailwhale.core.time.calendar_grid import DAY_S, Grid
from hailwhale.errors import BadInput
from hailwhale.store.protocol import VisitorStore
from hailwhale.store.types import ChunkAddress

_DAYS_KEPT = VISITORS_KEPT_S // DAY_S


class UniquesReader:
    """Read the number of visitors of (pk, dimension)s."""

    def __init__(self, visitors: VisitorStore, grid: Grid, clock: Callable[[], float]) -> None:
        self._visitors = visitors
        self._grid = grid
        self._clock = clock

    def columns(
        self, nodes: Sequence[SeriesKey], edges: Sequence[int], ever: bool, *, whole: bool
    ) -> Iterator[NonAdditiveColumn]:
        """Yield for each (pk, dimension) the visitors per bucket and over all buckets.

        With `ever` counts those of all time; with `whole` only those over all buckets. Raises
        `BadInput` for buckets that do not consist of whole days of the store's calendar, or whose
        days are no longer kept.
        """
        buckets = [[(VISITORS_EVER, 0)]] if ever else self._days(edges)
        wanted = [[chunk for days in buckets for chunk in days]]
        if not whole and len(buckets) > 1:
            wanted += buckets
        unions = [
            [ChunkAddress(*node, name, start_s) for name, start_s in chunks]
            for node in nodes
            for chunks in wanted
        ]
        found = iter(self._visitors.uniques(unions))
        for _ in nodes:
            first, *rest = map(Decimal, islice(found, len(wanted)))
            yield NonAdditiveColumn(rest or [first], first)

    def _days(self, edges: Sequence[int]) -> list[list[tuple[str, int]]]:
        """Return the days of each bucket."""
        oldest_s = self._clock() - VISITORS_KEPT_S
        buckets: list[list[tuple[str, int]]] = []
        for start_s, end_s in pairwise(edges):
            days = []
            day_s = self._grid.floor(start_s, DAY)
            if day_s != start_s or start_s < oldest_s - DAY_S:
                raise self._not_kept()
            while day_s < end_s:
                days.append((VISITORS_OF_DAY, day_s))
                day_s = self._grid.next(day_s, DAY)
            if day_s != end_s:
                raise self._not_kept()
            buckets.append(days)
        return buckets

    def _not_kept(self) -> BadInput:
        return BadInput(
            "period",
            UNIQUES,
            f"whole days of the last {_DAYS_KEPT} in {self._grid.name}, such as 1d:1mo, or all: "
            "visitors are counted by day",
        )
